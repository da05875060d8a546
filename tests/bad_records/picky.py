"""Modules that refuse records: those whose field `bad` has the word that they are told."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ozzy import BaseExportFormatter, BaseFilter, BaseGrouper, BaseTransform, Batch, DataError, option, options
from ozzy.builtin.writers.fs import FSWriter
from ozzy.contracts.file_writer import NamedFileWriterOptions


@options
class PickyOptions:
    """Options of what refuses records."""

    word: str = option(default="", help="Records whose field `bad` is this word are refused.")
    mended: bool = option(default=False, help="Refuse nothing any more.")


def look_at(options: Any, item: Mapping[str, Any]) -> None:
    if not options.mended and item.get("bad") == options.word:
        raise ValueError(f"record {item['id']} is odd: {item['note']!r}")


class PickyFilter(BaseFilter):
    """Keeps all but every fifth record."""

    Options = PickyOptions

    def filter(self, item: Any) -> bool:
        look_at(self.options, item)
        return item["id"] % 5 != 4


class PickyTransform(BaseTransform):
    """Counts how often it has seen a record, in place, before it refuses it."""

    Options = PickyOptions
    one_to_one = True

    def transform_batch(self, batch: Batch) -> Iterator[Any]:
        for item in batch:
            item["seen"] = item.get("seen", 0) + 1
            look_at(self.options, item)
            yield item


class PickyDoubling(BaseTransform):
    """Makes two records of each."""

    Options = PickyOptions

    def transform_batch(self, batch: Batch) -> Iterator[Any]:
        for item in batch:
            first = dict(item, half=1)
            item.clear()
            look_at(self.options, first)
            yield first
            yield dict(first, half=2)


class PickyGrouper(BaseGrouper):
    """Groups by even and odd."""

    Options = PickyOptions

    def key(self, item: Any) -> str:
        look_at(self.options, item)
        return ("even", "odd")[item["id"] % 2]


class PickyFormatter(BaseExportFormatter):
    """JSON lines."""

    Options = PickyOptions
    file_extension = "jl"
    item_separator = ""

    def format(self, item: Any) -> str:
        look_at(self.options, item)
        return json.dumps(item) + "\n"


@options
class PickyWriterOptions(NamedFileWriterOptions):
    """Options of a writer that refuses records."""

    word: str = option(default="", help="Records whose field `bad` is this word are refused.")
    mended: bool = option(default=False, help="Refuse nothing any more.")


class PickyWriter(FSWriter):
    """Writes files."""

    Options = PickyWriterOptions

    def write_batch(self, batch: Batch, group_key: tuple[str, ...] | None = None) -> None:
        self._look(batch)
        super().write_batch(batch, group_key)

    def write_groups(self, batch: Batch, groups: Mapping[tuple[str, ...], Sequence[int]]) -> None:
        self._look(batch)
        super().write_groups(batch, groups)

    def _look(self, batch: Batch) -> None:
        for row, item in enumerate(batch.records):
            try:
                look_at(self.options, item)
            except ValueError as error:
                raise DataError(str(error), row=row) from error


class NoSevens(BaseFilter):
    """Can't handle a record whose `id` ends in 7."""

    def filter(self, item: Any) -> bool:
        if str(item["id"]).endswith("7"):
            raise ValueError(f"{item['id']} ends in 7")
        return True
