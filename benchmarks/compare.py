"""Compares what a peer has made with what ozzy has made of the same records, and says in words what differs."""

import csv
import gzip
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

_decode = msgspec.json.Decoder(dict[str, Any]).decode
Record = dict[str, Any]


def differences(ours: Path, theirs: Path) -> str:
    """How the records in one folder differ from those in another, in words; `the same bytes` or `the same records` where they do not."""
    if _contents(ours) == _contents(theirs):
        return "the same bytes"
    before = {_key(record): record for record in _records(ours)}
    told: Counter[str] = Counter()
    number = 0
    for record in _records(theirs):
        number += 1
        known = before.get(_key(record))
        if known is None:
            told["records of its own"] += 1
        else:
            told.update(set(_changes(known, record)))
    if number != len(before):
        told[f"{number:,} records instead of {len(before):,}"] += 1
    return "; ".join(sorted(told)) or "the same records"


def _changes(ours: Record, theirs: Record) -> Iterator[str]:
    for name, value in ours.items():
        if name not in theirs:
            yield f"{name} left out"
            continue
        other = theirs[name]
        if other == value and type(other) is type(value):
            continue
        if isinstance(value, dict) and isinstance(other, dict):
            yield from _changes(value, other)
        elif isinstance(value, str) and isinstance(other, str):
            yield (
                "null for what is missing inside nested values"
                if "null" in other and "null" not in value
                else _spelling(name, value, other)
            )
        elif other == value:
            yield "94.0 → 94" if isinstance(value, float) else f"{type(value).__name__} → {type(other).__name__}"
        else:
            yield f"other values of {name}"
    extra = [value for name, value in theirs.items() if name not in ours]
    if any(value is None for value in extra):
        yield "null for missing"
    if any(value is not None for value in extra):
        yield "fields of its own"


def _spelling(name: str, ours: str, theirs: str) -> str:
    try:
        if float(ours) == float(theirs):
            return "numbers spelt in another way"
    except ValueError:
        pass
    if "T" in ours and ours[:4].isdigit() and theirs[:4] == ours[:4]:
        return "times spelt in another way"
    if ours[:1] in "{[" and theirs[:1] in "{[":
        return "nested values spelt in another way"
    return f"other values of {name}"


def _key(record: Record) -> str:
    return str(record["id"])


def _contents(folder: Path) -> list[tuple[str, bytes]]:
    """The content of each file; a group is told by the first part of its path, since everyone names files in its own way."""
    return sorted((path.name.partition(".")[0] if len(_files(folder)) > 1 else "", _plain(path)) for path in _files(folder))


def _files(folder: Path) -> list[Path]:
    """The files of records; what a peer keeps for itself lies in folders of its own."""
    suffixes = {".jsonl", ".jl", ".csv", ".parquet", ".gz"}
    found = (path for path in folder.rglob("*") if path.suffix in suffixes)
    return sorted(path for path in found if not any(part == "state" or part.startswith("_dlt") for part in path.relative_to(folder).parts))


def _plain(path: Path) -> bytes:
    content = path.read_bytes()
    if content[:2] != b"\x1f\x8b":
        return content
    with gzip.open(path) as file:  # for many members far quicker than gzip.decompress
        return file.read()


def _records(folder: Path) -> Iterator[Record]:
    for path in _files(folder):
        if path.suffix == ".parquet":
            import pyarrow.parquet as pq

            for batch in pq.ParquetFile(path).iter_batches():
                yield from batch.to_pylist()
        elif path.suffix == ".csv":
            with path.open(newline="", encoding="utf-8") as file:
                yield from csv.DictReader(file)
        else:
            yield from map(_decode, _plain(path).splitlines())
