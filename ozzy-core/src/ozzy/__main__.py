"""`python -m ozzy`, and the command `ozzy`."""


def main() -> None:
    """Run the command with the arguments of this process."""
    try:
        from ozzy.cli.main import main as command

        command()
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
