"""The inherited decorators for calls that may fail for a while, on the core's policy of retries.

What cannot succeed is not tried again: errors of a config, of a record or of the program itself. `disable_retries` and `set_retry_init`
hold for the whole process, `disable_retries: true` in a config for the modules of its pipeline.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar

import attrs

from ozzy import BaseModule, ConfigError, DestinationError, OzzyError, Retries, SourceError
from ozzy.log import logger
from ozzy.retry import ONCE, call

P = ParamSpec("P")
T = TypeVar("T")
Init = Callable[[tuple[Any, ...], dict[str, Any]], tuple[tuple[Any, ...], Mapping[str, Any]]]

LASTING = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    FileExistsError,
    FileNotFoundError,
    ImportError,
    IsADirectoryError,
    LookupError,
    NameError,
    NotADirectoryError,
    NotImplementedError,
    PermissionError,
    TypeError,
    ValueError,
)
"""Errors that the next try would raise again."""

SHORT = {"stop_max_attempt_number": 10, "stop_max_delay": 120_000, "wait_exponential_multiplier": 1000, "wait_exponential_max": 10_000}
LONG = {"stop_max_attempt_number": 8, "stop_max_delay": 1_800_000, "wait_exponential_multiplier": 5000, "wait_exponential_max": 640_000}

_init: Init | None = None
_disabled = 0


class NonGeneratorError(ConfigError):
    """`retry_generator` was put on a function that is no generator."""


def set_retry_init(fn: Init | None) -> None:
    """Let `fn(args, kwargs)` change the keywords of every retried call, from now on; None lets them be.

    The keywords are `stop_max_attempt_number`, `stop_max_delay`, `wait_exponential_multiplier`, `wait_exponential_max` and `wait_fixed`,
    times in milliseconds, and `retry_on_exception`, a function.
    """
    global _init  # noqa: PLW0603 - the inherited switch is one a process
    _init = fn


def disable_retries() -> None:
    """One try for each call, from now on."""
    global _disabled  # noqa: PLW0603 - the inherited switch is one a process
    _disabled += 1


def reenable_retries() -> None:
    """Undo every `disable_retries`."""
    global _disabled  # noqa: PLW0603 - the inherited switch is one a process
    _disabled = 0


@contextmanager
def disabled_retries() -> Iterator[None]:
    """One try for each call inside of it; what held before holds after it."""
    global _disabled  # noqa: PLW0603 - the inherited switch is one a process
    before = _disabled
    disable_retries()
    try:
        yield
    finally:
        _disabled = before


def initialized_retry(*args: Any, **keywords: Any) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """A decorator that tries a call again, with keywords as `set_retry_init` names them."""
    _policy(keywords)

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def retried(*given: P.args, **named: P.kwargs) -> T:
            chosen: Mapping[str, Any] = keywords
            if _init is not None:
                _, chosen = _init(args, dict(keywords))
            policy = ONCE if _switched_off(given) else _policy(chosen)
            told = getattr(function, "__qualname__", repr(function))
            transient = chosen.get("retry_on_exception") or may_pass
            return call(partial(function, *given, **named), what=told, transient=transient, retries=policy, logger=logger("retries"))

        return retried

    return decorate


def retry_generator(
    fn: Callable[..., Iterator[Any]] | None = None, max_retries: int = 8, retry_multiplier: float = 5.0
) -> Callable[..., Any]:
    """A decorator that begins a generator anew when it fails, so that it must itself pass over what it has yielded already.

    `max_retries` tries in all, with waits that begin with `retry_multiplier` seconds.
    """
    policy = Retries(tries=max_retries, seconds=1800.0, first=retry_multiplier, longest=retry_multiplier * 7)

    def decorate(function: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        if not inspect.isgeneratorfunction(function):
            raise NonGeneratorError(f"{getattr(function, '__qualname__', function)} is no generator function, so it can't be begun anew")

        @wraps(function)
        def retried(*given: Any, **named: Any) -> Iterator[Any]:
            running: Iterator[Any] | None = None
            failed = 0

            def following() -> tuple[Any, ...]:
                nonlocal running, failed
                running = running if running is not None else function(*given, **named)
                try:
                    return (next(running),)
                except StopIteration:
                    return ()
                except Exception:
                    running, failed = None, failed + 1
                    raise

            while True:
                left = ONCE if _switched_off(given) else attrs.evolve(policy, tries=policy.tries - failed)
                item = call(following, what=function.__qualname__, transient=may_pass, retries=left, logger=logger("retries"))
                if not item:
                    return
                yield item[0]

        return retried

    return decorate if fn is None else decorate(fn)


def may_pass(error: Exception) -> bool:
    """Whether trying again may help."""
    if isinstance(error, OzzyError):
        return isinstance(error, (SourceError, DestinationError))
    return not isinstance(error, LASTING)


def _switched_off(given: tuple[Any, ...]) -> bool:
    """Whether retries are switched off, for the process or for the module whose method is called."""
    return _disabled > 0 or (bool(given) and isinstance(given[0], BaseModule) and given[0].metadata.disable_retries)


def _policy(keywords: Mapping[str, Any]) -> Retries:
    known = {*SHORT, "wait_fixed", "retry_on_exception"}
    if unknown := sorted(set(keywords) - known):
        raise ConfigError(f"unknown keywords of a retry: {', '.join(unknown)}", hint=f"There are {', '.join(sorted(known))}.")
    fixed = keywords.get("wait_fixed")
    first = fixed if fixed is not None else 2 * keywords.get("wait_exponential_multiplier", 500)
    longest = fixed if fixed is not None else keywords.get("wait_exponential_max", 640_000)
    return Retries(
        tries=max(1, keywords.get("stop_max_attempt_number", 10)),
        seconds=keywords.get("stop_max_delay", 1_800_000) / 1000,
        first=max(first / 1000, 0.001),
        longest=max(longest / 1000, 0.001),
    )


retry_short = initialized_retry(**SHORT)
"""For calls of seconds, such as a request: up to 10 tries within two minutes, with waits of 2, 4, 8 and then 10 seconds, or half of it."""

retry_long = initialized_retry(**LONG)
"""For calls of minutes, such as an upload: up to 8 tries within half an hour, with waits from 10 seconds on, doubled each time."""
