"""Fields at any depth that something is done with, walked in one pass over each row, be it of tokens or of plain values.

A path that meets an array goes on in each of its elements; the path `orders.price` means the price of every order.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from ozzy.data.field_path import FieldPath
from ozzy.data.tokens import Form, Row
from ozzy.errors import Problem

Act = Callable[[Any, Form], Any]
"""Makes a new value of one in its form, gives back the very same one where nothing changes, or `GONE`."""

GONE: Final = object()
"""Stands for a value that is to be left out."""


class FieldTree:
    """What is done with which fields; inner fields before those around them.

    `blocked` is told the name of the field that was looked for inside a value which has none (a text, a number), and that value;
    unless given, such values are left alone, as null is.
    """

    __slots__ = ("act", "blocked", "children")

    def __init__(self, acts: Iterable[tuple[FieldPath, Act]], *, blocked: Callable[[str, Any], None] | None = None) -> None:
        self.act: Act | None = None
        self.children: dict[str, FieldTree] = {}
        self.blocked = blocked
        for path, act in acts:
            node = self
            for step in path.steps:
                node = node.children.setdefault(step, FieldTree((), blocked=blocked))
            node.act = act

    def change(self, row: Row, form: Form) -> Row:
        """The row after all is done: a new dict, or the very same one where nothing changes."""
        changed = None
        for name, node in self.children.items():
            if name not in row:
                continue
            value = row[name]
            new = node.value(value, form)
            if new is not value:
                if changed is None:
                    changed = dict(row)
                if new is GONE:
                    del changed[name]
                else:
                    changed[name] = new
        return row if changed is None else changed

    def value(self, value: Any, form: Form) -> Any:
        """A value after all is done with it and what is in it."""
        if self.children:
            value = self._inside(value, form)
        return value if self.act is None else self.act(value, form)

    def _inside(self, value: Any, form: Form) -> Any:
        members = form.members(value)
        if members is not None:
            new = self.change(members, form)
            return value if new is members else form.whole(new)
        elements = form.elements(value)
        if elements is not None:
            return _same_or_new(value, elements, [self._inside(element, form) for element in elements], form)
        if self.blocked is not None:
            plain = form.plain(value)
            if plain is not None:
                self.blocked(next(iter(self.children)), plain)
        return value


def each_element(act: Act) -> Act:
    """The act on every element of an array, at any depth; on any other value itself."""

    def on_each(value: Any, form: Form) -> Any:
        elements = form.elements(value)
        if elements is None:
            return act(value, form)
        return _same_or_new(value, elements, [on_each(element, form) for element in elements], form)

    return on_each


def _same_or_new(value: Any, old: Sequence[Any], new: list[Any], form: Form) -> Any:
    return value if all(map(_is, old, new)) else form.whole(new)


def _is(one: Any, other: Any) -> bool:
    return one is other


def overlaps(option: str, paths: Mapping[str, FieldPath]) -> Iterable[Problem]:
    """Paths of an option that lie inside others of it, where each field may be named once only."""
    for name, path in paths.items():
        for other, around in paths.items():
            if name != other and path.steps[: len(around.steps)] == around.steps:
                yield Problem(f"{option}.{name}", f"it lies inside {other!r}, which is named too")
