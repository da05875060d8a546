"""The command itself: its global options, its groups of commands, and what it does with errors."""

import importlib
import sys
from typing import Any

import click

COMMANDS = {
    "run": ("ozzy.cli.run:run", "Run the pipeline that a config describes."),
    "resume": ("ozzy.cli.run:resume", "Go on with an unfinished run, by its id."),
    "explain": ("ozzy.cli.inspect:explain", "Say what a run would be: modules, faces, guarantee, places."),
    "validate": ("ozzy.cli.inspect:validate", "Check a config, and say where each value came from."),
    "preview": ("ozzy.cli.inspect:preview", "Show records as they leave each stage, side by side."),
    "runs": ("ozzy.cli.runs:runs", "List, show and clean up runs."),
    "plugins": ("ozzy.cli.plugins:plugins", "List the modules that are installed, and their options."),
    "schema": ("ozzy.cli.schema:schema", "Print the JSON Schema of a config, for editors."),
    "completion": ("ozzy.cli.completion:completion", "Print a completion script for bash, zsh or fish."),
}
"""Each command's place and its line of help: so that `ozzy --help` imports none of them."""


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

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1) if args else []
            if near:
                error.message += f" Did you mean {near[0]}?"
            raise


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--debug", is_flag=True, help="Show the traceback of an error, and log everything.")
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default=None, help="What to log.  [default: warning]"
)
@click.option(
    "--log-format", type=click.Choice(["people", "json"]), default="people", help="How to log, on standard error.  [default: people]"
)
@click.version_option(package_name="ozzy-core", prog_name="ozzy")
@click.pass_context
def ozzy(ctx: click.Context, debug: bool, log_level: str | None, log_format: str) -> None:
    """Ozzy the plumber moves records from any source to any destination: filtered, transformed, grouped and formatted, with nothing
    lost and nothing twice.

    \b
    A config names a reader and a writer, and what happens between them:
      {"reader": {"name": "fs", "options": {"input": "in"}},
       "writer": {"name": "fs", "options": {"filebase": "out/all"}}}

    \b
    ozzy validate export.json     check it
    ozzy run export.json          run it
    ozzy run export.json --resume go on after a crash
    """
    ctx.obj = {"debug": debug}
    if ctx.invoked_subcommand is not None:
        ctx.call_on_close(_flush)
        ctx.obj["log"] = {"level": "debug" if debug else log_level or "warning", "format": log_format}


def _flush() -> None:
    sys.stdout.flush()


def main() -> None:
    """Run the command, and leave with the exit code of what went wrong."""
    sys.exit(call(sys.argv[1:]))


def call(arguments: list[str]) -> int:
    """Run the command with these arguments; the exit code. What went wrong is told on standard error."""
    debug = "--debug" in arguments
    try:
        outcome: Any = ozzy.main(arguments, prog_name="ozzy", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("aborted", err=True)
        return 130
    except click.ClickException as error:
        error.show()
        return 2
    except click.exceptions.Exit as error:
        return error.exit_code
    except BrokenPipeError:
        _no_more_output()
        return 0
    except KeyboardInterrupt:
        click.echo("stopped", err=True)
        return 130
    except Exception as error:
        return told(error, debug=debug)
    return outcome if isinstance(outcome, int) else 0


def told(error: Exception, *, debug: bool) -> int:
    """Tell an error to the user; its exit code."""
    from ozzy.errors import Interrupted, OzzyError
    from ozzy.log import redact

    if debug:
        import traceback

        click.echo(redact("".join(traceback.format_exception(error))), err=True)
    if isinstance(error, OzzyError):
        click.echo(redact(f"{_red('error')}: {error}"), err=True)
        return error.code if isinstance(error, Interrupted) else error.exit_code
    text = f"{type(error).__name__}: {error}"
    click.echo(redact(f"{_red('error')}: this is a bug in ozzy or in a plugin: {text}"), err=True)
    if not debug:
        click.echo("`ozzy --debug …` shows the traceback.", err=True)
    return 1


def _red(text: str) -> str:
    from ozzy.cli.style import styled

    return styled(text, fg="red", bold=True, err=True)


def _no_more_output() -> None:
    """Nobody reads standard output any more: keep Python from complaining about it at exit."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
