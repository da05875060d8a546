"""Verifying a destination against its manifest: offline, with nothing but the files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import attrs

from ozzy.contracts.decoder import HEAD, choose
from ozzy.data.codecs import open_decompressed
from ozzy.data.zip_archive import ZipArchive, is_archive
from ozzy.errors import OzzyError
from ozzy.plan.registry import Registry
from ozzy.staging.disk import checksum, size_of
from ozzy.staging.manifest import read_manifest


@attrs.frozen
class Difference:
    """One file that is not as the manifest says: `kind` is missing, size, checksum, rows, unreadable or extra."""

    file: str
    kind: str
    expected: int | str | None = None
    found: int | str | None = None

    def __str__(self) -> str:
        if self.kind in {"missing", "extra"}:
            return f"{self.file}: {'is missing' if self.kind == 'missing' else 'is not in the manifest'}"
        if self.kind == "unreadable":
            return f"{self.file}: can't be read: {self.found}"
        units = {"size": " bytes", "rows": " rows", "checksum": ""}[self.kind]
        return f"{self.file}: {self.kind} differs: {_shown(self.expected)}{units} in the manifest, {_shown(self.found)}{units} found"


@attrs.frozen
class Verification:
    """What was found: `files`, `rows` and `bytes` as the manifest says; `rows_counted` of files whose rows were counted.

    `rows` is None where those of a file that was copied are not known.
    """

    manifest: str
    run: str
    pipeline: str
    complete: bool
    files: int
    rows: int | None
    bytes: int
    rows_counted: int = 0
    differences: list[Difference] = attrs.Factory(list)

    @property
    def ok(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"ok": self.ok, **attrs.asdict(self)}


def verified(path: Path, *, rows: bool = False, strict: bool = False, registry: Registry | None = None) -> Verification:
    """Compare what is beside a manifest with what it says. `rows` reads the files and counts; `strict` looks for files it does not name.

    These are looked for in all of the folder of the destination, wherever in it the manifest is.

    Raises DestinationError for a manifest that is missing or damaged.
    """
    manifest = read_manifest(path)
    folder = path.parent / manifest["folder"]
    differences: list[Difference] = []
    counted = 0
    known = registry or (Registry.load() if rows else Registry())
    for file in manifest["files"]:
        flaw = _compared(folder / file["name"], file)
        if flaw is None and rows:
            found = _rows(folder / file["name"], file["rows"], known, manifest.get("read_as"))
            counted += found is not None
            if file["rows"] is not None and found not in {None, file["rows"]}:
                flaw = Difference(file["name"], "rows", file["rows"], found)
        if flaw is not None:
            differences.append(flaw)
    if strict:
        known_files = {path.resolve(), *((folder / file["name"]).resolve() for file in manifest["files"])}
        extra = (one for one in _below(folder) if one.resolve() not in known_files)
        differences += [Difference(str(one.relative_to(folder)), "extra") for one in extra]
    return Verification(
        manifest=str(path),
        run=manifest["run"],
        pipeline=str(manifest.get("pipeline", "")),
        complete=manifest["complete"],
        files=len(manifest["files"]),
        rows=manifest["rows"],
        bytes=manifest["bytes"],
        rows_counted=counted,
        differences=differences,
    )


def _compared(path: Path, file: dict[str, Any]) -> Difference | None:
    try:
        size = size_of(path)
        if size < 0 or not path.is_file():
            return Difference(file["name"], "missing")
        if size != file["bytes"]:
            return Difference(file["name"], "size", file["bytes"], size)
        digest = checksum(path) if file["sha256"] is not None else None
    except OSError as error:
        return Difference(file["name"], "unreadable", None, error.strerror)
    return Difference(file["name"], "checksum", file["sha256"], digest) if digest != file["sha256"] else None


def _rows(path: Path, expected: int | None, registry: Registry, read_as: Any) -> int | None:
    """The rows of a file, None where its format is not known or it can't be decoded.

    A CSV file whose columns were discovered may have been written without a header; `read_as` says how others are read that do not tell.
    It comes with the destination, so it names no module.
    """
    try:
        with _opened(path) as (raw, inner):
            stream = open_decompressed(raw, "auto", name=inner)
            if isinstance(read_as, dict) and read_as.get("name") == "csv" and isinstance(read_as.get("options"), dict):
                name, options = "csv", read_as["options"]
            else:
                name, options = choose(inner, stream.head(HEAD)), {}
            decoder: Any = registry.resolve("deserializer", name).cls({"name": name, "options": options})
            rows = sum(len(batch) + len(batch.rejected) for batch in decoder.decode(stream))
            headless = name in {"csv", "tsv"} and "fields" not in options and expected is not None and rows == expected - 1
            return expected if headless else rows
    except OzzyError:
        return None


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, str]]:
    """A file, or the only member of an archive, with the name that tells its format. Raises SourceError."""
    with path.open("rb", buffering=0) as raw:
        if not is_archive(path.name):
            yield raw, path.name
            return
        archive = ZipArchive(raw, path.name)
        [(member, _)] = archive.members(hidden=True)
        with archive.open(member) as content:
            yield content, member


def _below(folder: Path) -> Iterator[Path]:
    """Every file below a folder, but for those that are staged, and hidden ones."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
            yield path


def _shown(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.12}…"
