"""The transform that leaves out some fields."""

from typing import Any, ClassVar

from ozzy import BaseTransform, Batch, option, options
from ozzy.data.field_path import FieldPath, roots
from ozzy.data.field_tree import GONE, FieldTree
from ozzy.data.patched import patched
from ozzy.data.tokens import Form, Row


@options
class DropOptions:
    """Options of drop."""

    fields: list[str] = option(
        help="The fields that go; nested ones with the separator between the names.", minimum=1, example=["password", "address.street"]
    )
    nested_field_separator: str = option(default=".", help="What separates the names of nested fields; empty: names are taken as they are.")


class DropTransform(BaseTransform):
    """Leaves out the named fields; what stays keeps its order, and its value byte for byte.

    A path that meets a list goes on in each of its elements. A record that has none of the fields leaves as it came.
    """

    Options: ClassVar[type] = DropOptions
    independent = True
    one_to_one = True
    leaves_input = True
    face = "tokens"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        paths = [FieldPath.parse(name, self.options.nested_field_separator) for name in self.options.fields]
        self.reads = self.writes = roots(paths)
        self._names = frozenset(self.reads)
        self._nested = any(len(path.steps) > 1 for path in paths)
        self.patches = not self._nested
        self._tree = FieldTree((path, _gone) for path in paths)
        self._change = self._tree.change if self._nested else self._without

    def transform_batch(self, batch: Batch) -> Batch:
        names = batch.names
        if names is not None and not self._nested:
            return batch.project(tuple([name for name in names if name not in self._names]))
        if self._nested or "records" in batch.faces:
            return batch.rewrite(self._change)
        return patched(batch, {}, self._names)

    def _without(self, row: Row, _: Form) -> Row:
        names = self._names
        return row if names.isdisjoint(row) else {name: value for name, value in row.items() if name not in names}


def _gone(_: Any, __: Form) -> Any:
    return GONE
