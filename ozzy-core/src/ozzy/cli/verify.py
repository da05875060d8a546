"""`ozzy verify`: a destination against its manifest."""

import json
from pathlib import Path

import click

from ozzy.cli.style import count, size, styled
from ozzy.errors import DestinationError


@click.command(short_help="Compare a destination with its manifest, offline.")
@click.argument("manifest", type=click.Path(path_type=Path))
@click.option("--rows", is_flag=True, help="Count the rows of JSON and CSV files too.")
@click.option("--strict", is_flag=True, help="Files below the folder of the destination that it does not name are differences too.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one JSON object.")
def verify(manifest: Path, rows: bool, strict: bool, as_json: bool) -> int:
    """Check that every file that MANIFEST names is there, with the size and the checksum it had when it was published.

    Nothing but the files is needed: neither the config nor the state of the run. Exit code 6 where anything differs, with a list of it.
    """
    from ozzy import api

    found = api.verify(manifest, rows=rows, strict=strict)
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=2, ensure_ascii=False))
        return 0 if found.ok else DestinationError.exit_code
    for difference in found.differences:
        click.echo(str(difference))
    what = (
        f"{count(found.files, 'file')}, {count(found.rows, 'row') if found.rows is not None else 'rows not counted'}, {size(found.bytes)}"
    )
    if rows:
        what += f" (rows counted in {count(found.rows_counted, 'file')})"
    if found.ok:
        click.echo(f"{styled('verified', fg='green', bold=True)}: {what}, of run {found.run}")
    else:
        click.echo(
            f"{styled('differs', fg='red', bold=True)}: {count(len(found.differences), 'difference')}; run {found.run} published {what}"
        )
    if not found.complete:
        click.echo(f"{styled('note', fg='yellow')}: the run had not finished when it wrote this manifest")
    return 0 if found.ok else DestinationError.exit_code
