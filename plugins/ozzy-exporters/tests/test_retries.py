"""The inherited retries: what may pass is tried again, what lasts is not, and the switches work as they did."""

import logging

import pytest

import ozzy.retry
from ozzy import BaseFilter, ConfigError, DataError, DestinationError, Metadata, SourceError
from ozzy_exporters import retries
from ozzy_exporters.retries import (
    NonGeneratorError,
    disable_retries,
    disabled_retries,
    initialized_retry,
    reenable_retries,
    retry_generator,
    retry_long,
    retry_short,
    set_retry_init,
)


@pytest.fixture(autouse=True)
def waits(monkeypatch):
    """How long each wait was; nobody waits here."""
    waited = []
    real = ozzy.retry.call
    monkeypatch.setattr(retries, "call", lambda *args, **more: real(*args, **more, sleep=waited.append))
    yield waited
    set_retry_init(None)
    reenable_retries()


class Flaky:
    """Fails so many times, then gives its arguments back."""

    def __init__(self, failures, error=ConnectionError):
        self.failures, self.error, self.calls = failures, error, 0

    def __call__(self, *args, **named):
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error(f"failure {self.calls}")
        return args, named


@pytest.mark.parametrize(
    ("decorator", "tries", "bounds"), [(retry_short, 10, [2, 4, 8] + [10] * 6), (retry_long, 8, [10, 20, 40, 80, 160, 320, 640])]
)
def test_it_waits_longer_and_longer_and_gives_up(waits, decorator, tries, bounds):
    always = Flaky(99)
    with pytest.raises(ConnectionError, match=f"failure {tries}") as caught:
        decorator(always)()
    assert always.calls == tries
    assert caught.value.__notes__ == [f"tried {tries} times"]
    assert all(bound / 2 <= wait <= bound for wait, bound in zip(waits, bounds, strict=True))


def test_what_comes_back_at_last_is_given_back_with_all_arguments():
    assert retry_short(Flaky(3))(1, 2, a="ä") == ((1, 2), {"a": "ä"})


def test_a_function_keeps_its_name_and_words():
    @retry_long
    def upload():
        """Sends it."""

    assert (upload.__name__, upload.__doc__) == ("upload", "Sends it.")


@pytest.mark.parametrize(
    "error", [ConfigError, DataError, FileNotFoundError, KeyError, PermissionError, TypeError, ValueError, ZeroDivisionError]
)
def test_what_lasts_is_raised_at_once(waits, error):
    flaky = Flaky(1, error)
    with pytest.raises(error):
        retry_short(flaky)()
    assert (flaky.calls, waits) == (1, [])


@pytest.mark.parametrize("error", [ConnectionResetError, DestinationError, OSError, RuntimeError, SourceError, TimeoutError])
def test_what_may_pass_is_tried_again(error):
    flaky = Flaky(1, error)
    retry_short(flaky)()
    assert flaky.calls == 2


def test_each_wait_is_told(caplog):
    caplog.set_level(logging.WARNING)

    @retry_short
    def upload():
        return flaky()

    flaky = Flaky(2)
    upload()
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2
    assert all("upload failed, trying again in " in line for line in told)
    assert "ConnectionError: failure 2" in told[1]


def test_switched_off_and_on_again():
    disable_retries()
    first, second = Flaky(1), Flaky(1)
    with pytest.raises(ConnectionError):
        retry_long(first)()
    reenable_retries()
    retry_long(second)()
    assert (first.calls, second.calls) == (1, 2)


def test_switched_off_for_a_while_even_inside_of_another():
    flaky = Flaky(1)
    with disabled_retries():
        with disabled_retries(), pytest.raises(ConnectionError):
            retry_short(Flaky(1))()
        with pytest.raises(ConnectionError):
            retry_short(Flaky(1))()
    retry_short(flaky)()
    assert flaky.calls == 2


def test_switched_on_again_after_an_error():
    with pytest.raises(OSError, match="stop"), disabled_retries():
        raise OSError("stop")
    flaky = Flaky(1)
    retry_short(flaky)()
    assert flaky.calls == 2


def test_a_config_switches_them_off_for_the_modules_of_its_pipeline():
    class Asks(BaseFilter):
        flaky = Flaky(1)

        @retry_short
        def ask(self):
            return self.flaky()

    with pytest.raises(ConnectionError):
        Asks({}, Metadata(disable_retries=True)).ask()
    Asks.flaky = Flaky(1)
    assert Asks({}, Metadata()).ask() == ((), {})


def test_a_function_may_change_them_for_the_whole_process(waits):
    seen = []

    def fewer(args, keywords):
        seen.append((args, keywords["stop_max_attempt_number"]))
        return args, {**keywords, "stop_max_attempt_number": 3, "wait_fixed": 50}

    set_retry_init(fewer)
    flaky = Flaky(9)
    with pytest.raises(ConnectionError):
        retry_long(flaky)()
    assert (flaky.calls, seen) == (3, [((), 8)])
    assert all(0.025 <= wait <= 0.05 for wait in waits)


def test_which_errors_may_pass_may_be_said():
    flaky = Flaky(1, ValueError)
    initialized_retry(stop_max_attempt_number=2, retry_on_exception=lambda error: isinstance(error, ValueError))(flaky)()
    assert flaky.calls == 2


def test_a_limit_of_time():
    flaky = Flaky(9)
    with pytest.raises(ConnectionError):
        initialized_retry(stop_max_delay=0)(flaky)()
    assert flaky.calls == 1


def test_an_unknown_keyword_is_told_at_once():
    with pytest.raises(ConfigError, match="unknown keywords of a retry: wait_random"):
        initialized_retry(wait_random=5)


# Generators


def counting(fail_at, seen, error=ConnectionError):
    """A generator of 0 to 4 that goes on after what it has yielded, and fails once before each of some numbers."""
    left = list(fail_at)

    def numbers():
        for number in range(len(seen), 5):
            if number in left:
                left.remove(number)
                raise error(str(number))
            seen.append(number)
            yield number

    return numbers


def test_a_generator_is_begun_anew_and_loses_nothing(waits):
    numbers = retry_generator(counting([0, 2, 2, 4], []))
    assert list(numbers()) == [0, 1, 2, 3, 4]
    assert len(waits) == 4


def test_an_empty_generator_is_empty():
    assert list(retry_generator(counting([], [0, 1, 2, 3, 4]))()) == []


def test_a_generator_that_always_fails_ends_though_it_yields_each_time():
    begun = []

    @retry_generator(max_retries=3, retry_multiplier=0.1)
    def numbers():
        begun.append(1)
        yield 1
        raise ConnectionError("again")

    given = []
    with pytest.raises(ConnectionError):
        given.extend(iter(numbers()))
    assert (len(begun), given) == (3, [1, 1, 1])


def test_a_generator_does_not_go_on_after_what_lasts():
    with pytest.raises(ValueError, match="2"):
        list(retry_generator(counting([2], [], ValueError))())


def test_switched_off_a_generator_is_not_begun_anew():
    with disabled_retries(), pytest.raises(ConnectionError):
        list(retry_generator(counting([2], []))())


def test_a_function_that_is_no_generator_is_refused():
    with pytest.raises(NonGeneratorError, match="is no generator function"):
        retry_generator(lambda: [1])
