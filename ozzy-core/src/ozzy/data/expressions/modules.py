"""The modules math, itertools, calendar and random as expressions know them."""
# ruff: noqa: ARG001 - functions of expressions are all called alike, with the context first

import calendar
import itertools
import math
import operator
from collections.abc import Callable, Iterator
from random import Random
from time import struct_time
from typing import Any, Final

from ozzy.data.expressions.context import INT_BITS, ROW_SHIFT, Context, Function, LimitExceeded, call, effort
from ozzy.data.expressions.operators import bits, multiply
from ozzy.data.expressions.values import lazily, sequence, steps, weigh

_MOST_INPUTS: Final = 100
_endless: Final = 1 << 62


def _plain(name: str, work: Callable[..., Any]) -> Function:
    """A function of numbers, which costs nothing to speak of."""

    def run(context: Context, *numbers: Any) -> Any:
        for number in numbers:
            if not isinstance(number, (int, float)):
                raise TypeError(f"{name}() takes numbers")
            if isinstance(number, int):
                context.spend(effort(number))
        return work(*numbers)

    return Function(name, run)


def _bounded(name: str, work: Callable[..., Any], size: Callable[..., int]) -> Function:
    """A function of whole numbers whose outcome has at most `size(numbers)` bits."""

    def run(context: Context, *numbers: Any) -> Any:
        if not all(isinstance(number, int) for number in numbers):
            raise TypeError(f"{name}() takes whole numbers")
        bits(context, size(*[min(abs(number), _endless) for number in numbers]) if numbers else 0)
        return work(*numbers)

    return Function(name, run)


def _taking_all(name: str, work: Callable[..., Any]) -> Function:
    """A function of lists of numbers."""

    def run(context: Context, *several: Any) -> Any:
        lists = [list(sequence(context, values)) for values in several]
        context.spend(sum(map(len, lists)))
        if not all(isinstance(number, (int, float)) for numbers in lists for number in numbers):
            raise TypeError(f"{name}() takes numbers")
        return work(*lists)

    return Function(name, run)


def _product(context: Context, values: Any, *, start: Any = 1) -> Any:
    total = start
    for value in steps(context, values):
        total = multiply(context, total, value)
    return total


def _is_close(context: Context, left: Any, right: Any, *, rel_tol: float = 1e-09, abs_tol: float = 0.0) -> bool:
    return math.isclose(left, right, rel_tol=rel_tol, abs_tol=abs_tol)


_PLAIN_MATH = (
    "acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh degrees erf erfc exp exp2 expm1 fabs floor fmod frexp gamma "
    "isfinite isinf isnan isqrt ldexp lgamma log log10 log1p log2 modf nextafter pow radians remainder sin sinh sqrt tan tanh trunc ulp"
)

MATH: Final[dict[str, Any]] = {
    **{name: getattr(math, name) for name in ("e", "inf", "nan", "pi", "tau")},
    **{name: _plain(name, getattr(math, name)) for name in _PLAIN_MATH.split()},
    "comb": _bounded("comb", math.comb, lambda n, k: min(n, k * n.bit_length())),
    "factorial": _bounded("factorial", math.factorial, lambda n: n * n.bit_length()),
    "perm": _bounded("perm", math.perm, lambda n, k=None: (n if k is None else min(n, k)) * n.bit_length()),
    "gcd": _plain("gcd", math.gcd),
    "lcm": _bounded("lcm", math.lcm, lambda *numbers: sum(number.bit_length() for number in numbers)),
    "dist": _taking_all("dist", math.dist),
    "fsum": _taking_all("fsum", math.fsum),
    "hypot": _plain("hypot", math.hypot),
    "isclose": Function("isclose", _is_close),
    "prod": Function("prod", _product),
}


def _count(context: Context, start: Any = 0, step: Any = 1) -> Iterator[Any]:
    return lazily(context, itertools.count(start, step))


def _cycle(context: Context, values: Any) -> Iterator[Any]:
    return lazily(context, itertools.cycle(steps(context, values)))


def _repeat(context: Context, value: Any, *times: Any) -> Iterator[Any]:
    return lazily(context, itertools.repeat(value, *times))


def _chain(context: Context, *several: Any) -> Iterator[Any]:
    return (value for values in several for value in steps(context, values))


def _chain_from(context: Context, several: Any) -> Iterator[Any]:
    return (value for values in steps(context, several) for value in steps(context, values))


def _accumulate(context: Context, values: Any, function: Any = None, *, initial: Any = None) -> Iterator[Any]:
    def work(left: Any, right: Any) -> Any:
        weigh(context, left)
        return operator.add(left, right) if function is None else call(context, function, left, right)

    return lazily(context, itertools.accumulate(steps(context, values), work, initial=initial))


def _islice(context: Context, values: Any, *bounds: Any) -> Iterator[Any]:
    return lazily(context, itertools.islice(steps(context, values), *bounds))


def _judging(work: Any) -> Any:
    def run(context: Context, function: Any, values: Any) -> Iterator[Any]:
        def judge(value: Any) -> Any:
            return value if function is None else call(context, function, value)

        return lazily(context, work(judge, steps(context, values)))

    return run


