"""`ozzy runs list`, `show` and `clean`."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from ozzy.cli.progress import short_path
from ozzy.cli.run import config_option, state_option
from ozzy.cli.style import count, duration, size, styled, table


@click.group(short_help="List, show and clean up runs.")
def runs() -> None:
    """The runs whose state is in the state folder.

    That is --state-dir, else OZZY_STATE_DIR, else .ozzy in the working folder. State that was put beside a config in another folder
    is in .ozzy there. With --config it is where that config keeps it, such as in a store that several machines share.
    """


def _state(state_dir: Path | None, config: Path | None) -> Any:
    from ozzy.plan.config import load_config
    from ozzy.run.shared import state_of_config

    return state_of_config(load_config(config) if config is not None else None, state_dir)


@runs.command("list", short_help="List the runs.")
@state_option
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def list_(state_dir: Path | None, config: Path | None, as_json: bool) -> None:
    """List the runs, the oldest first. One that is interrupted or failed can be gone on with: `ozzy resume RUN`."""
    with _state(state_dir, config) as state:
        _list(state, as_json=as_json)


def _list(state: Any, *, as_json: bool) -> None:
    found = state.runs()
    if as_json:
        click.echo(json.dumps([_facts(run) for run in found], indent=2, ensure_ascii=False))
        return
    if not found:
        click.echo(f"no runs in {short_path(state.place)}; --state-dir names another folder")
        return
    rows = [
        (
            run.id,
            run.state,
            f"{run.facts['started'][:16].replace('T', ' ')}",
            duration(run.facts["seconds"]) if run.facts.get("seconds") is not None else "",
            short_path(run.facts["pipeline"]) + (f" (replay of {run.facts['replay']['of']})" if run.facts.get("replay") else ""),
        )
        for run in found
    ]
    table(("run", "state", "started", "took", "pipeline"), rows)


@runs.command(short_help="Show one run.")
@click.argument("run", metavar="RUN|CONFIG")
@state_option
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def show(run: str, state_dir: Path | None, config: Path | None, as_json: bool) -> None:
    """Show what became of RUN (its id, or the beginning of it), or of the last run of CONFIG: counts, files, checkpoints and their cost.

    Of a run that has not finished, its last checkpoint is shown: where it stands, and the counts up to there.
    """
    from ozzy.cli.state import record_of

    with record_of(run, state_dir, config) as record:
        _show(record, as_json=as_json)


def _show(run: Any, *, as_json: bool) -> None:
    facts = _facts(run)
    if run.unfinished and run.damage is None and (run.shared or run.facts["signature"].get("persistence.name", "file") == "file"):
        facts |= _last_checkpoint(run)
    if as_json:
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    click.echo(f"{styled(run.id, bold=True)}  {run.state}")
    if facts.get("replay"):
        click.echo(f"  replay of: {facts['replay']['of']}")
    for name in ("pipeline", "config_file", "working_folder", "started", "ended"):
        if facts.get(name):
            click.echo(f"  {name.replace('_', ' ')}: {facts[name]}")
    if facts.get("error"):
        click.echo(f"  {styled('error', fg='red')}: {facts['error']}")
    if facts.get("checkpoints"):
        click.echo(f"  checkpoints: {cost_of(facts['checkpoints'], facts['seconds'])}")
    for line in _standing(facts):
        click.echo(line)
    for stage, counts in (facts.get("counts") or {}).items():
        reasons = "".join(f", {number:,} {reason}" for reason, number in counts["reasons"].items())
        click.echo(f"  {stage}: {counts['records_in']:,} in, {counts['records_out']:,} out{reasons}")
    if facts["quarantine_left"]:
        click.echo(f"  {count(facts['quarantine_left'], 'record')} in quarantine: ozzy quarantine list {run.id}")
    for file in facts.get("files") or []:
        rows = "rows not counted" if file["rows"] is None else count(file["rows"], "row")
        copied = f", copied by {file['bypass']}" if file.get("bypass") else ""
        digest = f"sha256 {file['checksum']}" if file["checksum"] else "no checksum"
        click.echo(f"  {file['path'] or file['name']}: {rows}, {size(file['size'])}, {digest}{copied}")
    if run.unfinished and run.state not in {"running", "damaged"}:
        click.echo(f"Go on with it: ozzy resume {run.id}")


def cost_of(checkpoints: dict[str, Any], seconds: float | None) -> str:
    """How many checkpoints of each kind there were, their seconds, and their share of the run's."""
    told = [f"{kind['taken']:,} {name} in {duration(kind['seconds'])}" for name, kind in checkpoints.items()]
    share = sum(kind["seconds"] for kind in checkpoints.values()) / seconds if seconds else 0
    return f"{', '.join(told)} ({share:.1%} of the run)"


