"""The transform that makes values of a type out of others."""

from collections.abc import Iterator
from functools import partial
from typing import Any, ClassVar, Literal

from ozzy import BaseTransform, Batch, DataError, Problem, option, options
from ozzy.builtin.transforms.casts import CASTS, FORMATTED, NoCast
from ozzy.data.field_path import FieldPath
from ozzy.data.field_tree import Act, FieldTree, each_element, overlaps
from ozzy.data.tokens import Form


@options
class CastOptions:
    """Options of cast."""

    fields: dict[str, Literal["int", "float", "str", "bool", "date", "datetime", "decimal"]] = option(
        help="Fields to types; nested fields with the separator between the names. decimal is an exact number as a text.",
        minimum=1,
        example={"id": "int", "address.zip": "str", "placed": "datetime"},
    )
    on_error: Literal["reject", "null", "keep"] | None = option(
        default="reject",
        help="What becomes of a value that does not cast. reject: the record is bad; null, in quotes or without: null stands in its place; "
        "keep: it stays.",
    )
    formats: dict[str, str] = option(
        factory=dict,
        help="How texts of date and datetime fields are written, by field, in the codes of strptime; ISO 8601 unless given.",
        example={"placed": "%d/%m/%Y %H:%M"},
    )
    nested_field_separator: str = option(default=".", help="What separates the names of nested fields; empty: names are taken as they are.")


class CastTransform(BaseTransform):
    """Makes values of a type out of others where nothing is lost by it: 3.7 is no int, and 2**53 + 1 no float.

    Null stays null, a missing field missing, and a value that is of the type already stays byte for byte. A list is cast element by
    element, and a path that meets a list goes on in each of them; an object does not cast. Texts of numbers may have blanks around
    them. bool takes true and false, yes and no, on and off, t and f, y and n, 1 and 0, texts in any case. date and datetime are texts in
    ISO 8601; a datetime casts to its date, a date to the datetime at its midnight, a number to neither. A text with more than six digits
    of a second does not cast.
    """

    Options: ClassVar[type] = CastOptions
    independent = True
    one_to_one = True
    leaves_input = True

    @classmethod
    def check_options(cls, options: CastOptions) -> Iterator[Problem]:
        """Fields inside others, and formats of fields that have no use for one."""
        yield from overlaps("fields", _paths(options))
        for name in options.formats:
            if options.fields.get(name) not in FORMATTED:
                yield Problem(f"formats.{name}", "it is the format of a field that is not cast to date or datetime")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        paths = _paths(self.options)
        self._tree = FieldTree((path, each_element(self._casting(name))) for name, path in paths.items())
        self.reads = self.writes = tuple(self._tree.children)
        self.face = f"fields {', '.join(self.reads)}"

    def transform_batch(self, batch: Batch) -> Batch:
        return batch.rewrite(self._tree.change)

    def _casting(self, name: str) -> Act:
        wanted, policy = self.options.fields[name], self.options.on_error or "null"
        cast = CASTS[wanted]
        if name in self.options.formats:
            cast = partial(FORMATTED[wanted], self.options.formats[name])

        def act(value: Any, form: Form) -> Any:
            plain = form.plain(value)
            if plain is None:
                return value
            try:
                made = cast(plain)
            except NoCast as error:
                if policy == "keep":
                    return value
                if policy == "null":
                    return form.made(None)
                raise DataError(f"{name} does not cast to {wanted}: {error}") from error
            return value if made is plain else form.made(made)

        return act


def _paths(options: CastOptions) -> dict[str, FieldPath]:
    return {name: FieldPath.parse(name, options.nested_field_separator) for name in options.fields}
