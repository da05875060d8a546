"""Manifests: one JSON file beside the outputs of a run that lists what is published, to be read by people, programs and `ozzy verify`."""

import posixpath
import re
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from ozzy.errors import DestinationError

FORMAT: Final = 1
"""The value of `ozzy_manifest`, by which a manifest is known."""

_KEYS: Final = {"run": str, "writer": str, "folder": str, "files": list, "bytes": int, "complete": bool}
_FILE: Final = {"name": str, "bytes": int}


def manifest_problems(template: str) -> list[str]:
    """What is wrong with the name of a manifest; nothing where it is fine."""
    try:
        name = manifest_name(template, datetime(2000, 1, 1).astimezone())
    except ValueError as error:
        return [f"its dates can't be filled in ({error}); a % that is meant is written %%"]
    if not template or "\0" in template or name.endswith("/") or posixpath.basename(name) in {".", ".."}:
        return ["expected the name of a file, such as manifest.json"]
    if name.startswith("/") or ".." in name.split("/"):
        return ["expected a path below the folder of the filebase, without '..'"]
    if match := re.search(r"\{[^}]*\}", name):
        return [f"{match[0]} has no meaning here: there is one manifest for all files; dates such as %Y-%m-%d are filled in"]
    return []


def manifest_name(template: str, started: datetime) -> str:
    """The name of a run's manifest below the fixed folder of its filebase."""
    return posixpath.normpath(started.strftime(template)) if not template.endswith("/") else template


def encode_manifest(content: dict[str, Any]) -> bytes:
    """A manifest as it stands in its file: keys in the order given, a line for each file."""
    head = {key: value for key, value in content.items() if key != "files"}
    text = msgspec.json.format(msgspec.json.encode(head), indent=2).decode().removesuffix("\n}")
    lines = ",\n".join(f"    {msgspec.json.encode(file).decode()}" for file in content["files"])
    files = f"[\n{lines}\n  ]" if lines else "[]"
    return f'{text},\n  "files": {files}\n}}\n'.encode()


def read_manifest(path: Path) -> dict[str, Any]:
    """The content of a manifest. Raises DestinationError where it is missing, cut, or something else."""
    try:
        content = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise DestinationError(f"can't read the manifest {path}: {error.strerror or error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DestinationError(f"{path} is not a manifest, or is damaged: {error}") from error
    if not isinstance(content, dict) or "ozzy_manifest" not in content:
        raise DestinationError(f"{path} is not a manifest of ozzy", hint="A writer's option `manifest` makes one.")
    if content["ozzy_manifest"] != FORMAT:
        raise DestinationError(
            f"{path} has format {content['ozzy_manifest']!r}, this version of ozzy knows {FORMAT}", hint="Verify it with a newer version."
        )
    if flaw := _flaw(content):
        raise DestinationError(f"{path} is damaged: {flaw}")
    return content


def is_manifest_of(path: Path, run: str, writer: str) -> bool:
    """Whether a file is the manifest that this writer made in this run."""
    try:
        content = read_manifest(path)
    except DestinationError:
        return False
    return bool(content["run"] == run and content["writer"] == writer)


def _flaw(content: dict[str, Any]) -> str | None:
    """What a manifest lacks, None where it is whole."""
    if lacking := _lacking(content, _KEYS) or _uncounted(content):
        return f"it has no proper {lacking!r}"
    for number, file in enumerate(content["files"]):
        if lacking := _lacking(file, _FILE) or _uncounted(file) or _unsummed(file):
            return f"file {number} has no proper {lacking!r}"
        if file["name"].startswith("/") or ".." in file["name"].split("/"):
            return f"file {number} lies outside the folder"
    for total, amount in (("rows", total_rows(content["files"])), ("bytes", sum(file["bytes"] for file in content["files"]))):
        if content[total] != amount:
            return f"the {total} of its files do not add up to {content[total]}"
    return None


def total_rows(files: list[dict[str, Any]]) -> int | None:
    """The rows of all files, None where those of any are not known."""
    rows = [file["rows"] for file in files]
    return None if None in rows else sum(rows)


def _uncounted(content: dict[str, Any]) -> str | None:
    """Rows are a number, or null: not known."""
    rows = content.get("rows", "")
    return None if rows is None or type(rows) is int else "rows"


def _unsummed(file: dict[str, Any]) -> str | None:
    """A checksum is a text, or null: not known, of a file whose bytes were copied by the destination itself."""
    digest = file.get("sha256", 0)
    return None if digest is None or isinstance(digest, str) else "sha256"


def _lacking(content: Any, keys: dict[str, type]) -> str | None:
    if not isinstance(content, dict):
        return "content"
    return next((key for key, kind in keys.items() if type(content.get(key)) is not kind), None)
