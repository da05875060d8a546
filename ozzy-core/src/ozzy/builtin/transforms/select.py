"""The transform that keeps some fields."""

from typing import Any, ClassVar, Final

from ozzy import BaseTransform, Batch, option, options
from ozzy.data.field_path import FieldPath, roots
from ozzy.data.tokens import Form, Row

Tree = dict[str, Any]
"""Names to the trees of what is selected inside them, None for a whole value."""


@options
class SelectOptions:
    """Options of select."""

    fields: list[str] = option(
        help="The fields that stay, in the order they shall have; nested ones with the separator between the names.",
        minimum=1,
        example=["id", "name", "address.city"],
    )
    nested_field_separator: str = option(default=".", help="What separates the names of nested fields; empty: names are taken as they are.")


class SelectTransform(BaseTransform):
    """Keeps only the named fields, in the order in which they are named.

    A field that a record does not have is left out. Of a nested object the named members stay, in their own order of naming; of a list,
    those of each object in it, and nothing that is no object or list. What stays keeps its value byte for byte.
    """

    Options: ClassVar[type] = SelectOptions
    independent = True
    one_to_one = True
    leaves_input = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        paths = [FieldPath.parse(name, self.options.nested_field_separator) for name in self.options.fields]
        self._fields = roots(paths)
        self._nested = any(len(path.steps) > 1 for path in paths)
        self._tree: Tree = {}
        for path in paths:
            _add(self._tree, path.steps)
        self.reads = self._fields
        self.face = f"fields {', '.join(self._fields)}"

    def transform_batch(self, batch: Batch) -> Batch:
        picked = batch.project(self._fields)
        return picked.rewrite(self._change) if self._nested else picked

    def _change(self, row: Row, form: Form) -> Row:
        return _selected(row, self._tree, form)


def _add(tree: Tree, steps: tuple[str, ...]) -> None:
    """Put a path into a tree; a whole value makes what is named inside it needless."""
    for step in steps[:-1]:
        below = tree.setdefault(step, {})
        if below is None:
            return
        tree = below
    tree[steps[-1]] = None


def _selected(members: Row, tree: Tree, form: Form) -> Row:
    selected = {}
    for name, below in tree.items():
        if name not in members:
            continue
        value = members[name] if below is None else _part(members[name], below, form)
        if value is not _NOTHING:
            selected[name] = value
    return selected


_NOTHING: Final = object()


def _part(value: Any, tree: Tree, form: Form) -> Any:
    members = form.members(value)
    if members is not None:
        return form.whole(_selected(members, tree, form))
    elements = form.elements(value)
    if elements is None:
        return _NOTHING
    return form.whole([part for part in (_part(element, tree, form) for element in elements) if part is not _NOTHING])
