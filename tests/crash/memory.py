"""Modules for tests of what a resumed run goes on from: stages that remember something, and a formatter whose files can't be continued."""

from collections.abc import Iterator
from typing import Any

from ozzy import BaseExportFormatter, BaseFilter, BaseGrouper, BaseTransform, Batch, option, options


@options
class FieldOptions:
    """Options of a stage that looks at one field."""

    field: str = option(help="The field.")


class Distinct(BaseFilter):
    """Keeps the first record with each value of a field."""

    Options = FieldOptions

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.seen: dict[str, int] = {}

    def filter(self, item: Any) -> bool:
        value = str(item[self.options.field])
        self.seen[value] = self.seen.get(value, 0) + 1
        return self.seen[value] == 1

    def get_state(self) -> Any:
        return self.seen

    def set_state(self, state: Any) -> None:
        self.seen = state


class Numbered(BaseTransform):
    """Gives each record a number, beginning with 1, and the sum of a field so far."""

    Options = FieldOptions
    one_to_one = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.number = self.total = 0

    def transform_batch(self, batch: Batch) -> Iterator[Any]:
        for item in batch:
            total = self.total + item[self.options.field]
            self.number, self.total = self.number + 1, total
            yield {**item, "number": self.number, "total": total}

    def get_state(self) -> Any:
        return {"number": self.number, "total": self.total}

    def set_state(self, state: Any) -> None:
        self.number, self.total = state["number"], state["total"]


class EachInTurn(BaseGrouper):
    """Fifty records to a group, then the next group: `g0`, `g1`, `g2`, and `g0` again."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.count = 0

    def key(self, item: Any) -> str:
        self.count += 1
        return f"g{(self.count - 1) // 50 % 3}"

    def get_state(self) -> Any:
        return self.count

    def set_state(self, state: Any) -> None:
        self.count = state


class EveryOther(BaseFilter):
    """Takes a record, leaves the next, takes the one after it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.takes = True

    def filter(self, item: Any) -> bool:
        self.takes = not self.takes
        return not self.takes

    def get_state(self) -> Any:
        return {"takes": self.takes}

    def set_state(self, state: Any) -> None:
        self.takes = state["takes"]


class Sealed(BaseExportFormatter):
    """JSON lines between a beginning and an end, of which a file can't be continued in another process: every checkpoint is a full one."""

    file_extension = "sealed"
    resumable = False
    appendable = False

    def header(self) -> bytes:
        return b"begin\n"

    def footer(self) -> bytes:
        return b"end\n"

    def format_rows(self, batch: Batch) -> list[bytes]:
        return [line + b"\n" for line in batch.lines]

    @property
    def separator(self) -> bytes:
        return b""
