"""The command itself: its global options, its groups of commands, and what it does with errors."""

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import click

from ozzy.cli.memory import collect_rarely, leave_all_to_the_system

COMMANDS = {
    "run": ("ozzy.cli.run:run", "Run the pipeline that a config describes."),
    "resume": ("ozzy.cli.run:resume", "Go on with an unfinished run, by its id."),
    "explain": ("ozzy.cli.inspect:explain", "Say what a run would be: modules, faces, guarantee, places."),
    "validate": ("ozzy.cli.inspect:validate", "Check a config, and say where each value came from."),
    "preview": ("ozzy.cli.inspect:preview", "Show records as they leave each stage, side by side."),
    "runs": ("ozzy.cli.runs:runs", "List, show and clean up runs."),
    "quarantine": ("ozzy.cli.quarantine:quarantine", "Look at records that runs kept aside, replay or discard them."),
    "bookmark": ("ozzy.cli.bookmark:bookmark", "Show or reset what an incremental run starts from."),
    "state": ("ozzy.cli.state:state", "Show, check and rewind the state of runs."),
    "verify": ("ozzy.cli.verify:verify", "Compare a destination with its manifest, offline."),
    "plugins": ("ozzy.cli.plugins:plugins", "List the modules that are installed, and their options."),
    "schema": ("ozzy.cli.schema:schema", "Print the JSON Schema of a config, for editors."),
    "completion": ("ozzy.cli.completion:completion", "Print a completion script for bash, zsh or fish."),
}
"""Each command's place and its line of help: so that `ozzy --help` imports none of them."""

ANYWHERE = {"--debug": 0, "--log-level": 1, "--log-format": 1}
"""Global options that may stand after the command too, and how many values each takes."""


class Commands(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            return 0

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _globals_first(args))

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1) if args else []
            if not near:
                raise
            raise click.UsageError(f"{error.message} Did you mean {near[0]}?", ctx) from error


def _globals_first(args: list[str]) -> list[str]:
    """The arguments with the options of `ozzy` itself before the command, wherever they stood."""
    first, rest, at = [], [], 0
    while at < len(args) and args[at] != "--":
        taken = ANYWHERE.get(args[at].partition("=")[0])
        if taken is None:
            rest.append(args[at])
            at += 1
            continue
        taken = 0 if "=" in args[at] else taken
        first += args[at : at + 1 + taken]
        at += 1 + taken
    return [*first, *rest, *args[at:]]


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--debug", is_flag=True, help="Show the traceback of an error, and log everything.")
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"], case_sensitive=False),
    metavar="LEVEL",
    help="What to log: debug, info, warning or error.  [default: info, with --quiet warning]",
)
@click.option(
    "--log-format",
    type=click.Choice(["people", "json"]),
    metavar="FORMAT",
    default="people",
    help="How to log, on standard error: for people, or as json.  [default: people]",
)
@click.version_option(package_name="ozzy-core", prog_name="ozzy")
@click.pass_obj
def ozzy(settings: dict[str, Any], debug: bool, log_level: str | None, log_format: str) -> None:
    """Ozzy the plumber moves records from any source to any destination.

    They are filtered, transformed, grouped and formatted on the way, and none is lost or comes twice, even when a run is killed.

    \b
    A config (JSON, YAML or TOML) names a reader, a writer, and what is between:
      reader: {name: fs, options: {input: data}}
      filter: {name: key_value, options: {keys: [{name: country, value: es}]}}
      writer: {name: fs, options: {filebase: out/spain}}

    \b
      ozzy validate export.yaml      check it
      ozzy preview export.yaml       see what becomes of the first records
      ozzy run export.yaml           run it
      ozzy run export.yaml --resume  go on after a crash
      ozzy plugins show fs           what a module does, and its options
    """  # noqa: D301 - click takes the character for a mark
    settings["debug"] = debug
    settings["log"] = {"level": "debug" if debug else log_level and log_level.lower(), "format": log_format}


def main() -> None:
    """Run the command, and leave with the exit code of what went wrong."""
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for as long as the process lasts
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    collect_rarely()
    code = call(sys.argv[1:])
    leave_all_to_the_system()
    sys.exit(code)


def call(arguments: list[str]) -> int:
    """Run the command with these arguments; the exit code. What went wrong is told on standard error."""
    settings: dict[str, Any] = {"debug": False, "log": {"level": None, "format": "people"}}
    try:
        outcome: Any = ozzy.main(arguments, prog_name="ozzy", standalone_mode=False, obj=settings)
    except click.exceptions.Abort:
        click.echo("stopped", err=True)
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except Exception as error:
        _end_output()
        printing = isinstance(error, OSError) and _raised_by_echo(error)
        return told(_cannot_print(error) if printing else error, **settings)
    unprinted = _end_output()
    if unprinted is not None:
        return told(_cannot_print(unprinted), **settings)
    return outcome if isinstance(outcome, int) else 0


def _end_output() -> OSError | None:
    """What keeps standard output from taking the rest, if anything does: then Python is kept from trying again at exit.

    That nobody reads it any more is nothing to tell.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return None if isinstance(error, BrokenPipeError) else error
    return None


def _raised_by_echo(error: BaseException) -> bool:
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code is not click.echo.__code__:
        trace = trace.tb_next
    return trace is not None


def _cannot_print(error: Exception) -> Exception:
    from ozzy.errors import DestinationError

    return DestinationError(
        f"can't write to standard output: {getattr(error, 'strerror', None) or error}", hint="Let it go to a place with room."
    )


def told(error: Exception, *, debug: bool, log: dict[str, str]) -> int:
    """Tell an error to the user, as one JSON object where logs are JSON; its exit code."""
    from ozzy.errors import OzzyError
    from ozzy.log import redact

    expected = isinstance(error, OzzyError)
    message = str(error) if expected else f"this is a bug in ozzy or in a plugin: {type(error).__name__}: {error}"
    trace = ""
    if debug:
        import traceback

        trace = "".join(traceback.format_exception(error))
    elif not expected:
        message += "\n`ozzy --debug …` shows the traceback."
    code = exit_code(error)
    if log["format"] == "json":
        import json

        line = {"level": "error", "event": message, "error": type(error).__name__, "exit_code": code}
        click.echo(redact(json.dumps(line | ({"exception": trace} if trace else {}), ensure_ascii=False)), err=True)
        return code
    from ozzy.cli.style import styled

    click.echo(redact(f"{trace}{styled('error', fg='red', bold=True, err=True)}: {message}"), err=True)
    return code


def exit_code(error: Exception) -> int:
    """The exit code of an error: its class's, that of an interruption's signal, 1 for a bug."""
    from ozzy.errors import Interrupted, OzzyError

    if isinstance(error, Interrupted):
        return error.code
    return error.exit_code if isinstance(error, OzzyError) else 1