def _starmap(context: Context, function: Any, values: Any) -> Iterator[Any]:
    return (call(context, function, *sequence(context, arguments)) for arguments in steps(context, values))


def _zip_longest(context: Context, *several: Any, fillvalue: Any = None) -> Iterator[Any]:
    return lazily(context, itertools.zip_longest(*[steps(context, values) for values in several], fillvalue=fillvalue))


def _compress(context: Context, values: Any, chosen: Any) -> Iterator[Any]:
    return lazily(context, itertools.compress(steps(context, values), steps(context, chosen)))


def _pairwise(context: Context, values: Any) -> Iterator[Any]:
    return lazily(context, itertools.pairwise(steps(context, values)))


def _groupby(context: Context, values: Any, key: Any = None) -> Iterator[Any]:
    def keyed(value: Any) -> Any:
        found = value if key is None else call(context, key, value)
        weigh(context, found)
        return found

    for value, group in itertools.groupby(steps(context, values), keyed):
        yield value, lazily(context, group)


def _all_products(context: Context, *several: Any, repeat: Any = 1) -> Iterator[Any]:
    if not 0 <= repeat * len(several) <= _MOST_INPUTS:
        raise LimitExceeded(f"product() takes at most {_MOST_INPUTS} lists")
    lists = [list(sequence(context, values)) for values in several]
    return lazily(context, itertools.product(*lists, repeat=repeat), 1 + (len(lists) * repeat >> ROW_SHIFT))


def _choosing(work: Any) -> Any:
    def run(context: Context, values: Any, size: Any = None) -> Iterator[Any]:
        found = list(sequence(context, values))
        length = len(found) if size is None else size
        context.spend(max(length, 0))
        return lazily(context, work(found, length), 1 + (max(length, 0) >> ROW_SHIFT))

    return run


ITERTOOLS: Final[dict[str, Function]] = {
    function.name: function
    for function in (
        Function("accumulate", _accumulate),
        Function("chain", _chain, attributes={"from_iterable": Function("from_iterable", _chain_from)}),
        Function("combinations", _choosing(itertools.combinations)),
        Function("combinations_with_replacement", _choosing(itertools.combinations_with_replacement)),
        Function("compress", _compress),
        Function("count", _count),
        Function("cycle", _cycle),
        Function("dropwhile", _judging(itertools.dropwhile)),
        Function("filterfalse", _judging(itertools.filterfalse)),
        Function("groupby", _groupby),
        Function("islice", _islice),
        Function("pairwise", _pairwise),
        Function("permutations", _choosing(itertools.permutations)),
        Function("product", _all_products),
        Function("repeat", _repeat),
        Function("starmap", _starmap),
        Function("takewhile", _judging(itertools.takewhile)),
        Function("zip_longest", _zip_longest),
    )
}


def _timegm(context: Context, moment: Any) -> int:
    if type(moment) is not struct_time and type(moment) is not tuple:
        raise TypeError("timegm() takes what .timetuple() gives")
    return calendar.timegm(moment)


_DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")

CALENDAR: Final[dict[str, Any]] = {
    **{name: int(getattr(calendar, name)) for name in _DAYS},
    **{name: tuple(getattr(calendar, name)) for name in ("day_abbr", "day_name", "month_abbr", "month_name")},
    **{name: _plain(name, getattr(calendar, name)) for name in ("isleap", "leapdays", "monthrange", "weekday")},
    "timegm": Function("timegm", _timegm),
}


def _drawing(name: str) -> Function:
    def run(context: Context, *numbers: Any) -> Any:
        if not all(isinstance(number, (int, float)) for number in numbers):
            raise TypeError(f"{name}() takes numbers")
        return getattr(context.random, name)(*numbers)

    return Function(name, run)


def _bits_drawn(context: Context, count: int) -> int:
    if count > INT_BITS:
        bits(context, count)
    return context.random.getrandbits(count)


def _choice(context: Context, values: Any) -> Any:
    return context.random.choice(sequence(context, values))


def _choices(context: Context, values: Any, weights: Any = None, *, cum_weights: Any = None, k: Any = 1) -> list[Any]:
    context.spend(max(k, 0))
    return context.random.choices(sequence(context, values), weights, cum_weights=cum_weights, k=k)


def _sample(context: Context, values: Any, k: Any) -> list[Any]:
    if type(values) is not range:
        values = sequence(context, values)
    context.spend(max(k, 0))
    return context.random.sample(values, k)


def _shuffle(context: Context, values: Any) -> None:
    if type(values) is not list:
        raise TypeError("shuffle() takes a list")
    context.spend(len(values))
    context.random.shuffle(values)


_DRAWS = (
    "betavariate expovariate gammavariate gauss lognormvariate normalvariate paretovariate randint random randrange triangular uniform "
    "vonmisesvariate weibullvariate"
)

RANDOM: Final[dict[str, Function]] = {
    **{name: _drawing(name) for name in _DRAWS.split() if hasattr(Random, name)},
    "choice": Function("choice", _choice),
    "choices": Function("choices", _choices),
    "getrandbits": Function("getrandbits", _bits_drawn),
    "sample": Function("sample", _sample),
    "shuffle": Function("shuffle", _shuffle),
}