def _last_checkpoint(run: Any) -> dict[str, Any]:
    """What the checkpoint of a run says, as `ozzy state show` tells it; its cost too, where the run ended without a word."""
    from ozzy.errors import StateError
    from ozzy.run.state import shown

    try:
        told = shown(run)["checkpoint"]
    except StateError as error:
        return {"checkpoint": None, "checkpoint_error": error.message}
    if told is None or run.facts["state"] != "running":
        return {"checkpoint": told}
    return {"checkpoint": told, "checkpoints": told["cost"], "seconds": told["seconds"]}


def _standing(facts: dict[str, Any]) -> list[str]:
    from ozzy.cli.state import checkpoint_lines
    from ozzy.log import redact

    if facts.get("checkpoint_error"):
        return [f"  checkpoint: {facts['checkpoint_error']}"]
    if "checkpoint" not in facts:
        return []
    if facts["checkpoint"] is None:
        return ["  no checkpoint yet: a resume starts at the beginning"]
    return [redact(line) for line in checkpoint_lines(facts["checkpoint"])]


@runs.command(short_help="Delete the state of old runs.")
@click.option("--older-than", type=click.IntRange(min=0), default=0, metavar="DAYS", help="Only runs that ended so many days ago.")
@click.option(
    "--force",
    multiple=True,
    metavar="RUN",
    help="Delete this run too, though it is unfinished (what it staged goes with it) or has records in quarantine.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
@state_option
@config_option
def clean(older_than: int, force: tuple[str, ...], dry_run: bool, state_dir: Path | None, config: Path | None) -> None:
    """Delete the state of finished and abandoned runs. What they have written stays.

    An unfinished run can still be gone on with, and records in quarantine can be replayed, so such runs are left alone, unless --force
    names them.
    """
    from ozzy.run.marks import left_in

    with _state(state_dir, config) as state:
        before = datetime.now().astimezone() - timedelta(days=older_than)
        forced = [state.find(run_id) for run_id in force]
        old = [run for run in state.runs() if not run.unfinished and _ended(run) <= before]
        kept = {run.id: left for run in old if run.id not in {one.id for one in forced} and (left := left_in(run))}
        gone = {run.id: run for run in (*forced, *old) if run.id not in kept}
        for run in gone.values():
            if not dry_run:
                if run.unfinished:
                    _abandon(run.id, state_dir, config if run.shared else None)
                run.delete()
            click.echo(f"{'would delete' if dry_run else 'deleted'} {run.id} ({run.state})")
        for run_id, left in kept.items():
            click.echo(f"kept {run_id}: {count(left, 'record')} in quarantine (ozzy quarantine list {run_id})")
    if not gone:
        click.echo("nothing to delete")


def _abandon(run_id: str, state_dir: Path | None, config: Path | None) -> None:
    from ozzy import api
    from ozzy.errors import ConfigError

    try:
        api.abandon(run_id, config=config, state_dir=state_dir)
    except ConfigError as error:
        error.hint = "Give it up with its config: ozzy run CONFIG --fresh."
        raise


def _ended(run: Any) -> datetime:
    return datetime.fromisoformat(run.facts.get("ended") or run.facts["started"])


def _facts(run: Any) -> dict[str, Any]:
    from ozzy.run.marks import left_in

    return {**run.facts, "state": run.state, "folder": run.place, "quarantine_left": left_in(run)}
