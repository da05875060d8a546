"""`ozzy quarantine list`, `show`, `replay` and `discard`."""

import json
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ozzy.cli.progress import short_path
from ozzy.cli.run import code_option, go, set_option, shown_options, state_option
from ozzy.cli.style import count, fitted, one_line, screen_width, styled, table
from ozzy.errors import StateError

if TYPE_CHECKING:
    from ozzy.run.runs import RunRecord

SHOWN = 10

cause_option = click.option(
    "--cause", type=click.IntRange(min=1), metavar="N", help="Only records of this cause, by its number in the list."
)


@click.group(short_help="Look at records that runs kept aside, replay or discard them.")
def quarantine() -> None:
    """The records that runs with `errors: quarantine` have refused, each with its cause.

    They are in the state folder: --state-dir, else OZZY_STATE_DIR, else .ozzy in the working folder.
    """


def _runs_of(config: str, state_dir: Path | None) -> "tuple[list[RunRecord], Path]":
    """The runs of a config, the oldest first, and the state folder that they are in."""
    from ozzy.plan.config import load_config
    from ozzy.run.runs import identity_of
    from ozzy.run.shared import state_of_config

    loaded = load_config(config)
    with state_of_config(loaded, state_dir) as state:
        return state.runs(identity_of(loaded.name, loaded.file)), state.root


def _named(given: str, state_dir: Path | None) -> tuple[str, Path | None]:
    """The run that is meant, and the state folder it is in: of a config, the newest one that has records left, else the last one."""
    from ozzy.run.marks import left_in

    if not Path(given).is_file():
        return given, state_dir
    found, root = _runs_of(given, state_dir)
    if not found:
        raise StateError(f"no run of {given} has begun", hint="--state-dir names another folder.")
    return next((run.id for run in reversed(found) if left_in(run)), found[-1].id), root


@quarantine.command("list", short_help="List what is in quarantine, by run and cause.")
@click.argument("run_id", metavar="[RUN|CONFIG]", required=False)
@click.option("--all", "all_runs", is_flag=True, help="Runs of whose records none is left, too, and what became of those.")
@state_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def list_(run_id: str | None, all_runs: bool, state_dir: Path | None, as_json: bool) -> None:
    """List the causes for which records are in quarantine: of all runs, of RUN (an id, or the beginning of one), or of all of CONFIG."""
    from ozzy.run.quarantined import Quarantined
    from ozzy.run.runs import StateFolder, state_root

    state = StateFolder(state_root(state_dir, None, Path.cwd()))
    one_run = run_id is not None and not Path(run_id).is_file()
    if run_id is None or one_run:
        records = [state.find(run_id)] if run_id is not None else state.runs()
    else:
        records, root = _runs_of(run_id, state_dir)
        state = StateFolder(root)
    whole = map(Quarantined.of, (record for record in records if one_run or record.damage is None))
    found = [one for one in whole if one.causes and (all_runs or one_run or (len(one) and not one.superseded))]
    if as_json:
        click.echo(json.dumps([_facts(one) for one in found], indent=2, ensure_ascii=False))
        return
    if not found:
        click.echo(f"nothing is in quarantine in {short_path(str(state.root))}; --state-dir names another folder")
    for at, one in enumerate(found):
        if at:
            click.echo()
        _print_run(one, every=all_runs)


def _print_run(found: Any, *, every: bool) -> None:
    head = f"{count(len(found), 'record')} in quarantine"
    click.echo(f"{styled(found.run, bold=True)}  {short_path(found.pipeline)}: {head}")
    if found.superseded:
        click.echo("  the run was given up: the one after it read all of it again")
    for mark in found.became:
        of_cause = f" of cause {mark['cause']}" if mark["cause"] is not None else ""
        by = f" by {mark['by']}" if mark["by"] else ""
        click.echo(f"  {count(mark['records'], 'record')}{of_cause} {mark['how']}{by}, {mark['at'][:16].replace('T', ' ')}")
    rows = [
        (
            f"  {cause.number}",
            f"{cause.records:,}",
            f"{cause.stage} of {cause.writer}" if cause.stage == "formatter" else cause.stage,
            f"{cause.module} ({' '.join(filter(None, (cause.package, cause.version)))})" if cause.package else cause.module,
            f"{cause.error}: {cause.message}"
            if cause.error not in {"", "DataError"} and cause.error not in cause.message
            else cause.message,
            cause.place or "",
        )
        for cause in found.causes
        if cause.records or every
    ]
    if rows:
        table(("  cause", "records", "stage", "module", "message of the first", "for example"), rows)


