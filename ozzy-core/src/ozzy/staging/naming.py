"""Names of output files: the grammar of `filebase`, and values of records made safe for a path.

A filebase is a path with strftime codes and placeholders. The codes are filled in first, from the run's start, and only in the template.
What stands before the last `/` are folders, the rest is the beginning of the name:

    out/%Y/{groups[0]}/part         out/2026/es/part0000.jl.gz, out/2026/es/part0001.jl.gz …
    out/{groups[0]}-{file_number}   out/es-0.jl.gz, out/es-1.jl.gz …
    out/{source}                    out/input.jl.gz, then out/input-0001.jl.gz

A name without any placeholder gets a number of four digits. Group values that the filebase does not mention follow after a `-`.
Two different files of a run never get one name: where the grammar would give them one, the later reading gets `~` and a hash.
"""

import json
import re
import string
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Final, Literal

import attrs

from ozzy.errors import ConfigError, Problem

VALUE_BYTES: Final = 200
"""How long a record's value may be in a path, in bytes of UTF-8."""

NAME_BYTES: Final = 240
"""How long one folder's or file's name may be, in bytes; file systems allow 255."""

EMPTY: Final = "%empty"
"""What an empty value looks like in a path; no other value ever does."""

_KEPT: Final = frozenset("_- .")
_FIELD: Final = re.compile(r"groups\[([0-9]{1,3})\]|file_number|source|split")
_NUMBER_SPEC: Final = re.compile(r"(?:[0 _.\-]?[>=])?\+?0?[0-9]{0,2}(?:[,_]?d?|_?[boxX])")
_GRAMMAR: Final = "placeholders are {groups[0]}, {file_number}, {source} and {split}"


def safe(value: str) -> str:
    """A record's value as a part of a path: another value never gives the same, and none leads out of the folder.

    Letters and digits of any script, `_`, `-`, spaces and inner dots stay; the rest is percent-encoded. What is longer than
    `VALUE_BYTES` is cut and gets a hash. Never empty.

    >>> safe("España"), safe("../etc"), safe("50% a/b")
    ('España', '%2E.%2Fetc', '50%25 a%2Fb')
    """
    if value.isascii() and value.isalnum() and len(value) <= VALUE_BYTES:
        return value
    if not value:
        return EMPTY
    text = "".join(_encoded(value, keep_marks=True))
    if not unicodedata.is_normalized("NFC", value) or not unicodedata.is_normalized("NFC", text):
        text = "".join(_encoded(value, keep_marks=False))
    if _size(text) <= VALUE_BYTES:
        return text
    return _cut(text, VALUE_BYTES, _digest(value))


def source_name(path: str) -> str:
    """The name of a source file without its folders and extensions, as `{source}` shows it.

    One extension of a compression and one of a format are taken off.

    A member of an archive has the name of the member.

    >>> source_name("in/part-000.jl.gz"), source_name("data.2024.csv"), source_name("in/a.zip!part.jl")
    ('part-000', 'data.2024', 'part')
    """
    name = re.sub(r"^.*?\.zip!", "", path.rstrip("/"), flags=re.IGNORECASE | re.DOTALL).rpartition("/")[2]
    stem = re.sub(r"(?<=.)\.(gz|bz2|xz|zst|zip|lz4|br|snappy)$", "", name, flags=re.IGNORECASE)
    return re.sub(r"(?<=.)\.[A-Za-z][A-Za-z0-9]{0,9}$", "", stem)


def problems(filebase: str, grouped_by: int | None = None) -> list[str]:
    """What is wrong with a filebase, each with what to write instead; nothing where it is fine.

    `grouped_by` is how many values a group has: 0 without a grouper, None where it is not known.
    """
    if "\0" in filebase:
        return ["it holds a NUL character"]
    try:
        template = _Template(_dated(filebase, datetime(2000, 1, 1).astimezone()))
    except ValueError as error:
        return [f"its dates can't be filled in ({error}); a % that is meant is written %%"]
    found = list(template.problems)
    indices = sorted({field.index for field in template.fields if field.kind == "groups"})
    if grouped_by == 0 and indices:
        found.append("{groups[…]} needs a grouper, and there is none: add one, or leave the placeholder out")
    elif grouped_by:
        found += [
            f"{{groups[{index}]}} is one too many: records are grouped by {grouped_by}, so the last is {{groups[{grouped_by - 1}]}}"
            for index in indices
            if index >= grouped_by
        ]
    return found


