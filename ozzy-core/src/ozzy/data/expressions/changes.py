"""Expressions that do no more to a record than set top-level fields by `item.update(name=…)` and drop some by `item.pop('name')`.

Which fields those are is known before there is a record, so that nothing else of one has to be decoded, and no line has to be made anew.
"""

import ast
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from ozzy.data.batch import Batch
from ozzy.data.expressions.columns import Code, Columns, Elsewhere, in_columns
from ozzy.data.expressions.context import STEPS
from ozzy.data.expressions.evaluation import Evaluation
from ozzy.data.expressions.expression import fields_read
from ozzy.data.expressions.methods import CHANGING
from ozzy.data.expressions.parsing import parsed
from ozzy.data.json_text import MISSING
from ozzy.data.record import Record

_MOST: int = 100
"""Expressions that are never too many for the steps of a record, if each sets and drops fields by what costs none."""


@attrs.frozen
class _Set:
    """Fields and what they are set to; all values are those of the record before."""

    values: dict[str, ast.expr]


@attrs.frozen
class _Drop:
    """A field that is dropped; where it has to be there (`wanted`), a record without it is a bad one."""

    field: str
    wanted: bool


_Change = _Set | _Drop


class Changes:
    """What some expressions do to each record: `added` fields have new values, `dropped` ones are gone or stand at the end.

    `reads` are the fields that are looked at.
    """

    def __init__(self, changes: Sequence[_Change], reads: Sequence[str], *, at_once: bool) -> None:
        self._changes = changes
        self.reads = tuple(reads)
        added: dict[str, None] = {}
        dropped: dict[str, None] = {}
        for change in changes:
            if isinstance(change, _Set):
                added |= dict.fromkeys(change.values)
            else:
                added.pop(change.field, None)
                dropped[change.field] = None
        self.added = tuple(added)
        self.dropped = tuple(dropped)
        self._codes = _codes(changes) if at_once else None

    def of(self, evaluation: Evaluation, batch: Batch) -> dict[str, Sequence[Any]]:
        """The new values of each field that is added. Raises DataError with the row for which an expression fails."""
        columns = self._at_once(batch)
        if columns is None:
            columns = list(zip(*evaluation.partly(batch, self.reads, self._values(evaluation)), strict=True))
        return dict(zip(self.added, columns, strict=True)) if columns else {field: [] for field in self.added}

    def _values(self, evaluation: Evaluation) -> Any:
        def values(item: Record) -> list[Any]:
            for expression in evaluation.expressions:
                expression.of(item)
            return [item[field] for field in self.added]

        return values

    def _at_once(self, batch: Batch) -> list[Sequence[Any]] | None:
        """The values column by column; None where they are to be asked for record by record."""
        if self._codes is None:
            return None
        fields: dict[str, Sequence[Any]] = dict(zip(self.reads, batch.columns(self.reads), strict=True))
        try:
            for change, codes in zip(self._changes, self._codes, strict=True):
                if isinstance(change, _Drop):
                    if change.wanted and any(value is MISSING for value in fields[change.field]):
                        return None
                    fields[change.field] = [MISSING] * len(batch)
                else:
                    fields |= {field: code(Columns(fields, len(batch))) for field, code in codes.items()}
        except Exception:
            return None
        return [fields[field] for field in self.added]


def changes_of(evaluation: Evaluation) -> Changes | None:
    """What the expressions do, where it is no more than that; else None."""
    if evaluation.draws:
        return None
    changes = [_change(parsed(expression.text, ())) for expression in evaluation.expressions]
    reads: dict[str, None] = {}
    for change in changes:
        if change is None:
            return None
        found = (change.field,) if isinstance(change, _Drop) else _read_by(change.values)
        if found is None:
            return None
        reads |= dict.fromkeys(found)
    at_once = evaluation.context.steps >= STEPS and len(changes) <= _MOST
    return Changes([change for change in changes if change is not None], list(reads), at_once=at_once)


def _change(tree: ast.expr) -> _Change | None:
    match tree:
        case ast.Call(ast.Attribute(ast.Name("item"), "update"), [], [_, *_] as keywords):
            values = {one.arg: one.value for one in keywords if one.arg is not None}
            return _Set(values) if len(values) == len(keywords) else None
        case ast.Call(ast.Attribute(ast.Name("item"), "pop"), [ast.Constant(str(field)), *default], []) if len(default) <= 1:
            return _Drop(field, wanted=not default) if all(isinstance(one, ast.Constant) for one in default) else None
    return None


def _read_by(values: Mapping[str, ast.expr]) -> tuple[str, ...] | None:
    """The fields that these values look at and those they are for; None where it depends, or where asking for one may change something."""
    found = dict.fromkeys(values)
    for tree in values.values():
        read = fields_read(tree)
        if read is None or any(isinstance(node, ast.Attribute) and node.attr in CHANGING for node in ast.walk(tree)):
            return None
        found |= dict.fromkeys(read)
    return tuple(found)


def _codes(changes: Sequence[_Change]) -> list[dict[str, Code]] | None:
    """The values of each change as functions of columns; None where one is not that simple."""
    found: list[dict[str, Code]] = []
    try:
        for change in changes:
            trees = change.values if isinstance(change, _Set) else {}
            found.append({field: _code(tree) for field, tree in trees.items()})
    except Elsewhere:
        return None
    return found


def _code(tree: ast.expr) -> Code:
    code = in_columns(tree)
    if code is None:
        raise Elsewhere
    return code
