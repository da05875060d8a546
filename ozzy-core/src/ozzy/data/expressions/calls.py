"""How functions and methods may be called, seen before a record is."""

import ast
from collections.abc import Callable, Iterable
from inspect import Parameter, Signature, signature
from typing import Any

from ozzy.data.expressions.parsing import Source


def check_call(source: Source, node: ast.Call, name: str, works: Iterable[Callable[..., Any]], given: int) -> None:
    """See that one of `works` takes the arguments of a call, behind `given` that it gets anyway. Raises ExpressionError.

    Arguments behind stars are not known yet, and what a record holds decides which method of that name is called.
    """
    named = [keyword.arg for keyword in node.keywords]
    if None in named or any(isinstance(argument, ast.Starred) for argument in node.args):
        return
    forms = []
    for work in works:
        takes = signature(work)
        try:
            takes.bind(*[None] * (given + len(node.args)), **dict.fromkeys(map(str, named)))
        except TypeError:
            shown = [one.replace(annotation=Parameter.empty) for one in list(takes.parameters.values())[given:]]
            forms.append(f"{name}{takes.replace(parameters=shown, return_annotation=Signature.empty)}")
        else:
            return
    if forms:
        raise source.error(f"{name}() can't be called like this", node, f"Write {' or '.join(dict.fromkeys(forms))}.")
