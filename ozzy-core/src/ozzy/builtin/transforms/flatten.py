"""The transform that makes nested records flat."""

from typing import Any, ClassVar, Literal

from ozzy import BaseTransform, Batch, DataError, option, options
from ozzy.data.json_text import encode_record
from ozzy.data.tokens import Form, Row


@options
class FlattenOptions:
    """Options of flatten."""

    separator: str = option(default=".", help="What stands between the names that are joined.", minimum=1, example="_")
    max_depth: int | None = option(default=None, minimum=1, help="How many levels are opened; what is nested deeper stays as it is.")
    lists: Literal["keep", "index", "json"] = option(
        default="keep",
        help="keep: a list stays a list; index: each element becomes a field whose name ends with its number, from 0; "
        "json: a list becomes a text that holds it as JSON.",
    )
    on_collision: Literal["reject", "first", "last"] = option(
        default="reject",
        help="Where two fields of a record would have the same name. reject: the record is bad; first, last: that one of them stays.",
    )


class FlattenTransform(BaseTransform):
    """Makes fields of nested objects fields of the record: `{"a": {"b": 1}}` becomes `{"a.b": 1}`.

    Their order stays, and so do the bytes of values that are not opened. Empty objects and lists stay as they are, under their joined
    name, so nothing is lost. A record with nothing to open leaves as it came. With `lists: index` a list counts as a level of `max_depth`.
    """

    Options: ClassVar[type] = FlattenOptions
    independent = True
    one_to_one = True
    leaves_input = True
    face = "tokens"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._depth: float = self.options.max_depth or float("inf")
        self._lists = self.options.lists
        self._separator = self.options.separator

    def transform_batch(self, batch: Batch) -> Batch:
        return batch.rewrite(self._change)

    def _change(self, row: Row, form: Form) -> Row:
        flat: Row = {}
        opened = False
        for name, value in row.items():
            opened |= self._put(flat, name, value, 0, form)
        return flat if opened else row

    def _put(self, flat: Row, name: str, value: Any, depth: int, form: Form) -> bool:
        """Put a value into the flat row, or what is in it; says whether it was changed."""
        parts = self._parts(value, form) if depth < self._depth or self._lists == "json" else None
        if isinstance(parts, dict) and depth < self._depth:
            for inner, part in parts.items():
                self._put(flat, f"{name}{self._separator}{inner}", part, depth + 1, form)
            return True
        as_text = isinstance(parts, list)
        if as_text:
            value = form.made(encode_record(form.plain(value)).decode())
        if name not in flat or self.options.on_collision == "last":
            flat[name] = value
        elif self.options.on_collision == "reject":
            raise DataError(f"two fields would be called {name!r}")
        return as_text

    def _parts(self, value: Any, form: Form) -> Row | list[Any] | None:
        """The fields of a value that is opened, a list where it becomes a text, None where it stays."""
        members = form.members(value)
        if members is not None:
            return members or None
        if self._lists == "keep":
            return None
        elements = form.elements(value)
        if elements is None or self._lists == "json":
            return None if elements is None else list(elements)
        return {str(number): element for number, element in enumerate(elements)} or None
