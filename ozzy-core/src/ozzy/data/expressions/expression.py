"""An expression, ready to be asked of records."""

import ast
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final

from ozzy.data.expressions.columns import in_columns
from ozzy.data.expressions.compiler import CONTEXT, ITEM, Compiler
from ozzy.data.expressions.context import STEPS, Context, LimitExceeded
from ozzy.data.expressions.functions import BUILTINS
from ozzy.data.expressions.methods import CHANGING
from ozzy.data.expressions.parsing import MODULES, Source, parsed
from ozzy.data.expressions.patterns import PatternError, compiled
from ozzy.data.expressions.texts import check_fields, check_percent, check_spec
from ozzy.data.expressions.values import settled
from ozzy.errors import ConfigError, DataError, Problem
from ozzy.log import reason

_SHOWN: Final = 100
_NEVER_ALONE: Final = (ast.Constant, ast.Name, ast.Starred)


class Expression:
    """One expression, compiled. It asks a context for steps, and is used by one thread at a time.

    `reads` are the top-level fields it looks at, None where that depends on the record. `changes` says whether it may change the record
    it looks at, `draws` whether it wants random numbers. `imports` are objects that it knows by these names: with them it may do
    whatever they can. `in_columns` asks it of many records at once, where it is that simple. Raises ExpressionError.

    >>> Expression("round(item['price'] * 1.21, 2)").of({"price": 10})
    12.1
    """

    def __init__(self, text: str, context: Context | None = None, *, imports: Mapping[str, Any] | None = None) -> None:
        self.text = text.strip()
        self.context = context if context is not None else Context(open=bool(imports))
        source = Source(text)
        tree = parsed(text, imports or ())
        compiler = Compiler(source, imports or {})
        self._code = compiler.compile(tree)
        self._frame: list[Any] = [None] * compiler.size
        self._frame[CONTEXT] = self.context
        names = list(ast.walk(tree))
        self.reads = fields_read(tree)
        self.changes = bool(imports) or any(isinstance(node, ast.Attribute) and node.attr in CHANGING for node in names)
        self.in_columns = None if self.changes else in_columns(tree)
        self.draws = any(isinstance(node, ast.Name) and node.id == "random" for node in names)
        trial = Context(self.context.steps, self.context.start)
        for node in _closed(tree, {"item", "random", *(imports or ())}):
            _try(source, node, trial)
        for part in names:
            _check_pattern(source, part)
            _check_format(source, part)

    def of(self, item: Any) -> Any:
        """Its value for a record, within what is left of the context's budget. Raises DataError, which says what went wrong."""
        self._frame[ITEM] = item
        try:
            return self._code(self._frame)
        except Exception as error:
            raise self.failed(error, item) from error

    def settled(self, item: Any) -> Any:
        """Its value as a part of a record; see `values.settled`. Raises DataError."""
        self._frame[ITEM] = item
        try:
            return settled(self.context, self._code(self._frame))
        except Exception as error:
            raise self.failed(error, item) from error

    def failed(self, error: Exception, item: Any) -> DataError:
        """What to tell of a record where it went wrong."""
        if isinstance(error, KeyError) and error.args and isinstance(error.args[0], str) and error.args[0] not in item:
            told = f"KeyError: the record has no {error.args[0]!r}"
        elif isinstance(error, LimitExceeded):
            told = str(error)
        else:
            told = reason(error)
        text = self.text if len(self.text) <= _SHOWN else f"{self.text[:_SHOWN]}…"
        return DataError(f"{text}: {told}")


def check(text: str, imports: Collection[str] = (), *, steps: int = STEPS) -> None:
    """See that an expression can be compiled. Raises ExpressionError."""
    Expression(text, Context(steps), imports=dict.fromkeys(imports))


def problem_in(option: str, text: str, imports: Collection[str] = (), *, steps: int = STEPS) -> Iterator[Problem]:
    """What is wrong with the expression of an option, for its module's `check_options`; nothing where it can be compiled."""
    try:
        check(text, imports, steps=steps)
    except ConfigError as error:
        yield Problem(option, error.message, error.hint)


