"""From a tree to closures: each node becomes a function of a frame, which holds the record, the context, and a slot for each variable.

Expressions have no loops but comprehensions and functions over lists, and those pay for what they go through; all else takes no more
steps than the tree has nodes.
"""

import ast
from collections.abc import Callable, Generator, Mapping
from typing import Any, Final

from ozzy.data.expressions import dates, modules, patterns
from ozzy.data.expressions.attributes import attribute_of, named_values, unbound
from ozzy.data.expressions.calls import check_call
from ozzy.data.expressions.context import TEXT_SHIFT, Context, Function, call
from ozzy.data.expressions.functions import BUILTINS
from ozzy.data.expressions.methods import ATTRIBUTES, BY_NAME, KNOWN
from ozzy.data.expressions.operators import BINARY, COMPARE, FAST, UNARY, subscript, unpacked
from ozzy.data.expressions.parsing import Source
from ozzy.data.expressions.texts import converted, formatted
from ozzy.data.expressions.values import hashable, iterable, sequence

Frame = list[Any]
Code = Callable[[Frame], Any]

ITEM: Final = 0
CONTEXT: Final = 1
_NOTHING: Final = object()


NAMESPACES: Final[dict[str, dict[str, Any]]] = {
    "calendar": modules.CALENDAR,
    "datetime": dates.DATETIME,
    "itertools": modules.ITERTOOLS,
    "math": modules.MATH,
    "random": modules.RANDOM,
    "re": patterns.RE,
}
"""The modules that expressions know, each with its names."""


