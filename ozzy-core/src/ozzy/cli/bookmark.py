"""`ozzy bookmark show` and `reset`."""

import json
import sys
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import click

from ozzy.cli.progress import short_path
from ozzy.cli.run import set_option, state_option
from ozzy.cli.style import fitted, one_line, screen_width, styled

SHOWN = 20


@click.group(short_help="Show or reset what an incremental run starts from.")
def bookmark() -> None:
    """The bookmark of a pipeline with `bookmark: true`: what its last successful run found, so that the next one reads only what is new."""


@bookmark.command(short_help="Show what the next run starts from.")
@click.argument("config", type=click.Path(path_type=Path))
@set_option
@state_option
@click.option("--all", "all_marks", is_flag=True, help=f"Show every mark, not only the first {SHOWN}.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON, with every mark.")
def show(config: Path, overrides: dict[str, str], state_dir: Path | None, all_marks: bool, as_json: bool) -> None:
    """Show the bookmark of CONFIG: after which run it stands, and the reader's mark of each part of the source, a file or the like."""
    from ozzy import api

    with closing(api.bookmark(config, set=overrides, state_dir=state_dir)) as store:
        _show(store, all_marks=all_marks, as_json=as_json)


def _show(store: Any, *, all_marks: bool, as_json: bool) -> None:
    found = store.current()
    if as_json:
        _print_json(found, store.marks(found) if found is not None else iter(()))
        return
    if found is None:
        click.echo("no run has left a bookmark yet: the next one reads everything")
        return
    click.echo(f"The next run reads {found}.")
    click.echo(f"  marks of the reader {found.reader}: {found.marks:,}, in {short_path(store.place(found))}")
    room = screen_width() - 2 if sys.stdout.isatty() else sys.maxsize
    for mark in islice(store.marks(found), None if all_marks else SHOWN):
        click.echo(f"  {fitted(one_line(json.dumps(mark, ensure_ascii=False)), room)}")
    if found.marks > SHOWN and not all_marks:
        click.echo(f"  … and {found.marks - SHOWN:,} more: --all shows them")


def _print_json(found: Any, marks: Any) -> None:
    """One object, written mark by mark."""
    facts = {"run": None, "started": None, "reader": None, "file": None}
    if found is not None:
        facts = {name: getattr(found, name) for name in facts}
    click.echo(json.dumps(facts, ensure_ascii=False)[:-1] + ', "marks": [', nl=False)
    for number, mark in enumerate(marks):
        click.echo((",\n" if number else "\n") + json.dumps(mark, ensure_ascii=False), nl=False)
    click.echo("]}")


@bookmark.command(short_help="Forget it: the next run reads everything.")
@click.argument("config", type=click.Path(path_type=Path))
@set_option
@state_option
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def reset(config: Path, overrides: dict[str, str], state_dir: Path | None, yes: bool, as_json: bool) -> None:
    """Forget the bookmark of CONFIG. The next run reads everything again, and exports again what was exported before."""
    from ozzy import api

    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("the next run would export everything again; --yes says that this is meant")
        click.confirm("The next run will export everything again. Forget the bookmark?", abort=True, err=True)
    with closing(api.bookmark(config, set=overrides, state_dir=state_dir)) as store:
        gone = store.reset()
    if as_json:
        click.echo(json.dumps({"reset": gone}))
    else:
        click.echo(styled("forgotten: the next run reads everything" if gone else "there was no bookmark to forget"))
