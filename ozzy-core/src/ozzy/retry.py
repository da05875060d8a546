"""One policy of retries for every call of a service: what may pass is tried again, what cannot succeed is not."""

import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import attrs

T = TypeVar("T")
Transient = Callable[[Exception], bool | float]
"""Whether trying again may help; a number is the seconds that the service asks to wait, and may be 0."""


@attrs.frozen
class Retries:
    """How often and how long a call is tried: `tries` in all, within `seconds` from the first one.

    The wait before the second try is about `first` seconds, twice as long before each further one, at most `longest`. Each is drawn
    between half of it and the whole, so that many clients do not come back at once.
    """

    tries: int = attrs.field(default=6, validator=attrs.validators.ge(1))
    seconds: float = attrs.field(default=120.0, validator=attrs.validators.ge(0))
    first: float = attrs.field(default=0.5, validator=attrs.validators.gt(0))
    longest: float = attrs.field(default=30.0, validator=attrs.validators.gt(0))

    def wait(self, failed: int) -> float:
        """Seconds to wait after so many failed tries."""
        full = min(self.longest, self.first * 2.0 ** min(failed - 1, 60))
        return random.uniform(full / 2, full)  # noqa: S311 - spreads load, guards nothing


ONCE = Retries(tries=1)
"""No second try."""


def call(
    function: Callable[[], T],
    *,
    what: str,
    transient: Transient,
    retries: Retries | None = None,
    logger: Any = None,
    sleep: Callable[[float], None] | None = None,
) -> T:
    """What `function` returns, tried again while it raises errors that `transient` says may pass.

    Before each wait `logger` is warned of `what` failed, why, and how long the wait is. A service that asks for a longer wait than is
    left is not asked again. Raises the last error; after several tries a note says how many there were.
    """
    from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, stop_before_delay

    policy = retries or Retries()

    def may_pass(error: BaseException) -> bool:
        return isinstance(error, Exception) and transient(error) is not False

    def wait(state: RetryCallState) -> float:
        assert state.outcome is not None
        error = state.outcome.exception()
        assert isinstance(error, Exception)
        asked = transient(error)
        return policy.wait(state.attempt_number) if isinstance(asked, bool) else max(0.0, asked)

    def tell(state: RetryCallState) -> None:
        from ozzy.log import reason

        if logger is not None and state.outcome is not None and state.next_action is not None:
            error = state.outcome.exception()
            assert error is not None
            seconds = round(state.next_action.sleep, 1)
            logger.warning(
                f"{what} failed, trying again in {seconds} s", tries=f"{state.attempt_number} of {policy.tries}", error=reason(error)
            )

    more: dict[str, Any] = {} if sleep is None else {"sleep": sleep}
    tried = Retrying(
        retry=retry_if_exception(may_pass),
        wait=wait,
        stop=stop_after_attempt(policy.tries) | stop_before_delay(policy.seconds),
        before_sleep=tell,
        reraise=True,
        **more,
    )
    try:
        return tried(function)
    except Exception as error:
        count = tried.statistics["attempt_number"]
        if count > 1:
            error.add_note(f"tried {count} times")
        raise


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """The seconds that an HTTP `Retry-After` header asks to wait: a number, or a date (RFC 9110, 10.2.3). None where it makes no sense.

    >>> retry_after("120")
    120.0
    """
    if value is None:
        return None
    from email.utils import parsedate_to_datetime

    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - (now or datetime.now(UTC))).total_seconds())
