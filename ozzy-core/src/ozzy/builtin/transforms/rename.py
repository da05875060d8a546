"""The transform that gives fields other names."""

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from ozzy import BaseTransform, Batch, DataError, Problem, option, options
from ozzy.data.field_path import FieldPath
from ozzy.data.field_tree import Act, FieldTree, each_element
from ozzy.data.tokens import Form, Row


@options
class RenameOptions:
    """Options of rename."""

    fields: dict[str, str] = option(
        help="Old names to new ones. Of a nested field the old name is a path, the new one just a name: a field stays where it is.",
        minimum=1,
        example={"mail": "email", "address.town": "city"},
    )
    on_collision: Literal["reject", "replace", "keep"] = option(
        default="reject",
        help="Where two fields of a record would have the same name. reject: the record is bad; replace: the renamed field stays, "
        "and the other goes; keep: the other stays, and so does the field under its old name.",
    )
    nested_field_separator: str = option(default=".", help="What separates the names of nested fields; empty: names are taken as they are.")


class RenameTransform(BaseTransform):
    """Gives fields other names; their places and values stay, byte for byte.

    All of it happens at once, so `{a: b, b: a}` swaps two fields. A field that a record does not have is passed over, so several old names
    may lead to the same new one. A path that meets a list goes on in each of its elements. Where two renamed fields collide, `replace`
    lets the one win that is named last, `keep` the one that is named first.
    """

    Options: ClassVar[type] = RenameOptions
    independent = True
    one_to_one = True
    leaves_input = True
    face = "tokens"

    @classmethod
    def check_options(cls, options: RenameOptions) -> Iterator[Problem]:
        """New names that would move a field elsewhere."""
        separator = options.nested_field_separator
        for old, new in options.fields.items():
            if separator and separator in new:
                yield Problem(
                    f"fields.{old}", f"a new name is no path, and {new!r} is one", "name only the field itself; it stays where it is"
                )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        inside: dict[tuple[str, ...], dict[str, str]] = {}
        for old, new in self.options.fields.items():
            *around, last = FieldPath.parse(old, self.options.nested_field_separator).steps
            inside.setdefault(tuple(around), {})[last] = new
        self._names = inside.pop((), {})
        self._tree = FieldTree((FieldPath(around), each_element(self._renaming(names))) for around, names in inside.items())
        self.reads = self.writes = tuple(dict.fromkeys([*self._names, *self._tree.children, *self._names.values()]))

    def transform_batch(self, batch: Batch) -> Batch:
        table = batch.table
        if table is None or self._tree.children:
            return batch.rewrite(self._change)
        try:
            renamed = self._renamed({name: name for name in table.names}, self._names)
        except DataError as error:
            error.row = 0
            raise
        return batch.of_table(table.rename({old: new for new, old in renamed.items()}))

    def _change(self, row: Row, form: Form) -> Row:
        return self._renamed(self._tree.change(row, form) if self._tree.children else row, self._names)

    def _renaming(self, names: dict[str, str]) -> Act:
        def act(value: Any, form: Form) -> Any:
            members = form.members(value)
            if members is None:
                return value
            renamed = self._renamed(members, names)
            return value if renamed is members else form.whole(renamed)

        return act

    def _renamed(self, row: Row, names: dict[str, str]) -> Row:
        if names.keys().isdisjoint(row):
            return row
        renamed = {names.get(name, name): value for name, value in row.items()}
        return renamed if len(renamed) == len(row) else self._settled(row, names)

    def _settled(self, row: Row, names: dict[str, str]) -> Row:
        """The row where some of its fields want the same name."""
        policy = self.options.on_collision
        wanted = {old: new for old, new in names.items() if old in row}
        if policy == "replace":
            winners = {wanted.get(name, name): name for name in [*(name for name in row if name not in wanted), *wanted]}
            return {wanted.get(name, name): value for name, value in row.items() if winners[wanted.get(name, name)] == name}
        while (loser := _loser(row, wanted)) is not None:
            if policy == "reject":
                raise DataError(f"{loser!r} can't be renamed to {wanted[loser]!r}: another field has that name then")
            del wanted[loser]
        return {wanted.get(name, name): value for name, value in row.items()}


def _loser(row: Row, wanted: dict[str, str]) -> str | None:
    """The first field, in the order in which they are named, whose new name is taken."""
    taken = {name for name in row if name not in wanted}
    for old, new in wanted.items():
        if new in taken:
            return old
        taken.add(new)
    return None
