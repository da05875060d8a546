"""What stands behind a dot, and behind two stars."""

from collections.abc import Callable
from typing import Any

from ozzy.data.expressions.context import Context, Function
from ozzy.data.expressions.methods import BY_NAME
from ozzy.data.expressions.values import name_of


def named_values(context: Context, value: Any) -> Any:
    """The names and values of what stands behind two stars."""
    if not isinstance(value, dict):
        raise TypeError(f"** takes a mapping, not {name_of(value)}")
    for key in value:
        if type(key) is not str:
            raise TypeError("** takes a mapping with texts as keys")
    context.spend(len(value))
    return value.items()


def attribute_of(context: Context, value: Any, name: str) -> Any:
    """What stands behind a dot where no table has it: only imported objects have more."""
    if context.open and not name.startswith("_") and type(value) is not Function:
        return getattr(value, name)
    raise AttributeError(f"{name_of(value)} has no {name}")


def unbound(function: Function, name: str) -> Callable[..., Any]:
    """A method named by its type, such as `str.lower`."""
    methods = BY_NAME[name]

    def run(context: Context, value: Any, *arguments: Any, **named: Any) -> Any:
        method = methods.get(type(value))
        if method is None or function.kind is None or not isinstance(value, function.kind):
            raise TypeError(f"{function.name}.{name} takes a {function.name}, not {name_of(value)}")
        return method(context, value, *arguments, **named)

    return run
