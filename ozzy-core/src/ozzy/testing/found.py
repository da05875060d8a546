"""What is at a destination of local files: which files there are, and the ids of the records in them."""

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ozzy.data.codecs import open_decompressed

SUFFIXES = (".gz", ".bz2", ".xz", ".zst")


def visible(folder: Path, *, without: Iterable[str] = ("state",)) -> dict[str, bytes]:
    """Every file below a folder that a user would see, by its path; names that begin with a dot and folders in `without` are left out."""
    skipped = set(without)
    found = {}
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if parts[0] not in skipped and not any(part.startswith(".") for part in parts) and path.is_file():
            found["/".join(parts)] = path.read_bytes()
    return found


def records_in(name: str, content: bytes) -> Iterator[Any]:
    """The records of a file of JSON lines, a JSON array, CSV or TSV, compressed or not; other files hold none."""
    if name.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.namelist():
                yield from records_in(member, archive.read(member))
        return
    stream = open_decompressed(io.BytesIO(content), "auto", name=name)
    text = b"".join(iter(stream.read, b"")).decode()
    bare = name
    for suffix in SUFFIXES:
        bare = bare.removesuffix(suffix)
    kind = bare.rpartition(".")[2]
    if kind in {"jl", "jsonl", "ndjson"}:
        yield from (json.loads(line) for line in text.split("\n") if line)
    elif kind == "json":
        yield from json.loads(text)
    elif kind in {"csv", "tsv"}:
        csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
        yield from csv.DictReader(io.StringIO(text, newline=""), delimiter="," if kind == "csv" else "\t")


def ids_in(folder: Path, field: str = "id") -> Iterator[str]:
    """The ids, as texts, of all records in the visible files of a folder; a record without the field counts as its own JSON."""
    for name, content in visible(folder).items():
        for record in records_in(name, content):
            if isinstance(record, dict) and record.get(field) not in (None, ""):
                yield str(record[field])
            else:
                yield json.dumps(record, sort_keys=True, ensure_ascii=False)
