"""`ozzy explain`, `ozzy validate` and `ozzy preview`: what can be known of a config without running it."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from ozzy.cli.run import code_option, set_option, state_option
from ozzy.cli.style import count, fitted, one_line, padded, screen_width, size, styled, table, width_of

NARROWEST_COLUMN = 22
KEPT_BACK = "(kept back)"


@click.command(short_help="Say what a run would be: modules, faces, guarantee, places.")
@click.argument("config", type=click.Path(path_type=Path))
@code_option
@set_option
@state_option
@click.option("--source", is_flag=True, help="List the source too, and say what would be copied as it is, and why the rest would not.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def explain(  # noqa: PLR0917  (an option each)
    config: Path, allow_code: bool, overrides: dict[str, str], state_dir: Path | None, source: bool, as_json: bool
) -> None:
    """Say what a run of CONFIG would be. Nothing is read, nothing is connected, unless with --source.

    Told are the modules and where each comes from, the face of the records that each stage gets (lines as they were read are the
    fastest), the delivery guarantee of this very pipeline with its weakest part, and where state and files go.
    """
    from ozzy import api

    found = api.explain(config, set=overrides, state_dir=state_dir, allow_code=allow_code, source=source)
    if as_json:
        _print_json(found.to_dict())
        return
    click.echo(styled(found.pipeline or "a config without a name", bold=True))
    rows = [(one.stage, one.name, f"{one.package} {one.version}".strip(), one.face) for one in found.modules]
    table(("stage", "module", "from", "face"), rows)
    click.echo()
    facts = [("delivery", found.guarantee.level)]
    facts += [("", f"because of {weakness.part}: {weakness.reason}") for weakness in found.guarantee.weaknesses]
    facts += [("remembers", f"{stage}: its state is saved in every checkpoint") for stage in found.guarantee.remembers]
    if found.bookmark is not None:
        facts.append(("reads", found.bookmark))
    if found.bad_records != "fail":
        facts.append(("bad records", found.bad_records))
    facts += [("slower", text) for text in found.slower]
    facts += _bypass_facts(found)
    facts += [("checkpoints", found.light_checkpoints), ("state", found.shared_state or str(found.state))]
    facts.append(("workers", found.workers))
    if found.groups is not None:
        facts.append(("groups", found.groups))
    for label, place in found.destinations.items():
        facts += [("files", f"{label}: {place}"), ("", f"staged in {found.staging[label]}")]
    for name, fact in facts:
        click.echo(styled(f"{name:<13}", bold=True) + fact)
    _print_notices(found.notices)


def _bypass_facts(found: Any) -> list[tuple[str, str]]:
    """What may go past the stages, and why the rest may not."""
    if found.past_the_stages is not None:
        told = [f"none: {found.past_the_stages}"]
    else:
        told = [f"{name}: {'tried for each part of the source' if why is None else f'none: {why}'}" for name, why in found.bypasses.items()]
    facts = [("bypass" if number == 0 else "", text) for number, text in enumerate(told)]
    return facts if found.parts is None else facts + _part_facts(found.parts)


def _part_facts(parts: Any) -> list[tuple[str, str]]:
    """What would become of the parts of the source."""
    told = [f"{count(parts.count, 'part')} of the source"]
    told += [f"{name} copies {count(counts['parts'], 'part')}, {size(counts['bytes'])}" for name, counts in parts.copied.items()]
    for reason, counts in parts.declined.items():
        told.append(f"{counts['parts']:,} through the pipeline: {reason}, for example {', '.join(counts['examples'])}")
    return [("parts" if number == 0 else "", text) for number, text in enumerate(told)]


@click.command(short_help="Check a config, and say where each value came from.")
@click.argument("config", type=click.Path(path_type=Path))
@code_option
@set_option
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def validate(config: Path, allow_code: bool, overrides: dict[str, str], as_json: bool) -> None:
    """Check CONFIG: every problem is told at once. For a config that is right, say where each value came from."""
    from ozzy import api
    from ozzy.options.secrets import masked

    found = api.validate(config, set=overrides, allow_code=allow_code)
    modules: list[dict[str, Any]] = []
    for one in found.modules:
        shown: Any = masked(one.found.cls, one.options)
        options = {name: {"value": value, "from": str(one.origins.get(name, "default"))} for name, value in shown.items()}
        modules.append({"section": one.section.path, "module": one.found.name, "package": one.found.package, "options": options})
    if as_json:
        _print_json({"valid": True, "modules": modules, "notices": found.notices})
        return
    for module in modules:
        click.echo(f"{styled(module['section'], bold=True)}: {module['module']} ({module['package']})")
        for name, told in module["options"].items():
            click.echo(_value_line(name, told["value"], told["from"]))
    _print_notices(found.notices)
    click.echo(f"{config} is valid")


def _value_line(name: str, value: Any, origin: str) -> str:
    """One option; on a terminal it is cut to one line, origin included."""
    text = f"  {name} = {_as_json(value)}"
    room = screen_width() - len(origin) - 2 if sys.stdout.isatty() else sys.maxsize
    return f"{fitted(text, room)}  {styled(origin, dim=True)}"


@click.command(short_help="Show records as they leave each stage, side by side.")
@click.argument("config", type=click.Path(path_type=Path))
@click.option("-n", "number", type=click.IntRange(1, 1000), default=5, show_default=True, help="How many records to read.")
@code_option
@set_option
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def preview(config: Path, number: int, allow_code: bool, overrides: dict[str, str], as_json: bool) -> None:
    """Show the first records of CONFIG as they leave each stage. Nothing is written; the source is read."""
    from ozzy import api

    stages = api.preview(config, number, set=overrides, allow_code=allow_code)
    if as_json:
        _print_json([{"stage": s.name, "module": s.module, "records": s.records} for s in stages])
        return
    heads = [f"{stage.name} ({stage.module})" for stage in stages]
    columns = max(1, min(len(stages), (screen_width() + 3) // (NARROWEST_COLUMN + 3)))
    width = (screen_width() - 3 * (columns - 1)) // columns
    for at in range(max(len(stage.records) for stage in stages)):
        click.echo(styled(f"record {at + 1}", bold=True))
        shown = [_fields(stage.records[at]) if at < len(stage.records) else [] for stage in stages]
        for first in range(0, len(stages), columns):
            side_by_side(heads[first : first + columns], shown[first : first + columns], width)
        click.echo()
    if not stages[0].records:
        click.echo("the source has no records")


def side_by_side(heads: list[str], columns: list[list[str]], width: int) -> None:
    """Print columns of lines beside each other, each cut to `width`."""
    click.echo("   ".join(styled(padded(fitted(head, width), width), dim=True) for head in heads).rstrip())
    for row in range(max(map(len, columns))):
        cells = [fitted(column[row], width) if row < len(column) else "" for column in columns]
        click.echo("   ".join(padded(cell, width) for cell in cells).rstrip())


def _fields(record: Any) -> list[str]:
    if record is None:
        return [KEPT_BACK]
    width = max(map(width_of, record), default=0)
    return [f"{padded(one_line(name), width)}  {one_line(_as_json(value))}" for name, value in record.items()] or ["{}"]


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def _print_notices(notices: list[str]) -> None:
    for notice in notices:
        click.echo(f"{styled('note', fg='yellow')}: {notice}")
