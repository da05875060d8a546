"""`ozzy explain`, `ozzy validate` and `ozzy preview`: what can be known of a config without running it."""

import json
import shutil
from pathlib import Path
from typing import Any

import click

from ozzy.cli.run import set_option, state_option
from ozzy.cli.style import styled


@click.command(short_help="Say what a run would be: modules, faces, guarantee, places.")
@click.argument("config", type=click.Path(path_type=Path))
@set_option
@state_option
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def explain(config: Path, overrides: dict[str, str], state_dir: Path | None, as_json: bool) -> None:
    """Say what a run of CONFIG would be. Nothing is read, nothing is connected.

    Told are the modules and where each comes from, the face of the records that each stage gets (lines as they were read are the
    fastest), the delivery guarantee of this very pipeline with its weakest part, and where state and files go.
    """
    from ozzy import api

    found = api.explain(config, set=overrides, state_dir=state_dir)
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=2))
        return
    click.echo(styled(found.pipeline or "a config without a name", bold=True))
    rows = [(one.stage, one.name, f"{one.package} {one.version}".strip(), one.face) for one in found.modules]
    table(("stage", "module", "from", "face"), rows)
    click.echo()
    click.echo(f"{styled('delivery', bold=True)}     {found.guarantee.level}")
    for weakness in found.guarantee.weaknesses:
        click.echo(f"             because of {weakness.part}: {weakness.reason}")
    click.echo(f"{styled('checkpoints', bold=True)}  {found.light_checkpoints}")
    click.echo(f"{styled('state', bold=True)}        {found.state}")
    for label, place in found.destinations.items():
        click.echo(f"{styled('files', bold=True)}        {label}: {place}")
        click.echo(f"             staged in {found.staging[label]}")
    for notice in found.notices:
        click.echo(f"{styled('note', fg='yellow')}: {notice}")


@click.command(short_help="Check a config, and say where each value came from.")
@click.argument("config", type=click.Path(path_type=Path))
@set_option
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def validate(config: Path, overrides: dict[str, str], as_json: bool) -> None:
    """Check CONFIG: every problem is told at once. For a config that is right, say where each value came from."""
    from ozzy import api
    from ozzy.options.secrets import masked

    found = api.validate(config, set=overrides)
    modules = [
        {
            "section": one.section.path,
            "module": one.found.name,
            "package": one.found.package,
            "options": {
                name: {"value": value, "from": str(one.origins.get(name, "default"))}
                for name, value in masked(one.found.cls, one.options).items()
            },
        }
        for one in found.modules
    ]
    if as_json:
        click.echo(json.dumps({"valid": True, "modules": modules, "notices": found.notices}, indent=2, default=str))
        return
    for module in modules:
        click.echo(f"{styled(module['section'], bold=True)}: {module['module']} ({module['package']})")
        for name, told in module["options"].items():
            click.echo(f"  {name} = {_short(told['value'])}  {styled(told['from'], dim=True)}")
    for notice in found.notices:
        click.echo(f"{styled('note', fg='yellow')}: {notice}")
    click.echo(f"{config} is valid")


@click.command(short_help="Show records as they leave each stage, side by side.")
@click.argument("config", type=click.Path(path_type=Path))
@click.option("-n", "number", type=click.IntRange(1, 1000), default=5, show_default=True, help="How many records to read.")
@set_option
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def preview(config: Path, number: int, overrides: dict[str, str], as_json: bool) -> None:
    """Show the first records of CONFIG as they leave each stage. Nothing is written; the source is read."""
    from ozzy import api

    stages = api.preview(config, number, set=overrides)
    if as_json:
        click.echo(json.dumps([{"stage": s.name, "module": s.module, "records": s.records} for s in stages], indent=2, default=str))
        return
    width = max(20, (shutil.get_terminal_size((100, 24)).columns - 3 * (len(stages) - 1)) // len(stages))
    for at in range(max((len(stage.records) for stage in stages), default=0)):
        click.echo(styled(f"record {at + 1}", bold=True))
        columns = [_wrapped(stage.records[at] if at < len(stage.records) else None, width) for stage in stages]
        heads = [f"{stage.name} ({stage.module})"[:width] for stage in stages]
        for cells in [heads, *_side_by_side(columns)]:
            click.echo("   ".join(f"{cell:<{width}}" for cell in cells).rstrip())
        click.echo()
    if not stages[0].records:
        click.echo("the source has no records")


def _side_by_side(columns: list[list[str]]) -> list[list[str]]:
    height = max(map(len, columns))
    return [[column[row] if row < len(column) else "" for column in columns] for row in range(height)]


def _wrapped(record: Any, width: int) -> list[str]:
    if record is None:
        return ["–"]
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False, default=str)}" for name, value in record.items()]
    return [line if len(line) <= width else f"{line[: width - 1]}…" for line in lines]


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 100 else f"{text[:99]}…"


def table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Print rows in columns that are as wide as they need to be."""
    widths = [max(len(cell) for cell in column) for column in zip(heads, *rows, strict=True)]
    click.echo(styled("  ".join(f"{head:<{width}}" for head, width in zip(heads, widths, strict=True)).rstrip(), dim=True))
    for row in rows:
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
