"""`ozzy run` and `ozzy resume`."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click


def set_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option `--set`, which a command may be given several times."""
    return click.option(
        "--set",
        "overrides",
        multiple=True,
        metavar="PATH=VALUE",
        callback=_overrides,
        help="Override a value of the config: --set writer.options.compression=none.",
    )(command)


def state_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option `--state-dir`."""
    return click.option(
        "--state-dir",
        type=click.Path(path_type=Path, file_okay=False),
        help="Where the state of runs is kept.  [default: OZZY_STATE_DIR, else .ozzy beside the config]",
    )(command)


def _overrides(_ctx: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for value in values:
        path, equals, text = value.partition("=")
        if not equals or not path:
            raise click.BadParameter(f"write PATH=VALUE, such as reader.options.batch_size=500, not {path!r}")
        found[path] = text
    return found


def shown_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options on what is shown of a run."""
    command = click.option(
        "--json",
        "as_json",
        is_flag=True,
        help="Print the outcome as one JSON object (on standard error where records go to standard output).",
    )(command)
    return click.option("--quiet", "-q", is_flag=True, help="Show neither progress nor summary, only errors.")(command)


@click.command(short_help="Run the pipeline that a config describes.")
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--resume", "how", flag_value="resume", help="Go on with the last run, which must have begun.")
@click.option("--resume-auto", "how", flag_value="auto", help="Go on with the last run where it is unfinished, else start a new one.")
@click.option("--fresh", "how", flag_value="fresh", help="Give an unfinished run up, delete what it staged, and start a new one.")
@click.option("--dry-run", is_flag=True, help="Read and run every stage, write nothing, keep no state.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="End the run after N records were read.")
@set_option
@state_option
@shown_options
@click.pass_context
def run(
    ctx: click.Context,
    config: Path,
    how: str | None,
    dry_run: bool,
    limit: int | None,
    overrides: dict[str, str],
    state_dir: Path | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Run the pipeline that CONFIG (JSON, YAML or TOML) describes.

    A run that was killed is gone on with by --resume: nothing is lost, and nothing comes twice. While one is unfinished, a plain
    `ozzy run` refuses, so that nothing is exported twice by accident.
    """
    from ozzy import api

    resume: Any = {"resume": True, "auto": "auto"}.get(how or "", False)
    _go(
        ctx,
        lambda shown: api.run(
            config, resume=resume, fresh=how == "fresh", set=overrides, state_dir=state_dir, dry_run=dry_run, limit=limit, **shown
        ),
        quiet=quiet,
        as_json=as_json,
    )


@click.command(short_help="Go on with an unfinished run, by its id.")
@click.argument("run_id", metavar="RUN")
@click.option("--config", type=click.Path(path_type=Path), help="The config, where the one in the state lacks a secret.")
@set_option
@state_option
@shown_options
@click.pass_context
def resume(
    ctx: click.Context, run_id: str, config: Path | None, overrides: dict[str, str], state_dir: Path | None, quiet: bool, as_json: bool
) -> None:
    """Go on with RUN, an id from `ozzy runs list`, or the beginning of one. Its config is in its state."""
    from ozzy import api

    _go(
        ctx,
        lambda shown: api.resume(run_id, config=config, set=overrides, state_dir=state_dir, **shown),
        quiet=quiet,
        as_json=as_json,
    )


def _go(ctx: click.Context, work: Callable[[dict[str, Any]], Any], *, quiet: bool, as_json: bool) -> None:
    from ozzy.cli.progress import ProgressLine, summary
    from ozzy.errors import OzzyError
    from ozzy.log import set_up
    from ozzy.run.listener import Listener, Stop

    set_up(**ctx.obj["log"])
    line = ProgressLine() if not quiet and not as_json else None
    stop = Stop()
    try:
        with stopped_by_signals(stop):
            result = work({"listener": line or Listener(), "stop": stop})
    except OzzyError as error:
        if error.run_id is not None:
            error.hint = "\n".join(filter(None, [error.hint, f"Go on with it: {_again(error.run_id, error.state_dir)}"]))
        raise
    finally:
        if line is not None:
            line.clear()
    if as_json:
        sys.stdout.flush()
        click.echo(json.dumps(result.to_dict()), err=_records_on_stdout(result))
    elif not quiet:
        click.echo(summary(result), err=True)


def _again(run_id: str, state_dir: str | None) -> str:
    """The command that goes on with a run, as it is to be typed here."""
    import shlex

    from ozzy.run.runs import state_root

    elsewhere = state_dir is not None and Path(state_dir) != state_root(None, None, Path.cwd())
    return f"ozzy resume {run_id}" + (f" --state-dir {shlex.quote(str(state_dir))}" if elsewhere else "")


def _records_on_stdout(result: Any) -> bool:
    return bool(result.records_written) and not result.files


@contextmanager
def stopped_by_signals(stop: Any) -> Iterator[None]:
    """The first Ctrl-C or SIGTERM asks the run to stop at a checkpoint, the second ends the process at once."""

    def handle(number: int, _frame: Any) -> None:
        code = 128 + number
        if stop.is_set():
            os._exit(code)
        stop.set(code)
        click.echo("\nstopping after this batch; once more to stop at once", err=True)

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
