"""Modules whose options or secrets are wrong, each in one way."""
# ruff: noqa: RUF012

import logging

from ozzy import BaseFilter, BaseModule, BaseNotifier, ConfigError, DestinationError, option, options
from ozzy.options.structure import structured
from ozzy.testing import FilterContract, NotifierContract


class Keeping(BaseFilter):
    """Keeps all."""

    def filter(self, item):
        return True


@options
class Unexplained:
    litres: int = option(default=1)


class NoHelp(Keeping):
    """An option without help."""

    Options = Unexplained


class TestNoHelp(FilterContract):
    module = NoHelp
    says = {"test_every_option_is_explained": r"NoHelp: the option litres has no help"}


@options
class WrongDefault:
    litres: int = option(default=0, minimum=1, help="Litres.")


class DefaultOutOfBounds(Keeping):
    """A default that its own bounds refuse."""

    Options = WrongDefault


class TestDefaultOutOfBounds(FilterContract):
    module = DefaultOutOfBounds
    says = {
        "test_defaults_are_valid": r"the default of the option litres is not valid: options.litres: expected int of at least 1, given 0"
    }


@options
class WrongExample:
    litres: int = option(help="Litres.", example="many")


class ExampleOfAnotherType(Keeping):
    """An example that would be refused."""

    Options = WrongExample


class TestExampleOfAnotherType(FilterContract):
    module = ExampleOfAnotherType
    options = {"litres": 1}
    says = {"test_every_option_is_explained": r"the example of the option litres is wrong: .*expected int"}


@options
class TapOptions:
    tap: str = option(help="The tap.")
    litres: int = option(default=1, help="Litres.")


class TakesAnything(Keeping):
    """Unknown options are passed over, and known ones are not checked."""

    Options = TapOptions

    def __init__(self, options=None, metadata=None):
        given = (options or {}).get("options", {})
        known = {name: value for name, value in given.items() if name in {"tap", "litres"}}
        super().__init__({"options": {"tap": "kitchen", **known}}, metadata)


class TestTakesAnything(FilterContract):
    module = TakesAnything
    options = {"tap": "kitchen"}
    says = {
        "test_an_unknown_option_is_refused_and_a_near_one_named": r"the unknown option 'liitres' is accepted",
        "test_required_options_are_named": r"without options it does not say that tap is required; it says: nothing",
        "test_all_problems_come_at_once": r"the error says nothing about no_such_option",
    }


class OneByOne(Keeping):
    """Tells of one problem only."""

    Options = TapOptions

    def __init__(self, options=None, metadata=None):
        BaseModule.__init__(self, {"options": {"tap": "kitchen"}}, metadata)
        for name, value in (options or {}).get("options", {}).items():
            try:
                structured(type(self), {"tap": "kitchen", name: value})
            except ConfigError as error:
                raise ConfigError("one thing is wrong", problems=error.problems[:1]) from None


class TestOneByOne(FilterContract):
    module = OneByOne
    options = {"tap": "kitchen"}
    says = {"test_all_problems_come_at_once": r"with 3 wrong options at once, the error says nothing about"}


class RaisesWhatever(Keeping):
    """Wrong options are a KeyError."""

    Options = TapOptions

    def __init__(self, options=None, metadata=None):
        super().__init__({"options": {"tap": options["options"]["tap"]}}, metadata)


class TestRaisesWhatever(FilterContract):
    module = RaisesWhatever
    options = {"tap": "kitchen"}
    says = {"test_required_options_are_named": r"with wrong options its constructor raises KeyError"}


class OtherValues(Keeping):
    """read_option() gives something else than the config says."""

    Options = TapOptions

    def read_option(self, name, default=None):
        return 5


class TestOtherValues(FilterContract):
    module = OtherValues
    options = {"tap": "kitchen"}
    says = {"test_options_can_be_read": r"read_option\('tap'\) gives 5 instead of 'kitchen'"}


class Silent(Keeping):
    pass


class TestSilent(FilterContract):
    module = Silent
    says = {"test_the_module_says_what_it_is": r"the class has no docstring"}


class CannotBeClosed(Keeping):
    """close() fails where nothing was opened."""

    def close(self):
        self.file.close()


class TestCannotBeClosed(FilterContract):
    module = CannotBeClosed
    says = {"test_it_can_be_closed_unused": r"close\(\) fails where nothing was opened: AttributeError"}


@options
class BellOptions:
    bell: str = option(default="kitchen", help="Which bell.")
    password: str = option(default="", help="What opens it.")


class Bell(BaseNotifier):
    """Rings, rightly."""

    Options = BellOptions

    def notify_start_dump(self, receivers=None):
        self.ring()

    def ring(self):
        """Nothing, here."""


class SecretInAnError(Bell):
    """Tells its password when it fails."""

    def ring(self):
        raise DestinationError(f"the bell {self.options.bell} can't be opened with {self.options.password}")


class TestSecretInAnError(NotifierContract):
    module = SecretInAnError
    says = {"test_secrets_are_never_told": r"the value of the secret option 'password' stands in the message of the error"}


class SecretInTheCause(Bell):
    """What its error was caused by tells the password, as a URL would have it."""

    def ring(self):
        from urllib.parse import quote

        try:
            raise OSError(f"no route to https://ozzy:{quote(self.options.password, safe='')}@bell.example.com")
        except OSError as error:
            raise DestinationError(f"the bell {self.options.bell} does not answer") from error


class TestSecretInTheCause(NotifierContract):
    module = SecretInTheCause
    says = {"test_secrets_are_never_told": r"'password' stands in the message of the OSError that the error was caused by"}


class SecretInAnHeader(Bell):
    """Logs a header that holds the password in base64."""

    def ring(self):
        from base64 import b64encode

        credentials = b64encode(f"ozzy:{self.options.password}".encode()).decode()
        logging.getLogger("bell").debug("Authorization: Basic %s", credentials)


class TestSecretInAnHeader(NotifierContract):
    module = SecretInAnHeader
    says = {"test_secrets_are_never_told": r"'password' stands in a line of the log"}


class SecretInItsRepr(Bell):
    """Shows all it has."""

    def __repr__(self):
        return f"Bell({self.options.bell}, {self.options.password})"


class TestSecretInItsRepr(NotifierContract):
    module = SecretInItsRepr
    says = {"test_secrets_are_never_told": r"'password' stands in the repr of the module"}


class SecretPrinted(Bell):
    """Prints it."""

    def ring(self):
        print("ringing with", self.options.password)


class TestSecretPrinted(NotifierContract):
    module = SecretPrinted
    says = {"test_secrets_are_never_told": r"'password' stands in what it prints"}


class SecretInMetadata(Bell):
    """Keeps it where stats managers look."""

    def ring(self):
        self.set_metadata("rung_with", {"password": self.options.password})


class TestSecretInMetadata(NotifierContract):
    module = SecretInMetadata
    says = {"test_secrets_are_never_told": r"'password' stands in the metadata of the run"}
