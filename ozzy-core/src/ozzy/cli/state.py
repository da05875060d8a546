"""`ozzy state show`, `check` and `rewind`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from ozzy.cli.progress import short_path
from ozzy.cli.run import config_option, state_option
from ozzy.cli.style import count, size, styled
from ozzy.errors import StateError

MOST_SPLITS = 20


@click.group(short_help="Show, check and rewind the state of runs.")
def state() -> None:
    """The state of runs: where each stands, whether all that it rests on is there, and the way back."""


@contextmanager
def record_of(given: str, state_dir: Path | None, config: Path | None) -> Iterator[Any]:
    """The run of an id or a URI, or the last one of a config."""
    from ozzy.plan.config import load_config
    from ozzy.run.runs import identity_of
    from ozzy.run.shared import found_run, state_of_config

    if not Path(given).is_file():
        with found_run(given, load_config(config) if config is not None else None, state_dir) as (record, _):
            yield record
        return
    loaded = load_config(given)
    with state_of_config(loaded, state_dir) as kept:
        found = kept.runs(identity_of(loaded.name, loaded.file))
        if not found:
            raise StateError(f"no run of {given} has begun", hint="--state-dir names another folder.")
        yield found[-1]


@state.command(short_help="Show where a run stands.")
@click.argument("run", metavar="RUN|CONFIG")
@state_option
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def show(run: str, state_dir: Path | None, config: Path | None, as_json: bool) -> None:
    """Show the checkpoint of RUN (its id, the beginning of it, or its URI), or of the last run of CONFIG."""
    from ozzy.log import redact
    from ozzy.run.state import shown

    with record_of(run, state_dir, config) as record:
        told = shown(record)
    if as_json:
        click.echo(redact(json.dumps(told, indent=2, ensure_ascii=False)))
        return
    lease, checkpoint = told["lease"], told["checkpoint"]
    lines = [f"{styled(told['run'], bold=True)}  {told['state']}", f"  pipeline: {told['pipeline']}"]
    held = f"held by run {lease.get('run')}, process {lease.get('pid')} on {lease.get('host')}" if lease["held"] else "free"
    lines.append(f"  lease: {held}, epoch {lease.get('epoch', 0)}")
    if checkpoint is None:
        lines.append("  no checkpoint yet: a resume starts at the beginning")
    else:
        lines += checkpoint_lines(checkpoint)
    click.echo(redact("\n".join(lines)))


def checkpoint_lines(told: dict[str, Any]) -> list[str]:
    """What a checkpoint says, for people."""
    full = "" if told["kind"] == "full" else f"; the last full one: {told['last_full'] or 'none'}"
    lines = [f"  checkpoint: {told['kind']}, number {told['number']}, {told['phase']}, of {told['at']}{full}"]
    lines.append(f"  the one before: {told['previous_generation'] or 'none'}")
    for split in told["splits"][:MOST_SPLITS]:
        at = f" at {json.dumps(split['position'], ensure_ascii=False)}, and {split['rows']} rows" if split["state"] == "under way" else ""
        lines.append(f"  {split['id']}: {split['state']}{at}")
    if len(told["splits"]) > MOST_SPLITS:
        lines.append(f"  and {count(len(told['splits']) - MOST_SPLITS, 'part')} more of the source")
    for stage, counts in told["books"].items():
        reasons = "".join(f", {number:,} {reason}" for reason, number in counts["reasons"].items() if number)
        lines.append(f"  {stage}: {counts['in']:,} in, {counts['out']:,} out{reasons}")
    for label, receipt in told["writers"].items():
        if "folder" in receipt:
            files = f"{receipt['published']} published, {receipt['finished']} finished, {receipt['open']} open"
            lines.append(f"  {label}: files {files}; {size(receipt['staged_bytes'])} staged in {short_path(receipt['folder'])}")
    return lines


@state.command(short_help="Check that all state is whole, and what it rests on is there.")
@state_option
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def check(state_dir: Path | None, config: Path | None, as_json: bool) -> int:
    """Check every file of the state folder and the staged data of unfinished runs; name staging folders that nobody needs.

    With --config, where that config keeps its state; of a store that machines share, every document is read. Nothing is changed.
    Exit code 7 where something is wrong.
    """
    from ozzy.plan.config import load_config
    from ozzy.run.shared import state_of_config
    from ozzy.run.state import checked

    with state_of_config(load_config(config) if config is not None else None, state_dir) as folder:
        flaws = checked(folder)
        known = 0 if flaws else len(folder.runs())
    if as_json:
        click.echo(json.dumps([{"path": flaw.path, "what": flaw.what} for flaw in flaws], indent=2, ensure_ascii=False))
    else:
        for flaw in flaws:
            click.echo(str(flaw))
        runs = count(known, "run") if not flaws else count(len(flaws), "thing") + " wrong"
        click.echo(f"{'all is well' if not flaws else 'not well'}: {runs}")
    return StateError.exit_code if flaws else 0


@state.command(short_help="Put a run back to an earlier checkpoint.")
@click.argument("run", metavar="RUN|CONFIG")
@click.option("--to", "target", type=click.Choice(["previous", "last-full", "start"]), required=True, help="Where to.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@state_option
@config_option
def rewind(run: str, target: Any, yes: bool, state_dir: Path | None, config: Path | None) -> None:
    """Put an unfinished RUN, or the last run of CONFIG, back: its next resume reads again what came after.

    \b
      previous   the generation of the checkpoint before, for one that is damaged
      last-full  the last full checkpoint: all that is published stays
      start      the beginning, where nothing was published yet

    It is refused, with the reason, where something would come twice.
    """  # noqa: D301 - click takes the character for a mark
    from ozzy.run.state import rewind as put_back

    with record_of(run, state_dir, config) as record:
        if not yes:
            click.confirm(f"Put run {record.id} back to {target}?", abort=True, err=True)
        click.echo(put_back(record, target))
        click.echo(f"Go on with it: ozzy resume {record.uri or record.id}")
