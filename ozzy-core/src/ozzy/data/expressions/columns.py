"""Simple expressions asked of many records at once: numbers, comparisons and choices, column by column.

Only what needs no steps is done here, on values that are numbers, short texts, true, false or null. Whatever else there is in an expression
or in a batch, an error too, is left to the evaluation record by record, which says what is right.
"""

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from itertools import compress, repeat
from typing import Any, Final

from ozzy.data.expressions.functions import BUILTINS
from ozzy.data.json_text import MISSING


class Elsewhere(Exception):  # noqa: N818 - it is no error
    """These values, or this expression, have to be looked at record by record."""


class Columns:
    """Some records, of which each field that an expression names is a column, `MISSING` where a record has none."""

    def __init__(self, fields: "Mapping[str, Sequence[Any]] | Columns", count: int, mask: Sequence[bool] | None = None) -> None:
        self.count = count
        self._fields = fields
        self._mask = mask

    def __getitem__(self, field: str) -> Sequence[Any]:
        found = self._fields[field]
        return found if self._mask is None else list(compress(found, self._mask))

    def where(self, mask: Sequence[bool]) -> "Columns":
        """The records for which the mask is true."""
        return Columns(self, sum(mask), mask)


Code = Callable[[Columns], Sequence[Any]]
Work = Callable[[Any, Any], Any]

_NUMBERS: Final = frozenset({int, float})
_KNOWN: Final = frozenset({int, float, bool, str, type(None)})
_LARGEST: Final = 1 << 62
"""Whole numbers below it cost no steps, whatever is done with two of them."""

_SHORT: Final = 63
"""Texts of so many characters cost no steps."""

_PLACES: Final = 15

