"""The transform by a jq program."""

import re
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from typing import Any, ClassVar, Final

from ozzy import BaseTransform, Batch, DataError, PluginError, Problem, option, options
from ozzy.contracts.module import require_allow_code
from ozzy.data.json_text import check_line, compacted, decode_line, encode_record

_EXACT: Final = 2**53 - 1
"""jq calculates with floats: of larger integers it can not tell one from the next."""

_MANY_DIGITS = re.compile(r"[0-9]{16}")
_INTEGERS = re.compile(r"-?[0-9]{16,}")

_LARGEST: Final = "1.7976931348623157e+308"
"""What jq writes for infinity, and for anything beyond what a float holds."""

_FIRST: Final = "try [first(\n%s\n) | tojson] catch [null, .]"
"""One array a record: empty, the first output as JSON (which keeps numbers as they are written), or null and an error."""

_OUTWARD: Final = ("env", "get_search_list", "input_filename", "modulemeta")
"""Functions of jq that look at more than the record."""

_ENVIRONMENT: Final = re.compile(r"\$\s*ENV\b")

_GUARDED: Final = r"""
def ozzy_exact:
  if type == "number" and (. > 9007199254740991 or . < -9007199254740991) and (tojson | test("[.eE]") | not)
  then error("jq calculates with floats, which do not hold every integer from 2^53 on, and \(tojson) is one") else . end;
def ozzy_plus($a; $b): $a + $b; def ozzy_minus($a; $b): $a - $b; def ozzy_times($a; $b): $a * $b;
def ozzy_over($a; $b): $a / $b; def ozzy_rest($a; $b): $a % $b;
def _plus(a; b): (b | ozzy_exact) as $b | (a | ozzy_exact) as $a | ozzy_plus($a; $b);
def _minus(a; b): (b | ozzy_exact) as $b | (a | ozzy_exact) as $a | ozzy_minus($a; $b);
def _multiply(a; b): (b | ozzy_exact) as $b | (a | ozzy_exact) as $a | ozzy_times($a; $b);
def _divide(a; b): (b | ozzy_exact) as $b | (a | ozzy_exact) as $a | ozzy_over($a; $b);
def _mod(a; b): (b | ozzy_exact) as $b | (a | ozzy_exact) as $a | ozzy_rest($a; $b);
def add(f): reduce f as $x (null; . + $x);
def add: add(.[]);
"""
"""Arithmetic that refuses integers it would round; for records that hold any."""


@options
class JQOptions:
    """Options of jq."""

    jq_filter: str = option(
        help="The program, in jq's own language. Its first output becomes the record; a record for which it gives none is dropped.",
        minimum=1,
        example="select(.active) | {id, city: .address.city}",
    )


class JQTransform(BaseTransform):
    """Makes records by a jq program. Needs `pip install 'ozzy-core[jq]'`.

    The first output of the program is the new record. A record for which there is none is dropped, and counted as filtered. An output
    that is a text with a JSON object in it becomes that object; any other output makes the record bad, and so does an error of the
    program. Numbers that the program only hands on stay as they are written, integers of any size too; arithmetic in jq is that of
    floats, so a record is bad where it would meet, or give, an integer of 2**53 or more. `now` is the start of the run, so that a resumed
    one ends the same. A program that looks at the environment (`env`, `$ENV`) needs `--allow-code`.
    """

    Options: ClassVar[type] = JQOptions
    independent = True
    at_most_one = True
    leaves_input = True
    face = "lines"

    @classmethod
    def check_options(cls, options: JQOptions) -> Iterator[Problem]:
        """A program that does not compile."""
        try:
            for program in (options.jq_filter, _FIRST % options.jq_filter):
                _compiled(program)
        except PluginError:
            return
        except ValueError as error:
            yield Problem("jq_filter", f"not a jq program: {str(error).strip()}")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        asked = self.options.jq_filter
        if _looks_around(asked):
            require_allow_code(self, "jq_filter", "looks at the environment of the process")
        inward = "" if self.metadata.allow_code else "{} as $ENV | "
        start = f"def now: {self.metadata.start_time.timestamp()};\n"
        self._fast = _compiled(start + inward + _FIRST % asked)
        self._guarded = _compiled(_GUARDED + start + inward + _FIRST % asked)
        self._named = frozenset(_INTEGERS.findall(asked))

    def transform_batch(self, batch: Batch) -> Batch:
        made, rows = [], []
        for row, line in enumerate(batch.lines):
            try:
                output = self._output(line.decode())
            except DataError as error:
                error.row = row
                raise
            if output is not None:
                made.append(output)
                rows.append(row)
        origin = None if batch.origin is None else [batch.origin[row] for row in rows]
        return Batch.from_lines(made, split=batch.split, position=batch.position, origin=origin)

    def _output(self, text: str) -> bytes | None:
        """The new line of a record, None where it is dropped."""
        program = self._guarded if _MANY_DIGITS.search(text) else self._fast
        outcomes = list(program.input_text(text))
        if not outcomes:
            raise DataError("the jq program has halted")
        if not outcomes[0]:
            return None
        output, *errors = outcomes[0]
        if errors:
            said = errors[0] if isinstance(errors[0], str) else encode_record(errors[0]).decode()
            raise DataError(f"the jq program says: {said}")
        line = _line_of(output)
        if _LARGEST in output and _LARGEST not in text and _LARGEST not in self.options.jq_filter:
            raise DataError(
                "jq has calculated a number beyond what floats hold", hint="Where that may happen, let the program test for it."
            )
        if _MANY_DIGITS.search(output):
            self._see_integers(text, line)
        return line

    def _see_integers(self, text: str, line: bytes) -> None:
        """Refuse integers that floats may have rounded: those that neither the record nor the program had before."""
        known = self._named.union(_INTEGERS.findall(text))
        for number in _large(decode_line(line)):
            if str(number) not in known:
                raise DataError(
                    f"jq has calculated {number}: its numbers are floats, which do not hold every integer from 2^53 on",
                    hint="Hand large integers on as they are, or calculate with another transform.",
                )


def _looks_around(program: str) -> bool:
    """Whether a program that compiles asks for more than the record: it compiles no more where such functions lead to nothing.

    A definition that a program does not use is left out before its names are looked up.
    """
    if _ENVIRONMENT.search(program):
        return True
    try:
        _compiled("".join(f"def {name}: $ozzy_nowhere;\n" for name in _OUTWARD) + program)
    except ValueError:
        return True
    return False


def _line_of(output: str) -> bytes:
    if output.startswith('"'):
        inner = decode_line(b'{"text":' + output.encode() + b"}")["text"].strip()
        if inner.startswith("{"):
            line = inner.encode("utf-8", "surrogatepass")
            check_line(line)
            return compacted(line)
    elif output.startswith("{"):
        line = output.encode()
        check_line(line)
        return line
    shown = output if len(output) <= 60 else output[:60] + "…"
    raise DataError(f"the jq program gives {shown}, which is no object")


def _large(value: Any) -> Iterator[int]:
    if isinstance(value, int):
        if abs(value) > _EXACT:
            yield value
    elif isinstance(value, (dict, list)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _large(one)


@lru_cache(maxsize=64)
def _compiled(program: str) -> Any:
    try:
        library = import_module("jq")
    except ImportError as error:
        raise PluginError("the transform jq needs the library jq", hint="pip install 'ozzy-core[jq]'") from error
    return library.compile(program)