class FileNames:
    """The names of one writer's files in one run.

    `start` is the run's start, `extension` the formatter's (without a dot), `compression_suffix` the codec's. Raises ConfigError with
    everything that is wrong with the filebase; `grouped` is false where there is no grouper.
    """

    def __init__(
        self,
        filebase: str,
        *,
        start: datetime,
        extension: str,
        compression_suffix: str = "",
        start_file_count: int = 0,
        grouped: bool = True,
    ) -> None:
        wrong = problems(filebase, None if grouped else 0)
        if wrong:
            raise ConfigError("the filebase can't be used", problems=[Problem("filebase", text) for text in wrong])
        self.template = _dated(filebase, start)
        parsed = _Template(self.template)
        self.folder = parsed.folder
        self._folders = parsed.folders
        self._prefix = parsed.prefix
        self._mentioned = {field.index for field in parsed.fields if field.kind == "groups"}
        self.uses_source = any(field.kind == "source" for field in parsed.fields)
        self.uses_split = any(field.kind == "split" for field in parsed.fields)
        self._ending = "".join(f".{part.lstrip('.')}" for part in (extension, compression_suffix) if part.strip("."))
        self._start = start_file_count

    def name(self, group: Sequence[str] = (), number: int = 0, source: str = "", split: str = "") -> str:
        """The path of one file below `folder`, with `/` between its parts.

        `number` counts the files of this group (and source, where the filebase has it) from 0. Raises ConfigError where the filebase
        speaks of a group value that is not there.
        """
        shown = {"source": safe(source), "split": safe(split), **{f"groups{at}": safe(value) for at, value in enumerate(group)}}
        for index in self._mentioned:
            if index >= len(group):
                raise ConfigError(f"the filebase asks for {{groups[{index}]}}, and records are grouped by {len(group)}")
        count = self._start + number
        parts = [*self._folders, self._file_part(len(group))]
        texts = [_render(part, shown, count) for part in parts]
        identity = _digest(json.dumps([list(group), count, source * self.uses_source, split * self.uses_split]))
        stem = texts.pop()
        expected = [text for part in parts for field in part if isinstance(field, _Field) for text in [_field_text(field, shown, count)]]
        match = _pattern(tuple(tuple(part) for part in parts)).fullmatch("/".join([*texts, stem]))
        if match is None or list(match.groups(default="")) != expected:
            stem = f"{stem}~{identity}"
        if _size(stem + self._ending) > NAME_BYTES:
            stem = _cut(stem, NAME_BYTES - _size(self._ending), identity)
        folders = [text if _size(text) <= NAME_BYTES else _cut(text, NAME_BYTES, _digest(text)) for text in texts]
        return "/".join([*folders, stem + self._ending])

    def _file_part(self, groups: int) -> "list[str | _Field]":
        part = list(self._prefix)
        if not any(isinstance(field, _Field) for field in part):
            part.append(_Field("file_number", spec="04d"))
        for index in range(groups):
            if index not in self._mentioned:
                part += ["-", _Field("groups", index)]
        if not any(isinstance(field, _Field) and field.kind == "file_number" for field in part):
            part.append(_Field("later", spec="04d"))
        return part


@attrs.frozen
class _Field:
    """A placeholder. `later` is the number that only the second file of a name and those after it have."""

    kind: Literal["groups", "file_number", "source", "split", "later"]
    index: int = 0
    spec: str = ""


