"""`python -m ozzy`, and the command `ozzy`."""


def main() -> None:
    """Run the command with the arguments of this process."""
    from ozzy.cli.main import main as command

    command()


if __name__ == "__main__":
    main()
