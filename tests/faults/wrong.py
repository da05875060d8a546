"""Modules that are wrong, each in one way that loses, doubles or miscounts records unless the run finds it out."""

from collections.abc import Iterator, Sequence
from typing import Any

from ozzy import BaseExportFormatter, BaseFilter, BaseGrouper, BaseReader, BaseTransform, Batch
from ozzy.builtin.writers.fs import FSWriter


class LosesARecord(FSWriter):
    """Leaves out the first record of each batch that it is given."""

    def write_batch(self, batch: Batch, group_key: Any = None) -> None:
        super().write_batch(batch.take(range(1, len(batch))), group_key)


class WritesTwice(FSWriter):
    """Writes the first record of each batch twice."""

    def write_batch(self, batch: Batch, group_key: Any = None) -> None:
        super().write_batch(batch.take([0, *range(len(batch))]), group_key)


class CountsWrongly(FSWriter):
    """Says that it has written one record more than it has."""

    def prepare(self, final: bool) -> dict[str, Any]:
        receipt = super().prepare(final)
        return receipt | {"written": receipt["written"] + 1}


class Drops(BaseTransform):
    """Says that it is one to one, and drops a record."""

    one_to_one = True

    def transform_batch(self, batch: Batch) -> Iterator[Any]:
        yield from (item for item in batch if item["id"] != "1-50")


class Doubles(BaseTransform):
    """Says that it is one to one, and gives a record twice."""

    one_to_one = True

    def transform_batch(self, batch: Batch) -> Iterator[Any]:
        for item in batch:
            yield item
            if item["id"] == "1-50":
                yield dict(item)


class TooFewKeys(BaseGrouper):
    """Gives a group for each record but the last."""

    def keys(self, batch: Batch) -> Sequence[tuple[str, ...]]:
        return [("a",)] * (len(batch) - 1)


class ShortMask(BaseFilter):
    """Says of each record but the last whether it is kept."""

    def mask(self, batch: Batch) -> Sequence[bool]:
        return [True] * (len(batch) - 1)


class TooFewRows(BaseExportFormatter):
    """Formats each record of a batch but the last."""

    file_extension = "jl"

    def format_rows(self, batch: Batch) -> list[bytes]:
        return [line + b"\n" for line in batch.lines[:-1]]

    @property
    def separator(self) -> bytes:
        return b""


class StandsStill(BaseReader):
    """Gives one batch after another with the same position."""

    def read(self, split: Any, position: Any) -> Iterator[Batch]:
        for start in range(position or 0, 100, 10):
            records = [{"id": f"0-{number}"} for number in range(start, start + 10)]
            yield Batch.from_records(records, split=split.id, position=min(start + 10, 40))


class CannotRemember(BaseFilter):
    """Remembers something that can't be saved."""

    def filter(self, item: Any) -> bool:
        return True

    def get_state(self) -> Any:
        return {1, 2, 3}

    def set_state(self, state: Any) -> None:
        """Never gets that far."""


class Ends(BaseFilter):
    """Ends the program."""

    def filter(self, item: Any) -> bool:
        if item["id"] == "1-50":
            raise SystemExit(0)
        return True
