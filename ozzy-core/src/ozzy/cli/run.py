"""`ozzy run` and `ozzy resume`."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from ozzy.cli.style import say


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


def config_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option `--config` of commands that look at state."""
    return click.option(
        "--config", type=click.Path(path_type=Path), help="The config whose state is meant, where that is not in the local state folder."
    )(command)


def accept_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option `--accept-changes`."""
    return click.option(
        "--accept-changes", is_flag=True, help="Go on although config, versions or source are not as they were when the run began."
    )(command)


def code_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option `--allow-code`."""
    return click.option(
        "--allow-code",
        is_flag=True,
        help="Let the config bring code of its own: the options imports and code. Never stored: a resume asks again.",
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
@click.option("--resume", is_flag=True, help="Go on with the last run, which must have begun.")
@click.option("--resume-auto", is_flag=True, help="Go on with the last run where it is unfinished, else start a new one: for cron.")
@click.option("--fresh", is_flag=True, help="Give an unfinished run up, delete what it staged, and start a new one.")
@accept_option
@click.option("--dry-run", is_flag=True, help="Read and run every stage, write nothing, keep no state.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="End the run after N records were read.")
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Share the work between N processes: engine.options.workers.")
@click.option("--profile", is_flag=True, help="Tell at the end where the time went, stage by stage.")
@code_option
@set_option
@state_option
@shown_options
@click.pass_context
def run(  # noqa: PLR0917 - what the user may write
    ctx: click.Context,
    config: Path,
    resume: bool,
    resume_auto: bool,
    fresh: bool,
    accept_changes: bool,
    dry_run: bool,
    limit: int | None,
    workers: int | None,
    profile: bool,
    allow_code: bool,
    overrides: dict[str, str],
    state_dir: Path | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Run the pipeline that CONFIG (JSON, YAML or TOML) describes.

    \b
      ozzy run export.yaml
      ozzy run export.yaml --set writer.options.compression=none --limit 100
      ozzy run export.yaml --dry-run

    A run that was killed is gone on with by --resume: nothing is lost, and nothing comes twice. While one is unfinished, a plain
    `ozzy run` refuses, so that nothing is exported twice by accident. The first Ctrl-C stops a run at a checkpoint, the second at
    once.

    Records and what --json prints go to standard output, all else to standard error.
    """  # noqa: D301 - click takes the character for a mark
    from ozzy import api

    if resume + resume_auto + fresh > 1:
        raise click.UsageError("--resume, --resume-auto and --fresh exclude each other.")
    if accept_changes and not (resume or resume_auto):
        raise click.UsageError("--accept-changes goes with --resume or --resume-auto.")
    if workers is not None:
        overrides["engine.options.workers"] = str(workers)
    how: Any = "auto" if resume_auto else resume
    going_on = {"resume": how, "fresh": fresh, "accept_changes": accept_changes, "allow_code": allow_code, "profile": profile}
    go(
        ctx,
        lambda shown: api.run(config, **going_on, set=overrides, state_dir=state_dir, dry_run=dry_run, limit=limit, **shown),
        quiet=quiet,
        as_json=as_json,
    )


@click.command(short_help="Go on with an unfinished run, by its id.")
@click.argument("run_id", metavar="RUN")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The config, where the one in the state lacks a secret, or where state is shared.",
)
@accept_option
@code_option
@set_option
@state_option
@shown_options
@click.pass_context
def resume(  # noqa: PLR0917 - what the user may write
    ctx: click.Context,
    run_id: str,
    config: Path | None,
    accept_changes: bool,
    allow_code: bool,
    overrides: dict[str, str],
    state_dir: Path | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Go on with RUN, an id from `ozzy runs list`, the beginning of one, or the URI of a run in a database or of persistence `pickle`.

    The config it was started with is in its state, but for secrets: where one was written in the config, give --config or --set.
    """
    from ozzy import api

    go(
        ctx,
        lambda shown: api.resume(
            run_id, config=config, accept_changes=accept_changes, allow_code=allow_code, set=overrides, state_dir=state_dir, **shown
        ),
        quiet=quiet,
        as_json=as_json,
    )


def go(ctx: click.Context, work: Callable[[dict[str, Any]], Any], *, quiet: bool, as_json: bool) -> None:
    """Run something that is stopped by signals, and show how it goes and what became of it."""
    from ozzy.cli.memory import memory_for_a_run
    from ozzy.cli.progress import ProgressLine, Shown, summary
    from ozzy.errors import OzzyError
    from ozzy.log import set_up
    from ozzy.run.listener import Stop

    log = ctx.obj["log"]
    set_up(log["level"] or ("warning" if quiet else "info"), log["format"])
    shown = Shown() if quiet or as_json else ProgressLine()
    stop = Stop()
    try:
        with stopped_by_signals(stop), memory_for_a_run():
            result = work({"listener": shown, "stop": stop})
    except OzzyError as error:
        shown.clear()
        if error.run_id is not None:
            error.hint = "\n".join(filter(None, [error.hint, f"Go on with it: {_again(error)}"]))
        if as_json:
            _print_json(_failure(error), err=shown.prints)
        raise
    finally:
        shown.clear()
    if as_json:
        _print_json(result.to_dict(), err=result.prints)
    elif not quiet:
        say(summary(result))


def _print_json(value: dict[str, Any], *, err: bool) -> None:
    from ozzy.log import redact

    click.echo(redact(json.dumps(value, ensure_ascii=False)), err=err)


def _failure(error: Any) -> dict[str, Any]:
    """The outcome of a run that did not succeed, as `--json` tells it."""
    from ozzy.cli.main import exit_code
    from ozzy.errors import Interrupted

    state = "interrupted" if isinstance(error, Interrupted) else "failed"
    return {"run_id": error.run_id, "state": state, "error": type(error).__name__, "message": str(error), "exit_code": exit_code(error)}


def _again(error: Any) -> str:
    """The command that goes on with a run, as it is to be typed here."""
    import shlex

    from ozzy.run.runs import state_root

    if error.state_uri is not None:
        return f"ozzy resume {shlex.quote(error.state_uri)}" if error.state_uri else f"ozzy resume {error.run_id} --config CONFIG"
    elsewhere = error.state_dir is not None and Path(error.state_dir) != state_root(None, None, Path.cwd())
    return f"ozzy resume {error.run_id}" + (f" --state-dir {shlex.quote(str(error.state_dir))}" if elsewhere else "")


@contextmanager
def stopped_by_signals(stop: Any) -> Iterator[None]:
    """The first Ctrl-C or SIGTERM asks the run to stop at a checkpoint, the second ends the process at once.

    A handler may come in the middle of a line that is being written, so it writes past Python's buffers.
    """

    def handle(number: int, _frame: Any) -> None:
        code = 128 + number
        if stop.is_set():
            os.write(2, b"\nstopped at once\n")
            os._exit(code)
        stop.set(code)
        os.write(2, b"\nstopping after this batch; once more to stop at once\n")

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
