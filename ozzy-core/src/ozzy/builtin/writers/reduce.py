"""Writer `reduce`: one value of all records, by a function of the user's own."""

import linecache
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any, ClassVar

import msgspec

from ozzy.builtin.writers.summary import SummaryOptions, SummaryWriter
from ozzy.contracts.module import Metadata, require_allow_code
from ozzy.contracts.writer import GroupKey, WriterContext
from ozzy.data.batch import Batch
from ozzy.data.json_text import encode_record
from ozzy.errors import ConfigError, DataError, OzzyError, Problem
from ozzy.options.option import option, options
from ozzy.options.secrets import redact

KEY = "reduced_result"
NAME = "reduce_function"
"""What the function is called that `code` defines."""

_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")

ReduceFunction = Callable[[Any, Any], Any]


@options
class ReduceOptions(SummaryOptions):
    """Options of the reduction."""

    function: str | None = option(
        default=None,
        help="The function, as package.module:name; Python has to find the module. Called as function(item, accumulator), with None for "
        "the first record, it returns the new accumulator.",
        example="my_package.totals:add_up",
    )
    code: str | None = option(
        default=None, help="The inherited form: code that defines reduce_function(item, accumulator=None). It needs --allow-code."
    )
    source_path: str | None = option(default=None, help="What the code is called in tracebacks.")


class ReduceWriter(SummaryWriter):
    """Folds all records into one value: `function(item, accumulator)` is called for each and returns the accumulator for the next one.

    The accumulator is saved in each checkpoint, so it has to be plain JSON (no tuples, sets or dates, texts for keys) and had better be
    small; it is looked at after each batch. It is the result: `reduced_result` of the writer and in the metadata of writers, `summaries` in
    what the run gives back, and a JSON file where a `path` is given. A record on which the function fails is a bad record, and leaves
    no trace in the accumulator.
    """

    Options: ClassVar[type] = ReduceOptions
    face: ClassVar[str] = "records"

    def __init__(self, options: Mapping[str, Any] | None = None, metadata: Metadata | None = None) -> None:
        super().__init__(options, metadata)
        if self.options.code is not None:
            require_allow_code(self, "code")
        self.function: ReduceFunction = _named(self.options.function) if self.options.function else self._defined()

    @classmethod
    def check_options(cls, options: ReduceOptions) -> Iterator[Problem]:
        """What is wrong with the function or the code."""
        yield from super().check_options(options)
        if (options.function is None) == (options.code is None):
            yield Problem("", "expected exactly one of function and code")
        elif options.code is not None:
            try:
                compile(options.code, options.source_path or "code", "exec")
            except (SyntaxError, ValueError) as error:
                yield Problem("code", f"not Python: {error}")

    @property
    def reduced_result(self) -> Any:
        """The accumulator now."""
        return self._accumulator

    def start(self, context: WriterContext) -> None:
        super().start(context)
        self._accumulator: Any = None
        self._saved = b"null"

    def write_batch(self, batch: Batch, group_key: GroupKey | None = None) -> None:
        self.write_groups(batch, {group_key or (): range(len(batch))})

    def write_groups(self, batch: Batch, groups: Mapping[GroupKey, Sequence[int]]) -> None:
        """All records in their order, whatever their group; each bears its own."""
        items = list(batch)
        for key, members in groups.items():
            for row in members:
                items[row].group_membership = key
        function, accumulator = self.function, self._accumulator
        for row, item in enumerate(items):
            try:
                accumulator = function(item, accumulator)
            except Exception as error:
                self._accumulator = msgspec.json.decode(self._saved)
                raise DataError(f"{self._called}: {_told(error)}", row=row) from error
        self._saved = self._checked(accumulator)
        self._accumulator = accumulator
        self.absorbed += len(items)

    def finish_writing(self) -> None:
        self.logger.info("reduced", records=self.absorbed)
        self.set_metadata(KEY, self._accumulator)

    def state(self) -> Any:
        return msgspec.json.decode(self._saved)

    def restore(self, state: Any) -> None:
        self._accumulator = state
        self._saved = encode_record(state)

    def value(self, state: Any) -> Any:
        return state

    @property
    def _called(self) -> str:
        return str(self.options.function or NAME)

    def _checked(self, accumulator: Any) -> bytes:
        """The accumulator as JSON. Raises OzzyError where it would not come back as it is."""
        try:
            saved = encode_record(accumulator)
            if msgspec.json.decode(saved) == accumulator:
                return saved
            why = "it holds something else than plain JSON, such as a tuple, a set, a date or a key that is no text"
        except OzzyError as error:
            why = error.message
        raise ConfigError(
            f"the accumulator that {self._called} returns can't be saved in a checkpoint: {why}",
            hint="Let it return mappings with texts for keys, lists, texts, numbers, true, false or None.",
        )

    def _defined(self) -> ReduceFunction:
        """The function that the code defines. The lines are kept, so that tracebacks show them."""
        code = str(self.options.code)
        name = self.options.source_path or f"<{NAME}>"
        linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
        names: dict[str, Any] = {"__name__": NAME}
        try:
            exec(compile(code, name, "exec"), names)  # noqa: S102 - only where the user has allowed it
        except Exception as error:
            raise ConfigError(f"writer.options.code fails: {_told(error)}") from error
        if not callable(names.get(NAME)):
            raise ConfigError(f"writer.options.code defines no function {NAME}", hint=f"Write: def {NAME}(item, accumulator=None): …")
        function: ReduceFunction = names[NAME]
        return function


def _named(path: str) -> ReduceFunction:
    """The function at `package.module:name`. Raises ConfigError."""
    where = "writer.options.function"
    if not _PATH.fullmatch(path):
        raise ConfigError(f"{where}: expected package.module:name, given {path}")
    module, _, name = path.partition(":")
    try:
        found: Any = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except ImportError as error:
        raise ConfigError(f"{where}: can't import {module}: {_told(error)}", hint="Install it, or put its folder on PYTHONPATH.") from error
    except AttributeError as error:
        raise ConfigError(f"{where}: there is no {name} in {module}") from error
    except Exception as error:
        raise ConfigError(f"{where}: importing {module} fails: {_told(error)}") from error
    if not callable(found):
        raise ConfigError(f"{where}: {path} is no function")
    function: ReduceFunction = found
    return function


def _told(error: Exception) -> str:
    """What an error of the user's own code says, secrets hidden."""
    return redact(f"{type(error).__name__}: {error}")