def fields_read(tree: ast.expr) -> tuple[str, ...] | None:
    """The fields that an expression names, where `item['a']`, `item.get('a')` and `'a' in item` are all that it does with the record."""
    found: dict[str, None] = {}
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Name) and node.id == "item":
            return None
        field, rest = _read(node)
        if field is not None:
            found[field] = None
            pending += rest
        else:
            pending += ast.iter_child_nodes(node)
    return tuple(sorted(found))


def _read(node: ast.AST) -> tuple[str | None, list[ast.expr]]:
    """The field that a node reads, and what else there is in it."""
    if isinstance(node, ast.Subscript) and _is_item(node.value) and isinstance(node.ctx, ast.Load):
        return _text(node.slice), []
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get" and _is_item(node.func.value):
        return (_text(node.args[0]) if node.args and not node.keywords else None), node.args[1:]
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], (ast.In, ast.NotIn)):
        return (_text(node.left) if _is_item(node.comparators[0]) else None), []
    return None, []


def _is_item(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "item"


def _text(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _closed(tree: ast.expr, open_names: set[str]) -> Iterator[ast.expr]:
    """The largest parts of an expression that need neither the record nor a variable of a loop around them."""
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        alone = isinstance(node, ast.expr) and not isinstance(node, _NEVER_ALONE) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
        if alone and not _free(node) - _global(node, open_names):
            yield node  # type: ignore[misc]
        else:
            pending += ast.iter_child_nodes(node)


def _free(node: ast.AST) -> set[str]:
    names = [name for name in ast.walk(node) if isinstance(name, ast.Name)]
    return {name.id for name in names if isinstance(name.ctx, ast.Load)}


def _global(node: ast.AST, open_names: set[str]) -> set[str]:
    bound = {name.id for name in ast.walk(node) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)}
    return {*BUILTINS, *MODULES, *bound} - open_names


def _try(source: Source, node: ast.expr, context: Context) -> None:
    """Run a part that needs no record once: what is over a limit there is so for every record. Raises ExpressionError."""
    compiler = Compiler(source, {})
    code = compiler.compile(node)
    frame: list[Any] = [None] * compiler.size
    frame[CONTEXT] = context
    try:
        code(frame)
    except (LimitExceeded, PatternError) as error:
        raise source.error(str(error), node, "It would be so for every record.") from None
    except Exception:
        return


def _check_pattern(source: Source, node: ast.AST) -> None:
    """See that the pattern in a call such as `re.match('…', item['a'])` is one. Raises ExpressionError."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not node.args:
        return
    of_re = isinstance(node.func.value, ast.Name) and node.func.value.id == "re" and node.func.attr != "escape"
    pattern = _text(node.args[0])
    if of_re and pattern is not None:
        try:
            compiled(Context(), pattern)
        except (LimitExceeded, PatternError) as error:
            raise source.error(str(error), node.args[0], "The reference says under Expressions what patterns may have.") from None


def _check_format(source: Source, node: ast.AST) -> None:
    """See that a format which stands in the expression may be used, whatever the record gives it. Raises ExpressionError."""
    look, pattern = _format_in(node)
    if pattern is None:
        return
    try:
        look(Context(), pattern)
    except LimitExceeded as error:
        raise source.error(str(error), node, "It would be so for every record.") from None
    except ValueError as error:
        raise source.error(f"not a format: {error}", node, "It would fail for every record.") from None


def _format_in(node: ast.AST) -> tuple[Callable[[Context, str], object], str | None]:
    """The format that a node uses, and what is to be looked at in one of its kind; None where there is none, or the record gives it."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return check_percent, _text(node.left)
    if isinstance(node, ast.FormattedValue) and isinstance(node.format_spec, ast.JoinedStr):
        texts = [_text(part) for part in node.format_spec.values]
        return check_spec, None if None in texts else "".join(filter(None, texts))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "format":
        return check_spec, _text(node.args[1]) if len(node.args) == 2 else None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"format", "format_map"}:
        unbound = isinstance(node.func.value, ast.Name) and node.func.value.id == "str" and node.args
        return check_fields, _text(node.args[0] if unbound else node.func.value)
    return check_spec, None