_ARITHMETIC: Final[Mapping[type, Work]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_COMPARE: Final[Mapping[type, Work]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def in_columns(tree: ast.expr) -> Code | None:
    """An expression as a function of columns, which raises `Elsewhere`, or any error, where it can't tell; None where it never could."""
    try:
        code = _compiled(tree)
    except Elsewhere:
        return None

    def checked(columns: Columns) -> Sequence[Any]:
        found = code(columns)
        if not set(map(type, found)) <= _KNOWN:
            raise Elsewhere
        return found

    return checked


def _compiled(node: ast.expr) -> Code:
    work = _NODES.get(type(node))
    if work is None:
        raise Elsewhere
    return work(node)


def _constant(node: ast.Constant) -> Code:
    value = node.value
    if type(value) not in _KNOWN:
        raise Elsewhere
    return lambda columns: [value] * columns.count


def _binop(node: ast.BinOp) -> Code:
    work = _ARITHMETIC.get(type(node.op))
    if work is None:
        raise Elsewhere
    if isinstance(node.right, ast.Constant):
        left, constant = _numbers(_compiled(node.left)), _number(node.right.value)
        return lambda columns: list(map(work, left(columns), repeat(constant)))
    left, right = _numbers(_compiled(node.left)), _numbers(_compiled(node.right))
    return lambda columns: list(map(work, left(columns), right(columns)))


def _number(constant: Any) -> int | float:
    """A constant that is a number which costs nothing."""
    if type(constant) not in _NUMBERS or abs(constant) >= _LARGEST:
        raise Elsewhere
    found: int | float = constant
    return found


def _unaryop(node: ast.UnaryOp) -> Code:
    operand = _compiled(node.operand)
    if isinstance(node.op, ast.Not):
        return lambda columns: list(map(operator.not_, operand(columns)))
    if isinstance(node.op, ast.USub):
        numbers = _numbers(operand)
        return lambda columns: list(map(operator.neg, numbers(columns)))
    raise Elsewhere


def _compare(node: ast.Compare) -> Code:
    if len(node.ops) > 1:
        raise Elsewhere
    op, right = node.ops[0], node.comparators[0]
    if isinstance(op, (ast.In, ast.NotIn)):
        return _in_item(node.left, right, wanted=isinstance(op, ast.In))
    left = _compiled(node.left)
    if not isinstance(right, ast.Constant):
        raise Elsewhere
    constant = right.value
    if isinstance(op, (ast.Is, ast.IsNot)):
        if constant is not None and type(constant) is not bool:
            raise Elsewhere
        if isinstance(op, ast.Is):
            return lambda columns: [value is constant for value in left(columns)]
        return lambda columns: [value is not constant for value in left(columns)]
    work = _COMPARE[type(op)]
    if isinstance(op, (ast.Eq, ast.NotEq)) and type(constant) in _KNOWN:
        values = _simple(left)
        return lambda columns: list(map(work, values(columns), repeat(constant)))
    if type(constant) is str:
        texts = _texts(left)
        return lambda columns: list(map(work, texts(columns), repeat(constant)))
    numbers, number = _numbers(left), _number(constant)
    return lambda columns: list(map(work, numbers(columns), repeat(number)))


def _in_item(left: ast.expr, right: ast.expr, *, wanted: bool) -> Code:
    if not _is_item(right) or not isinstance(left, ast.Constant) or type(left.value) is not str:
        raise Elsewhere
    field = left.value
    return lambda columns: [(value is not MISSING) is wanted for value in columns[field]]


def _boolop(node: ast.BoolOp) -> Code:
    *first, last = map(_compiled, node.values)
    wanted = isinstance(node.op, ast.Or)

    def run(columns: Columns, at: int = 0) -> Sequence[Any]:
        if at == len(first):
            return last(columns)
        found = first[at](columns)
        decided = [bool(value) is wanted for value in found]
        if all(decided):
            return found
        rest = iter(run(columns.where(list(map(operator.not_, decided))), at + 1))
        return [value if done else next(rest) for value, done in zip(found, decided, strict=True)]

    return run


def _ifexp(node: ast.IfExp) -> Code:
    test, body, orelse = _compiled(node.test), _compiled(node.body), _compiled(node.orelse)

    def run(columns: Columns) -> Sequence[Any]:
        truths = list(map(bool, test(columns)))
        if all(truths):
            return body(columns)
        if not any(truths):
            return orelse(columns)
        yes, no = iter(body(columns.where(truths))), iter(orelse(columns.where(list(map(operator.not_, truths)))))
        return [next(yes) if truth else next(no) for truth in truths]

    return run


def _subscript(node: ast.Subscript) -> Code:
    if not _is_item(node.value) or not isinstance(node.slice, ast.Constant) or type(node.slice.value) is not str:
        raise Elsewhere
    field = node.slice.value

    def run(columns: Columns) -> Sequence[Any]:
        values = columns[field]
        if type(MISSING) in set(map(type, values)):
            raise Elsewhere
        return values

    return run


def _call(node: ast.Call) -> Code:
    if node.keywords:
        raise Elsewhere
    if isinstance(node.func, ast.Attribute):
        return _get(node, node.func)
    if not isinstance(node.func, ast.Name) or node.func.id not in BUILTINS:
        raise Elsewhere
    if node.func.id == "abs" and len(node.args) == 1:
        numbers = _numbers(_compiled(node.args[0]))
        return lambda columns: list(map(abs, numbers(columns)))
    if node.func.id == "round" and len(node.args) == 2 and isinstance(node.args[1], ast.Constant):
        numbers, places = _numbers(_compiled(node.args[0])), node.args[1].value
        if type(places) is not int or not 0 <= places <= _PLACES:
            raise Elsewhere
        return lambda columns: list(map(round, numbers(columns), repeat(places)))
    raise Elsewhere


def _get(node: ast.Call, func: ast.Attribute) -> Code:
    """`item.get(name)`, with a default that is a constant or without."""
    constants: list[Any] = [one.value for one in node.args if isinstance(one, ast.Constant) and type(one.value) in _KNOWN]
    if func.attr != "get" or not _is_item(func.value) or not 1 <= len(constants) == len(node.args) <= 2 or type(constants[0]) is not str:
        raise Elsewhere
    field, default = constants if len(constants) == 2 else (constants[0], None)
    return lambda columns: [default if value is MISSING else value for value in columns[field]]


def _is_item(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "item"


def _numbers(code: Code) -> Code:
    """The same, where all values are numbers that cost nothing."""

    def run(columns: Columns) -> Sequence[Any]:
        values = code(columns)
        kinds = set(map(type, values))
        if not kinds <= _NUMBERS:
            raise Elsewhere
        if int in kinds and not -_LARGEST < min(values) <= max(values) < _LARGEST:
            raise Elsewhere
        return values

    return run


def _texts(code: Code) -> Code:
    """The same, where all values are texts that cost nothing."""

    def run(columns: Columns) -> Sequence[Any]:
        values = code(columns)
        if not set(map(type, values)) <= {str} or max(map(len, values), default=0) > _SHORT:
            raise Elsewhere
        return values

    return run


def _simple(code: Code) -> Code:
    """The same, where no value is a list or a mapping, nor costs anything."""

    def run(columns: Columns) -> Sequence[Any]:
        values = code(columns)
        kinds = set(map(type, values))
        if not kinds <= _KNOWN or (str in kinds and max(len(value) for value in values if type(value) is str) > _SHORT):
            raise Elsewhere
        return values

    return run


_NODES: Final[Mapping[type, Callable[[Any], Code]]] = {
    ast.BinOp: _binop,
    ast.BoolOp: _boolop,
    ast.Call: _call,
    ast.Compare: _compare,
    ast.Constant: _constant,
    ast.IfExp: _ifexp,
    ast.Subscript: _subscript,
    ast.UnaryOp: _unaryop,
}
