"""Reads pickles without running anything that they say: a machine of its own for the operations that make plain values.

A pickle is a program. Of its operations this one knows those of protocols 0 to 2 (Python 2) that make dicts, lists, tuples, texts, numbers,
true, false and none; whatever names a class, calls something or refers to something outside is refused, unexecuted.
"""

import codecs
import struct
from collections.abc import Callable
from typing import Any, Final

from ozzy.errors import StateError

LIMIT: Final = 64 << 20
"""Bytes of the largest pickle that is read."""
DIGITS: Final = 4000
REFUSED: Final = {
    b"c": "names a class", b"\x93": "names a class", b"i": "makes an object", b"o": "makes an object", b"R": "calls a function",
    b"\x81": "makes an object", b"\x92": "makes an object", b"b": "fills an object", b"P": "refers to something outside",
    b"Q": "refers to something outside", b"\x82": "names a registered class", b"\x83": "names a registered class",
    b"\x84": "names a registered class",
}  # fmt: skip
_MARK: Final = object()


def plain_value(content: bytes) -> Any:
    """The value of a pickle that is made of plain values. Raises StateError, without having run anything, for any other content."""
    if len(content) > LIMIT:
        raise StateError(f"it has {len(content)} bytes, and a state of the inherited system has {LIMIT} at the most")
    try:
        return _Machine(content).run()
    except StateError:
        raise
    except (IndexError, KeyError, TypeError, ValueError, struct.error, AttributeError) as error:
        raise StateError("it is no pickle of the inherited system, or it is damaged") from error


class _Machine:
    def __init__(self, content: bytes) -> None:
        self.content = content
        self.at = 0
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self) -> Any:
        while True:
            code = self.take(1)
            if code == b".":
                (value,) = self.popped(len(self.stack))
                return value
            if code in REFUSED:
                raise StateError(f"it {REFUSED[code]} at byte {self.at - 1}, which is refused: a state is made of plain values")
            operation = _OPERATIONS.get(code)
            if operation is None:
                raise ValueError(code)
            operation(self)

    def take(self, size: int) -> bytes:
        taken = self.content[self.at : self.at + size]
        if size < 0 or len(taken) != size:
            raise ValueError("it ends too early")
        self.at += size
        return taken

    def line(self) -> bytes:
        end = self.content.index(b"\n", self.at)
        line = self.content[self.at : end]
        self.at = end + 1
        return line

    def number(self, form: str) -> int:
        (found,) = struct.unpack(form, self.take(struct.calcsize(form)))
        return int(found)

    def marked(self) -> list[Any]:
        """What lies above the last mark, which goes."""
        for index in range(len(self.stack) - 1, -1, -1):
            if self.stack[index] is _MARK:
                above = self.stack[index + 1 :]
                del self.stack[index:]
                return above
        raise ValueError("no mark")

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def popped(self, count: int) -> list[Any]:
        found = self.stack[len(self.stack) - count :]
        if len(found) != count or any(one is _MARK for one in found):
            raise ValueError("the stack is empty")
        del self.stack[len(self.stack) - count :]
        return found

    def top(self, kind: type) -> Any:
        if type(self.stack[-1]) is not kind:
            raise TypeError(kind)
        return self.stack[-1]

    def appended(self, values: list[Any]) -> None:
        self.top(list).extend(values)

    def set_items(self, values: list[Any]) -> None:
        self.top(dict).update(_pairs(values))

    def remember(self, index: int) -> None:
        self.memo[index] = self.stack[-1]


def _pairs(values: list[Any]) -> dict[Any, Any]:
    return dict(zip(values[::2], values[1::2], strict=True))


def _text(raw: bytes) -> str:
    """A `str` of Python 2, which is bytes: mostly UTF-8."""
    return raw.decode("utf-8", "surrogateescape")


def _quoted(line: bytes) -> str:
    if len(line) < 2 or line[:1] not in {b"'", b'"'} or line[-1:] != line[:1]:
        raise ValueError("no quotes")
    return _text(codecs.escape_decode(line[1:-1])[0])


def _integer(line: bytes) -> Any:
    if line in {b"00", b"01"}:
        return line == b"01"
    return _long(line)


def _long(line: bytes) -> int:
    digits = line.removesuffix(b"L")
    if len(digits) > DIGITS:
        raise ValueError("too long a number")
    return int(digits)


def _counted(machine: _Machine, form: str) -> bytes:
    return machine.take(machine.number(form))


def _float(machine: _Machine) -> float:
    (found,) = struct.unpack(">d", machine.take(8))
    return float(found)


def _protocol(machine: _Machine) -> None:
    if machine.number("<B") > 2:
        raise StateError("it was written by Python 3: the inherited system ran under Python 2")


def _little(raw: bytes) -> int:
    return int.from_bytes(raw, "little", signed=True)


_OPERATIONS: Final[dict[bytes, Callable[[_Machine], Any]]] = {
    b"\x80": _protocol,
    b"(": lambda m: m.push(_MARK),
    b"0": lambda m: m.popped(1),
    b"1": lambda m: m.marked(),
    b"2": lambda m: m.push(m.stack[-1]),
    b"N": lambda m: m.push(None),
    b"\x88": lambda m: m.push(True),
    b"\x89": lambda m: m.push(False),
    b"I": lambda m: m.push(_integer(m.line())),
    b"J": lambda m: m.push(m.number("<i")),
    b"K": lambda m: m.push(m.number("<B")),
    b"M": lambda m: m.push(m.number("<H")),
    b"L": lambda m: m.push(_long(m.line())),
    b"\x8a": lambda m: m.push(_little(_counted(m, "<B"))),
    b"\x8b": lambda m: m.push(_little(_counted(m, "<i"))),
    b"F": lambda m: m.push(float(m.line())),
    b"G": lambda m: m.push(_float(m)),
    b"S": lambda m: m.push(_quoted(m.line())),
    b"T": lambda m: m.push(_text(_counted(m, "<i"))),
    b"U": lambda m: m.push(_text(_counted(m, "<B"))),
    b"V": lambda m: m.push(m.line().decode("raw-unicode-escape")),
    b"X": lambda m: m.push(_counted(m, "<I").decode("utf-8", "surrogatepass")),
    b"]": lambda m: m.push([]),
    b"}": lambda m: m.push({}),
    b")": lambda m: m.push(()),
    b"l": lambda m: m.push(m.marked()),
    b"d": lambda m: m.push(_pairs(m.marked())),
    b"t": lambda m: m.push(tuple(m.marked())),
    b"\x85": lambda m: m.push(tuple(m.popped(1))),
    b"\x86": lambda m: m.push(tuple(m.popped(2))),
    b"\x87": lambda m: m.push(tuple(m.popped(3))),
    b"a": lambda m: m.appended(m.popped(1)),
    b"e": lambda m: m.appended(m.marked()),
    b"s": lambda m: m.set_items(m.popped(2)),
    b"u": lambda m: m.set_items(m.marked()),
    b"p": lambda m: m.remember(int(m.line())),
    b"q": lambda m: m.remember(m.number("<B")),
    b"r": lambda m: m.remember(m.number("<I")),
    b"g": lambda m: m.push(m.memo[int(m.line())]),
    b"h": lambda m: m.push(m.memo[m.number("<B")]),
    b"j": lambda m: m.push(m.memo[m.number("<I")]),
}
