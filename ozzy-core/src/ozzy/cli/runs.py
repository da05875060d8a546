"""`ozzy runs list`, `show` and `clean`."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from ozzy.cli.inspect import table
from ozzy.cli.run import state_option
from ozzy.cli.style import count, duration, size, styled


@click.group(short_help="List, show and clean up runs.")
def runs() -> None:
    """The runs whose state is in the state folder."""


def _state(state_dir: Path | None) -> Any:
    from ozzy.run.runs import StateFolder, state_root

    return StateFolder(state_root(state_dir, None, Path.cwd()))


@runs.command("list", short_help="List the runs.")
@state_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def list_(state_dir: Path | None, as_json: bool) -> None:
    """List the runs, the oldest first. One that is interrupted or failed can be gone on with: `ozzy resume RUN`."""
    state = _state(state_dir)
    found = state.runs()
    if as_json:
        click.echo(json.dumps([_facts(run) for run in found], indent=2))
        return
    if not found:
        click.echo(f"no runs in {state.root}")
        return
    rows = [
        (run.id, run.state, run.facts["started"][:19].replace("T", " "), duration(run.facts.get("seconds") or 0), run.facts["pipeline"])
        for run in found
    ]
    table(("run", "state", "started", "took", "pipeline"), rows)


@runs.command(short_help="Show one run.")
@click.argument("run_id", metavar="RUN")
@state_option
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def show(run_id: str, state_dir: Path | None, as_json: bool) -> None:
    """Show what became of RUN: its counts, files and checkpoints."""
    run = _state(state_dir).find(run_id)
    facts = _facts(run)
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    click.echo(f"{styled(run.id, bold=True)}  {run.state}")
    for name in ("pipeline", "config_file", "working_folder", "started", "ended"):
        if facts.get(name):
            click.echo(f"  {name.replace('_', ' ')}: {facts[name]}")
    if facts.get("error"):
        click.echo(f"  {styled('error', fg='red')}: {facts['error']}")
    if facts.get("checkpoints"):
        taken = facts["checkpoints"]
        cost = facts["checkpoint_seconds"]
        share = cost / facts["seconds"] if facts["seconds"] else 0
        click.echo(f"  checkpoints: {taken['light']} light, {taken['full']} full, {duration(cost)} ({share:.1%} of the run)")
    for stage, counts in (facts.get("counts") or {}).items():
        reasons = "".join(f", {number:,} {reason}" for reason, number in counts["reasons"].items())
        click.echo(f"  {stage}: {counts['records_in']:,} in, {counts['records_out']:,} out{reasons}")
    for file in facts.get("files") or []:
        click.echo(f"  {file['path'] or file['name']}: {count(file['rows'], 'row')}, {size(file['size'])}, sha256 {file['checksum']}")
    if run.unfinished and run.state != "running":
        click.echo(f"Go on with it: ozzy resume {run.id}")


@runs.command(short_help="Delete the state of old runs.")
@click.option(
    "--older-than", type=click.IntRange(min=0), default=30, show_default=True, metavar="DAYS", help="Only runs that ended so long ago."
)
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
@state_option
def clean(older_than: int, dry_run: bool, state_dir: Path | None) -> None:
    """Delete the state of finished and abandoned runs. What they have written stays; an unfinished run is never touched."""
    before = datetime.now().astimezone() - timedelta(days=older_than)
    old = [run for run in _state(state_dir).runs() if not run.unfinished and _ended(run) <= before]
    for run in old:
        click.echo(f"{'would delete' if dry_run else 'deleted'} {run.id} ({run.state})")
        if not dry_run:
            run.delete()
    if not old:
        click.echo("nothing to delete")


def _ended(run: Any) -> datetime:
    return datetime.fromisoformat(run.facts.get("ended") or run.facts["started"])


def _facts(run: Any) -> dict[str, Any]:
    return {**run.facts, "state": run.state, "folder": str(run.folder)}