def _facts(found: Any) -> dict[str, Any]:
    import attrs

    causes = [attrs.asdict(cause) for cause in found.causes]
    return {
        "run": found.run,
        "pipeline": found.pipeline,
        "records": len(found),
        "superseded": found.superseded,
        "causes": causes,
        "became": found.became,
    }


@quarantine.command(short_help="Show the records of one run.")
@click.argument("run_id", metavar="RUN|CONFIG")
@cause_option
@click.option("-n", "number", type=click.IntRange(min=1), default=SHOWN, show_default=True, help="How many records to show.")
@click.option("--all", "all_records", is_flag=True, help="Show all of them.")
@state_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def show(run_id: str, cause: int | None, number: int, all_records: bool, state_dir: Path | None, as_json: bool) -> None:  # noqa: PLR0917
    """Show records that RUN (or the newest run of CONFIG with any left) has kept: where each came from, why it was refused, what it was."""
    from ozzy import api

    run_id, state_dir = _named(run_id, state_dir)
    found = api.quarantined(run_id, state_dir=state_dir)
    records = islice(found.records(cause), None if all_records else number)
    if as_json:
        _print_array(records)
        return
    total = sum(one.records for one in found.causes if cause in {None, one.number})
    if not total:
        click.echo(f"nothing{'' if cause is None else f' of cause {cause}'} is left in the quarantine of run {found.run}")
    room = screen_width() - 2 if sys.stdout.isatty() else sys.maxsize
    for record in records:
        lost = "" if record.replayable else " (can't be brought back)"
        click.echo(f"{styled(one_line(record.place), bold=True)}  cause {record.cause}, {record.stage}{lost}")
        click.echo(f"  {fitted(one_line(record.message), room)}")
        click.echo(f"  {fitted(one_line(record.text), room)}")
    if total > number and not all_records:
        click.echo(f"… and {total - number:,} more: --all shows them")


def _print_array(records: Any) -> None:
    import attrs

    click.echo("[", nl=False)
    for at, record in enumerate(records):
        click.echo((",\n" if at else "\n") + json.dumps(attrs.asdict(record), ensure_ascii=False), nl=False)
    click.echo("]")


@quarantine.command(short_help="Give records again to the stage that refused them.")
@click.argument("run_id", metavar="RUN|CONFIG")
@cause_option
@click.option("--config", type=click.Path(path_type=Path), help="The config; else the file that RUN was started with, as it is now.")
@code_option
@set_option
@state_option
@shown_options
@click.pass_context
def replay(  # noqa: PLR0917 - what the user may write
    ctx: click.Context,
    run_id: str,
    cause: int | None,
    config: Path | None,
    allow_code: bool,
    overrides: dict[str, str],
    state_dir: Path | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Give the records that RUN (or the newest run of CONFIG with any left) has kept to the stage that refused them, once it was mended.

    That is a run of its own: where it is killed, `ozzy resume` goes on with it, and no record comes twice. Its files go beside those of
    RUN, under the next free names. What is refused again is in its own quarantine.
    """
    from ozzy import api

    config = config or (Path(run_id) if Path(run_id).is_file() else None)
    named, folder = _named(run_id, state_dir)
    go(
        ctx,
        lambda shown: api.replay(named, cause=cause, config=config, allow_code=allow_code, set=overrides, state_dir=folder, **shown),
        quiet=quiet,
        as_json=as_json,
    )


@quarantine.command(short_help="Say that records are not wanted any more.")
@click.argument("run_id", metavar="RUN|CONFIG")
@cause_option
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@state_option
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def discard(run_id: str, cause: int | None, yes: bool, state_dir: Path | None, as_json: bool) -> None:
    """Mark what RUN (or the newest run of CONFIG with any left) has kept as discarded: it can't be replayed any more.

    How many records that were stays in the history of the run.
    """
    from ozzy import api

    run_id, state_dir = _named(run_id, state_dir)
    found = api.quarantined(run_id, state_dir=state_dir)
    left = sum(one.records for one in found.causes if cause in {None, one.number})
    if left and not yes:
        if not sys.stdin.isatty():
            raise click.UsageError(f"{count(left, 'record')} would be lost for good; --yes says that this is meant")
        click.confirm(f"Discard {count(left, 'record')} for good?", abort=True, err=True)
    gone = api.discard(run_id, cause=cause, state_dir=state_dir)
    if as_json:
        click.echo(json.dumps({"run": found.run, "discarded": gone}))
    else:
        click.echo(f"{count(gone, 'record')} of run {found.run} discarded" if gone else "there was nothing to discard")
