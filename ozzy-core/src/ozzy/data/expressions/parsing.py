"""From text to a tree of which every node is known, and small enough to work with. Nothing is run here."""

import ast
import difflib
import warnings
from collections.abc import Collection, Iterator
from typing import Final

import attrs

from ozzy.data.expressions.context import INT_BITS
from ozzy.data.expressions.functions import ABSENT, BUILTINS
from ozzy.data.expressions.methods import KNOWN
from ozzy.errors import ConfigError

LONGEST: Final = 20_000
DEEPEST: Final = 120
MOST_NODES: Final = 5_000

MODULES: Final = frozenset({"calendar", "datetime", "itertools", "math", "random", "re"})

_ALLOWED: Final = (
    ast.Expression, ast.Constant, ast.Name, ast.Load, ast.Store, ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.BinOp, ast.UnaryOp,
    ast.BoolOp, ast.Compare, ast.IfExp, ast.Subscript, ast.Slice, ast.Attribute, ast.Call, ast.keyword, ast.Starred, ast.List, ast.Tuple,
    ast.Dict, ast.Set, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.comprehension, ast.JoinedStr, ast.FormattedValue,
)  # fmt: skip

_REFUSED: Final = {
    ast.Lambda: ("a lambda is not allowed", "Name a function instead, such as key=len, or write a comprehension."),
    ast.NamedExpr: ("an assignment is not allowed", "Change the record with item.update(name=value)."),
    ast.Await: ("await is not allowed", None),
    ast.Yield: ("yield is not allowed", None),
    ast.YieldFrom: ("yield is not allowed", None),
}


class ExpressionError(ConfigError):
    """An expression is wrong, and can be seen to be without a record."""


@attrs.frozen
class Source:
    """An expression's text, and how to point into it."""

    text: str

    def error(self, message: str, node: ast.AST | None = None, hint: str | None = None) -> ExpressionError:
        """What is wrong, with its place in the text, counted from 1."""
        line, column = getattr(node, "lineno", None), getattr(node, "col_offset", None)
        if line is None or column is None:
            return ExpressionError(message, hint=hint)
        place = f"line {line}, column {column + 1}" if "\n" in self.text else f"column {column + 1}"
        return ExpressionError(f"{place}: {message}", hint=hint)


def parsed(text: str, imports: Collection[str] = ()) -> ast.expr:
    """The tree of an expression. Raises ExpressionError with the place of what is wrong in it, and what is allowed."""
    source = Source(text)
    if not text.strip():
        raise source.error("an expression is empty", hint="Write one, such as item['price'] > 10.")
    if len(text) > LONGEST:
        raise source.error(f"an expression may have {LONGEST:,} characters, this one has {len(text):,}")
    tree = _tree(source)
    _check_size(source, tree)
    nodes = list(_walk(tree))
    for node in nodes:
        _check(source, node)
    _check_names(source, tree, imports)
    for node in nodes:
        if isinstance(node, ast.Attribute):
            _check_attribute(source, node, imports)
    return tree


def _tree(source: Source) -> ast.expr:
    text = source.text.strip()
    try:
        return _parse(text)
    except SyntaxError as error:
        if "\n" in text:
            try:
                return ast.increment_lineno(_parse(f"(\n{text}\n)"), -1)
            except SyntaxError:
                pass
        column = f"column {error.offset or len(text) + 1}: " if "\n" not in text else ""
        raise ExpressionError(f"{column}not an expression: {error.msg}") from None
    except (RecursionError, MemoryError):
        raise source.error("an expression is nested too deep") from None
    except ValueError as error:
        raise source.error(f"not an expression: {error}") from None


def _parse(text: str) -> ast.expr:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text, mode="eval").body


def _check_size(source: Source, tree: ast.expr) -> None:
    count, level = 0, [tree]
    depth = 0
    while level:
        depth += 1
        count += len(level)
        if depth > DEEPEST:
            raise source.error(f"an expression may be nested {DEEPEST} deep", level[0])
        if count > MOST_NODES:
            raise source.error(f"an expression may have {MOST_NODES:,} parts", level[0])
        level = [child for node in level for child in ast.iter_child_nodes(node)]  # type: ignore[misc]


def _walk(tree: ast.AST) -> Iterator[ast.AST]:
    pending = [tree]
    while pending:
        node = pending.pop()
        yield node
        pending += reversed(list(ast.iter_child_nodes(node)))


def _check(source: Source, node: ast.AST) -> None:
    if not isinstance(node, _ALLOWED) or isinstance(node, ast.MatMult):
        message, hint = _REFUSED.get(type(node), (f"{type(node).__name__} is not allowed", None))
        raise source.error(message, node, hint)
    if isinstance(node, ast.Constant):
        if type(node.value) is int and node.value.bit_length() > INT_BITS:
            raise source.error("the number is too large", node)
        if type(node.value) is complex:
            raise source.error("a record can't hold complex numbers", node)
        if node.value is ...:
            raise source.error("... is not allowed", node)
    if isinstance(node, ast.comprehension) and node.is_async:
        raise source.error("async is not allowed", node.target)
    if isinstance(node, ast.Name) and node.id.startswith("__"):
        raise source.error(f"the name {node.id} is not known", node)


def _check_attribute(source: Source, node: ast.Attribute, imports: Collection[str]) -> None:
    known = node.attr in KNOWN or (imports and not node.attr.startswith("_"))
    if not known and not _of_module(node):
        raise source.error(f"no value has {node.attr} here", node, _near(node.attr, KNOWN))


def _of_module(node: ast.Attribute) -> bool:
    """Whether it is an attribute of a module, or of what is in one: the compiler knows those."""
    inner: ast.AST = node
    while isinstance(inner, ast.Attribute):
        inner = inner.value
    return isinstance(inner, ast.Name) and (inner.id in MODULES or inner.id in BUILTINS)


def _near(name: str, known: Collection[str]) -> str | None:
    near = difflib.get_close_matches(name, known, n=3)
    return f"Did you mean {' or '.join(near)}?" if near else None


def _check_names(source: Source, tree: ast.AST, imports: Collection[str]) -> None:
    """Names that nothing gives, in the order they are met; a comprehension gives its own."""
    pending: list[tuple[ast.AST, frozenset[str]]] = [(tree, frozenset({"item", *MODULES, *BUILTINS, *imports}))]
    while pending:
        node, known = pending.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id not in known:
            raise source.error(f"the name {node.id} is not known", node, _name_hint(node.id, known))
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            pending += _of_comprehension(node, known)
        else:
            pending += [(child, known) for child in reversed(list(ast.iter_child_nodes(node)))]


def _of_comprehension(
    node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp, known: frozenset[str]
) -> list[tuple[ast.AST, frozenset[str]]]:
    found: list[tuple[ast.AST, frozenset[str]]] = []
    for generator in node.generators:
        found.append((generator.iter, known))
        known |= {name.id for name in ast.walk(generator.target) if isinstance(name, ast.Name)}
        found += [(condition, known) for condition in generator.ifs]
    parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    return [*found, *[(part, known) for part in parts]][::-1]


def _name_hint(name: str, known: Collection[str]) -> str:
    if name in ABSENT:
        return f"Not available: {ABSENT[name]}."
    return (
        _near(name, known) or "The record is `item`; a text stands in quotes. The functions are listed in the reference, under Expressions."
    )
