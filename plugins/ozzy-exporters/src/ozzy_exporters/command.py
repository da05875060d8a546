"""The command `export.py`: `--config PATH` is `ozzy run PATH`, `--resume URI` is `ozzy resume` of the run that the URI names."""

import argparse
import sys
from collections.abc import Sequence

HELP = """\
Run the export that a config describes, or go on with one.

Each does what the command of ozzy does that is named beside it, and ends with its exit code: 0 for success, 2 for a config that is wrong,
others for other errors."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command, and leave with the exit code of what went wrong."""
    sys.exit(call(sys.argv[1:] if arguments is None else arguments))


def call(arguments: Sequence[str]) -> int:
    """Run the command with these arguments; the exit code."""
    parser = argparse.ArgumentParser("export.py", description=HELP, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--config", metavar="PATH", help="the config file to run (ozzy run PATH)")
    what.add_argument("--resume", metavar="URI", help="the run to go on with: its id, or a URI of its persistence (ozzy resume RUN)")
    parser.add_argument("--allow-code", action="store_true", help="let the config bring code of its own (options imports and code)")
    parser.add_argument("--accept-changes", action="store_true", help="with --resume: go on although something is not as it was")
    given = parser.parse_args(arguments)
    if given.accept_changes and given.resume is None:
        parser.error("--accept-changes goes with --resume")

    from ozzy.cli.main import call as ozzy
    from ozzy.cli.main import told
    from ozzy.errors import OzzyError

    try:
        wanted = _resumed(given.resume) if given.resume is not None else _run(given.config)
    except OzzyError as error:
        return told(error, debug=False, log={"level": "", "format": "people"})
    flags = {"--accept-changes": given.accept_changes, "--allow-code": given.allow_code}
    return ozzy([*wanted, *(flag for flag, wished in flags.items() if wished)])


def _run(path: str) -> list[str]:
    """A config says of itself, in its inherited options, whether it goes on with a run."""
    from pathlib import Path

    from ozzy_exporters.config import loaded

    options = loaded(Path(path)).exporter_options
    if not options.resume:
        return ["run", path]
    if options.persistence_state_id:
        return ["resume", str(options.persistence_state_id), "--config", path]
    return ["run", path, "--resume"]


def _resumed(uri: str) -> list[str]:
    """The id of a run, with its config file where the state lacks a secret of it."""
    from ozzy_exporters.resuming import run_behind

    found = run_behind(uri)
    return ["resume", found.run, *([] if found.secrets is None else ["--config", str(found.secrets)])]
