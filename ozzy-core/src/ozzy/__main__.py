"""`python -m ozzy`, and the command `ozzy`."""

import atexit
import gc


def main() -> None:
    """Run the command with the arguments of this process.

    What is there when the process ends is not searched for rubbish: in a small run that would take a tenth of the time.
    """
    atexit.register(gc.freeze)
    try:
        from ozzy.cli.main import main as command

        command()
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