class _Template:
    """A filebase after its dates: the fixed `folder`, then `folders` and `prefix` as texts and fields."""

    def __init__(self, text: str) -> None:
        self.problems: list[str] = []
        components: list[list[str | _Field]] = [[]]
        for piece in self._pieces(text):
            if isinstance(piece, _Field):
                components[-1].append(piece)
                continue
            first, *others = piece.split("/")
            components[-1].append(first)
            components += [[other] for other in others]
        joined = [_joined(component) for component in components]
        self.prefix = joined.pop()
        fixed = next((at for at, part in enumerate(joined) if any(isinstance(field, _Field) for field in part)), len(joined))
        folders = ["".join(map(str, part)) for part in joined[:fixed]]
        self.folder = "/" * (folders[:1] == [""]) + "/".join(filter(None, folders))
        self.folders = [part for part in joined[fixed:] if part not in ([], ["."])]
        self.fields = [field for part in (*self.folders, self.prefix) for field in part if isinstance(field, _Field)]
        if any(field.kind == "file_number" for part in self.folders for field in part if isinstance(field, _Field)):
            self.problems.append("{file_number} belongs in the name of a file, after the last '/', not in a folder")
        if any(part == [".."] for part in self.folders):
            self.problems.append("'..' must stand before the first placeholder")
        if self.prefix in ([".."], ["."]):
            self.problems.append(f"'{self.prefix[0]}' is a folder: add a '/' after it, or a name")

    def _pieces(self, text: str) -> Iterator[str | _Field]:
        try:
            for literal, name, spec, conversion in string.Formatter().parse(text):
                if literal:
                    yield literal
                if name is not None:
                    yield from self._field(name, spec or "", conversion)
        except ValueError as error:
            self.problems.append(f"a brace has no partner ({error}); a brace that is meant is written twice: {{{{ or }}}}")

    def _field(self, name: str, spec: str, conversion: str | None) -> Iterator[_Field]:
        match = _FIELD.fullmatch(name)
        shown = f"{{{name}}}"
        if match is None:
            hint = "write {groups[0]}, {groups[1]} …" if name.startswith("group") else _GRAMMAR
            self.problems.append(f"unknown placeholder {shown}: {hint}")
        elif conversion:
            self.problems.append(f"{shown} can't have a conversion (!{conversion})")
        elif name == "file_number":
            if not _NUMBER_SPEC.fullmatch(spec):
                self.problems.append(f"{shown} can't have the format '{spec}': use one for whole numbers, such as {{file_number:04d}}")
            else:
                yield _Field("file_number", spec=spec)
        elif spec:
            self.problems.append(f"{shown} can't have a format (':{spec}'): only {{file_number}} can")
        elif match[1]:
            yield _Field("groups", int(match[1]))
        else:
            yield _Field("source" if name == "source" else "split")


def _dated(filebase: str, start: datetime) -> str:
    return start.strftime(filebase) if "%" in filebase else filebase


def _joined(component: Iterable[str | _Field]) -> list[str | _Field]:
    joined: list[str | _Field] = []
    for piece in component:
        if isinstance(piece, str) and joined and isinstance(joined[-1], str):
            joined[-1] += piece
        elif piece != "":
            joined.append(piece)
    return joined


def _field_text(field: _Field, shown: dict[str, str], count: int) -> str:
    if field.kind == "later":
        return format(count, field.spec) if count else ""
    if field.kind == "file_number":
        return format(count, field.spec)
    return shown[f"groups{field.index}" if field.kind == "groups" else field.kind]


def _render(part: Iterable[str | _Field], shown: dict[str, str], count: int) -> str:
    texts = []
    for piece in part:
        text = piece if isinstance(piece, str) else _field_text(piece, shown, count)
        texts.append(f"-{text}" if text and isinstance(piece, _Field) and piece.kind == "later" else text)
    return "".join(texts)


@lru_cache(maxsize=64)
def _pattern(parts: tuple[tuple[str | _Field, ...], ...]) -> re.Pattern[str]:
    """Reads a name back in one fixed way; a file whose name reads back as another's is told apart by a hash."""
    number = {"later": r"(?:-([0-9]{4,}))?", "file_number": r"([0-9]+)"}

    def source(piece: str | _Field) -> str:
        if isinstance(piece, str):
            return re.escape(piece)
        if piece.kind == "file_number" and not re.fullmatch("(0[0-9]*)?d?", piece.spec):
            return "([^/]+?)"
        return number.get(piece.kind, "([^/]*?)")

    return re.compile("/".join("".join(map(source, part)) for part in parts))


def _encoded(value: str, *, keep_marks: bool) -> Iterator[str]:
    last = len(value) - 1
    for at, char in enumerate(value):
        if char.isascii():
            kept = (char.isalnum() or char in _KEPT) and not (char == "." and at in {0, last}) and not (char == " " and at == last)
        else:
            kept = keep_marks and (char.isalnum() or (at > 0 and unicodedata.category(char)[0] == "M"))
        yield char if kept else "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogatepass"))


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _cut(text: str, size: int, digest: str) -> str:
    kept = text.encode("utf-8", "surrogatepass")[: size - len(digest) - 1].decode("utf-8", "ignore")
    return re.sub(r"%[0-9A-F]?$", "", kept) + "~" + digest