class Compiler:
    """Compiles one tree. `size` is how many slots a frame needs afterwards."""

    def __init__(self, source: Source, imports: Mapping[str, Any]) -> None:
        self.source = source
        self.imports = imports
        self.size = 2
        self.scope: dict[str, int] = {}

    def compile(self, node: ast.AST) -> Code:
        """The function of one node."""
        found = self.static(node)
        if found is not _NOTHING:
            return lambda _frame: found
        code: Code = getattr(self, f"_{type(node).__name__.lower()}")(node)
        return code

    def static(self, node: ast.AST) -> Any:
        """The value of a node that is the same for every record: a constant, a function, or what a module holds."""
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            if node.id in self.scope or node.id == "item":
                return _NOTHING
            if node.id in self.imports:
                return self.imports[node.id]
            if node.id in BUILTINS:
                return BUILTINS[node.id]
            raise self.source.error(f"{node.id} is a module", node, f"Write {node.id}.name; it has {_some(NAMESPACES[node.id])}.")
        if isinstance(node, ast.Attribute):
            return self._static_attribute(node)
        return _NOTHING

    def _static_attribute(self, node: ast.Attribute) -> Any:
        value = node.value
        if isinstance(value, ast.Name) and value.id in NAMESPACES and value.id not in self.scope and value.id not in self.imports:
            names = NAMESPACES[value.id]
            if node.attr not in names:
                raise self.source.error(f"{value.id} has no {node.attr} here", node, f"It has {_some(names)}.")
            return names[node.attr]
        found = self.static(value) if isinstance(value, (ast.Name, ast.Attribute)) else _NOTHING
        if type(found) is not Function:
            if isinstance(value, (ast.Name, ast.Attribute)) and node.attr not in KNOWN and not self.imports:
                raise self.source.error(f"no value has {node.attr} here", node)
            return _NOTHING
        if node.attr in found.attributes:
            return found.attributes[node.attr]
        method = BY_NAME.get(node.attr, {}).get(found.kind) if found.kind is not None else None
        if method is None:
            raise self.source.error(f"{found.name} has no {node.attr} here", node)
        return Function(f"{found.name}.{node.attr}", unbound(found, node.attr))

    def _name(self, node: ast.Name) -> Code:
        slot = self.scope.get(node.id, ITEM)
        return lambda frame: frame[slot]

    def _binop(self, node: ast.BinOp) -> Code:
        name = type(node.op).__name__
        left, right, guarded = self.compile(node.left), self.compile(node.right), BINARY[name]
        fast = FAST.get(name)
        if fast is None:
            return lambda frame: guarded(frame[CONTEXT], left(frame), right(frame))
        if isinstance(node.right, ast.Constant):
            constant = node.right.value

            def with_constant(frame: Frame) -> Any:
                value = left(frame)
                return fast(value, constant) if type(value) is float else guarded(frame[CONTEXT], value, constant)

            return with_constant

        def run(frame: Frame) -> Any:
            value, other = left(frame), right(frame)
            return fast(value, other) if type(value) is float else guarded(frame[CONTEXT], value, other)

        return run

    def _unaryop(self, node: ast.UnaryOp) -> Code:
        operand, work = self.compile(node.operand), UNARY[type(node.op).__name__]
        return lambda frame: work(operand(frame))

    def _boolop(self, node: ast.BoolOp) -> Code:
        values = [self.compile(value) for value in node.values]
        wanted = isinstance(node.op, ast.Or)
        *first, last = values

        def run(frame: Frame) -> Any:
            for value in first:
                found = value(frame)
                if bool(found) is wanted:
                    return found
            return last(frame)

        return run

    def _compare(self, node: ast.Compare) -> Code:
        first = self.compile(node.left)
        rest = [(COMPARE[type(op).__name__], self.compile(value)) for op, value in zip(node.ops, node.comparators, strict=True)]
        if len(rest) == 1:
            compare, other = rest[0]
            return lambda frame: compare(frame[CONTEXT], first(frame), other(frame))

        def run(frame: Frame) -> Any:
            left = first(frame)
            result: Any = True
            for compare, value in rest:
                right = value(frame)
                result = compare(frame[CONTEXT], left, right)
                if not result:
                    return result
                left = right
            return result

        return run

    def _ifexp(self, node: ast.IfExp) -> Code:
        test, body, orelse = self.compile(node.test), self.compile(node.body), self.compile(node.orelse)
        return lambda frame: body(frame) if test(frame) else orelse(frame)

    def _subscript(self, node: ast.Subscript) -> Code:
        if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
            field = node.slice.value
            if isinstance(node.value, ast.Name) and node.value.id == "item" and "item" not in self.scope:
                return lambda frame: frame[ITEM][field]
        value, key = self.compile(node.value), self.compile(node.slice)
        return lambda frame: subscript(frame[CONTEXT], value(frame), key(frame))

    def _slice(self, node: ast.Slice) -> Code:
        bounds = [self.compile(bound) if bound is not None else None for bound in (node.lower, node.upper, node.step)]
        return lambda frame: slice(*[None if bound is None else bound(frame) for bound in bounds])

    def _attribute(self, node: ast.Attribute) -> Code:
        value, name = self.compile(node.value), node.attr
        methods = BY_NAME.get(name, {})

        def run(frame: Frame) -> Any:
            found = value(frame)
            if name in ATTRIBUTES.get(type(found), ()):
                return getattr(found, name)
            if (method := methods.get(type(found))) is not None:
                return Function(name, lambda context, *arguments, **named: method(context, found, *arguments, **named))
            return attribute_of(frame[CONTEXT], found, name)

        return run

    def _call(self, node: ast.Call) -> Code:
        function = self.static(node.func)
        if type(function) is Function:
            check_call(self.source, node, function.name, [function.run], 1)
            return self._call_function(node, function)
        if isinstance(node.func, ast.Attribute):
            methods = BY_NAME.get(node.func.attr, {}) if not self.imports else {}
            check_call(self.source, node, node.func.attr, dict.fromkeys(methods.values()), 2)
            return self._call_method(node, node.func)
        called = self.compile(node.func)
        arguments = self._arguments(node)

        def run(frame: Frame) -> Any:
            target = called(frame)
            values, named = arguments(frame)
            return call(frame[CONTEXT], target, *values, **named)

        return run

    def _call_function(self, node: ast.Call, function: Function) -> Code:
        work = function.run
        if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
            arguments = self._arguments(node)

            def run(frame: Frame) -> Any:
                values, named = arguments(frame)
                return work(frame[CONTEXT], *values, **named)

            return run
        codes = [self.compile(argument) for argument in node.args]
        if len(codes) == 1:
            first = codes[0]
            return lambda frame: work(frame[CONTEXT], first(frame))
        if len(codes) == 2:
            first, second = codes
            return lambda frame: work(frame[CONTEXT], first(frame), second(frame))
        return lambda frame: work(frame[CONTEXT], *[code(frame) for code in codes])

    def _call_method(self, node: ast.Call, func: ast.Attribute) -> Code:
        value, name = self.compile(func.value), func.attr
        methods = BY_NAME.get(name, {})
        arguments = self._arguments(node)

        def run(frame: Frame) -> Any:
            found = value(frame)
            method = methods.get(type(found))
            values, named = arguments(frame)
            if method is not None:
                return method(frame[CONTEXT], found, *values, **named)
            return call(frame[CONTEXT], attribute_of(frame[CONTEXT], found, name), *values, **named)

        return run

    def _arguments(self, node: ast.Call) -> Callable[[Frame], tuple[list[Any], dict[str, Any]]]:
        values = self._members(node.args)
        named = [(keyword.arg, self.compile(keyword.value)) for keyword in node.keywords]
        if not named:
            return lambda frame: (values(frame), {})

        def run(frame: Frame) -> tuple[list[Any], dict[str, Any]]:
            positional = values(frame)
            found: dict[str, Any] = {}
            for name, code in named:
                value = code(frame)
                for key, one in ((name, value),) if name is not None else named_values(frame[CONTEXT], value):
                    if key in found:
                        raise TypeError(f"{key} is given twice")
                    found[key] = one
            return positional, found

        return run

    def _members(self, nodes: list[ast.expr]) -> Callable[[Frame], list[Any]]:
        """What members of a list, or arguments, are; one with a star gives all of its own."""
        if not any(isinstance(node, ast.Starred) for node in nodes):
            codes = [self.compile(node) for node in nodes]
            if len(codes) == 1:
                only = codes[0]
                return lambda frame: [only(frame)]
            return lambda frame: [code(frame) for code in codes]
        pairs = [(isinstance(node, ast.Starred), self.compile(node.value if isinstance(node, ast.Starred) else node)) for node in nodes]

        def run(frame: Frame) -> list[Any]:
            found: list[Any] = []
            for starred, code in pairs:
                if starred:
                    found.extend(sequence(frame[CONTEXT], code(frame)))
                else:
                    found.append(code(frame))
            return found

        return run

    def _list(self, node: ast.List) -> Code:
        return self._members(node.elts)

    def _tuple(self, node: ast.Tuple) -> Code:
        members = self._members(node.elts)
        return lambda frame: tuple(members(frame))

    def _set(self, node: ast.Set) -> Code:
        members = self._members(node.elts)
        return lambda frame: {hashable(frame[CONTEXT], value) for value in members(frame)}

    def _dict(self, node: ast.Dict) -> Code:
        pairs = [
            (None if key is None else self.compile(key), self.compile(value)) for key, value in zip(node.keys, node.values, strict=True)
        ]

        def run(frame: Frame) -> dict[Any, Any]:
            found: dict[Any, Any] = {}
            for key, value in pairs:
                if key is None:
                    found.update(named_values(frame[CONTEXT], value(frame)))
                else:
                    found[hashable(frame[CONTEXT], key(frame))] = value(frame)
            return found

        return run

    def _joinedstr(self, node: ast.JoinedStr) -> Code:
        codes = [self.compile(value) for value in node.values]

        def run(frame: Frame) -> str:
            text = "".join([code(frame) for code in codes])
            frame[CONTEXT].spend(len(text) >> TEXT_SHIFT)
            return text

        return run

    def _formattedvalue(self, node: ast.FormattedValue) -> Code:
        value = self.compile(node.value)
        spec = self.compile(node.format_spec) if node.format_spec is not None else None
        conversion = chr(node.conversion) if node.conversion > 0 else None

        def run(frame: Frame) -> str:
            context = frame[CONTEXT]
            return formatted(context, converted(context, value(frame), conversion), spec(frame) if spec is not None else "")

        return run

    def _listcomp(self, node: ast.ListComp) -> Code:
        rows = self._rows(node.generators, [node.elt])
        return lambda frame: [row[0] for row in rows(frame)]

    def _setcomp(self, node: ast.SetComp) -> Code:
        rows = self._rows(node.generators, [node.elt])
        return lambda frame: {hashable(frame[CONTEXT], row[0]) for row in rows(frame)}

    def _dictcomp(self, node: ast.DictComp) -> Code:
        rows = self._rows(node.generators, [node.key, node.value])
        return lambda frame: {hashable(frame[CONTEXT], row[0]): row[1] for row in rows(frame)}

    def _generatorexp(self, node: ast.GeneratorExp) -> Code:
        rows = self._rows(node.generators, [node.elt])

        def run(frame: Frame) -> Generator[Any, None, None]:
            return (row[0] for row in rows(frame[:]))

        return run

    def _rows(self, generators: list[ast.comprehension], parts: list[ast.expr]) -> Callable[[Frame], Generator[list[Any], None, None]]:
        """The loops of a comprehension; each turn pays for the nodes that it runs."""
        outer = self.scope
        self.scope = dict(outer)
        levels = []
        for generator in generators:
            source = self.compile(generator.iter)
            assign = self._target(generator.target)
            conditions = [self.compile(condition) for condition in generator.ifs]
            levels.append((source, assign, conditions, 1 + sum(map(_nodes, generator.ifs))))
        values = [self.compile(part) for part in parts]
        cost = sum(map(_nodes, parts)) + sum(_nodes(generator.iter) for generator in generators[1:])
        self.scope = outer

        def loop(frame: Frame, level: int) -> Generator[list[Any], None, None]:
            source, assign, conditions, price = levels[level]
            context: Context = frame[CONTEXT]
            last = level + 1 == len(levels)
            for value in iterable(context, source(frame)):
                context.spend(price + cost)
                assign(frame, value)
                if not all(condition(frame) for condition in conditions):
                    continue
                if last:
                    yield [code(frame) for code in values]
                else:
                    yield from loop(frame, level + 1)

        return lambda frame: loop(frame, 0)

    def _target(self, node: ast.AST) -> Callable[[Frame, Any], None]:
        """What puts a value into the variables of a loop."""
        if isinstance(node, ast.Name):
            slot = self.size
            self.size += 1
            self.scope[node.id] = slot

            def assign(frame: Frame, value: Any) -> None:
                frame[slot] = value

            return assign
        if not isinstance(node, (ast.Tuple, ast.List)) or any(isinstance(one, ast.Starred) for one in node.elts):
            raise self.source.error("a loop puts its values into names", node)
        targets = [self._target(one) for one in node.elts]

        def assign_all(frame: Frame, value: Any) -> None:
            for target, one in zip(targets, unpacked(frame[CONTEXT], value, len(targets)), strict=True):
                target(frame, one)

        return assign_all


def _nodes(tree: ast.AST) -> int:
    return sum(1 for _ in ast.walk(tree))


def _some(names: Mapping[str, Any]) -> str:
    return ", ".join(sorted(names))
