"""The transform that makes a record of each element of a list."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, NoReturn

from ozzy import BaseTransform, Batch, DataError, Problem, option, options
from ozzy.data.field_path import FieldPath
from ozzy.data.tokens import PLAIN, Form, Row


@options
class ExplodeOptions:
    """Options of explode."""

    field: str = option(
        help="The field whose list is taken apart; a nested one with the separator between the names.", minimum=1, example="order.lines"
    )
    keep_empty: bool = option(
        default=False,
        help="Whether a record without elements (the list is empty, null or missing) gives a record too; the field is null in it, "
        "or missing.",
    )
    index_field: str | None = option(
        default=None,
        minimum=1,
        help="A new field of the record, at its end, for the number of the element, counted from 0; null where there is no element.",
        example="line_number",
    )
    limit: int = option(default=100_000, minimum=1, help="How many elements a list may have; a record with more is bad. It bounds memory.")
    nested_field_separator: str = option(default=".", help="What separates the names of nested fields; empty: names are taken as they are.")


class ExplodeTransform(BaseTransform):
    """Makes a record of each element of a list: the whole record, with the element where the list was.

    A record without elements is dropped unless `keep_empty`. A value that is neither a list nor null, at the field or on the way to it,
    makes a record bad. All other values stay byte for byte.
    """

    Options: ClassVar[type] = ExplodeOptions
    independent = True
    leaves_input = True
    face = "tokens"

    @classmethod
    def check_options(cls, options: ExplodeOptions) -> Iterator[Problem]:
        """A field for the number that would overwrite the element."""
        if options.index_field == FieldPath.parse(options.field, options.nested_field_separator).root:
            yield Problem("index_field", "it is the field that is taken apart; give it a name of its own")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._path = FieldPath.parse(self.options.field, self.options.nested_field_separator)
        index = self.options.index_field
        self.reads = self.writes = (self._path.root,) if index is None else (self._path.root, index)

    def transform_batch(self, batch: Batch) -> Batch:
        return batch.unfold(self._unfold)

    def _unfold(self, row: Row, form: Form) -> Sequence[Row]:
        way = [row]
        *around, last = self._path.steps
        for step in around:
            if step not in way[-1]:
                return self._without_elements(row, None, form)
            value = way[-1][step]
            members = form.members(value)
            if members is None:
                return self._without_elements(row, None, form) if _null(value, form) else self._refuse(len(way), "an object", value, form)
            way.append(members)
        if last not in way[-1]:
            return self._without_elements(row, None, form)
        value = way[-1][last]
        elements = form.elements(value)
        if elements is None and not _null(value, form):
            self._refuse(len(way), "a list", value, form)
        if not elements:
            return self._without_elements(row, way, form)
        if len(elements) > self.options.limit:
            raise DataError(f"{self._path} has {len(elements)} elements, and {self.options.limit} are allowed", hint="Raise its limit.")
        return [self._with(way, element, number, form) for number, element in enumerate(elements)]

    def _without_elements(self, row: Row, way: list[Row] | None, form: Form) -> Sequence[Row]:
        if not self.options.keep_empty:
            return ()
        return (self._numbered(row, None, form) if way is None else self._with(way, form.made(None), None, form),)

    def _with(self, way: list[Row], element: Any, number: int | None, form: Form) -> Row:
        """The record with an element instead of the list; `way` holds the objects around it, the record first."""
        *around, last = self._path.steps
        inner = way[-1] | {last: element}
        for outer, step in zip(reversed(way[:-1]), reversed(around), strict=True):
            inner = outer | {step: form.whole(inner)}
        row = self._numbered(inner, number, form)
        return row if number in {None, 0} or form is not PLAIN else _copy(row)

    def _numbered(self, row: Row, number: int | None, form: Form) -> Row:
        name = self.options.index_field
        if name is None:
            return row
        if name in row:
            raise DataError(f"the record has a field {name!r} already, so the number of the element has no place")
        return row | {name: form.made(number)}

    def _refuse(self, depth: int, wanted: str, value: Any, form: Form) -> NoReturn:
        where = FieldPath(self._path.steps[:depth])
        raise DataError(f"{where} is neither {wanted} nor null, but of type {type(form.plain(value)).__name__}")


def _null(value: Any, form: Form) -> bool:
    return form.members(value) is None and form.elements(value) is None and form.plain(value) is None


def _copy(value: Any) -> Any:
    """A value that shares no object and no list with another."""
    if isinstance(value, dict):
        return {name: _copy(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_copy(one) for one in value]
    return value
