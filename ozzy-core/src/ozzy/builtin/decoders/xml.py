"""XML: elements of a document as records, read as a stream."""

import re
from collections.abc import Iterator
from typing import Any, ClassVar, Final
from xml.parsers import expat

import attrs

from ozzy import BaseDecoder, Batch, DataError, OzzyError, Problem, Rejected, SourceError, option, options
from ozzy.builtin.decoders.xml_tree import Node, value_of
from ozzy.contracts.decoder import DecoderOptions
from ozzy.data.codecs import ByteStream
from ozzy.data.json_text import DEPTH_LIMIT

BATCH_BYTES: Final = 1024 * 1024
"""A batch ends with the record that reaches this many bytes of the stream, if it has not ended before."""

_PIECE: Final = 64 * 1024
_CUT_OFF: Final = (expat.errors.XML_ERROR_NO_ELEMENTS, expat.errors.XML_ERROR_UNCLOSED_TOKEN, expat.errors.XML_ERROR_PARTIAL_CHAR)
_ENCODING: Final = "Set the option `encoding` of the deserializer."
_STEP: Final = re.compile(r"[^\s/<>&]+")


@options
class XMLOptions(DecoderOptions):
    """Options of the decoder `xml`."""

    record: str = option(
        default="",
        help="Which elements are records: a path from the root such as catalog/items/item, or a name, which may stand anywhere. "
        "Unset, each child of the root is one.",
        example="item",
    )
    attribute_prefix: str = option(default="@", help="What stands before the name of an attribute that becomes a field.")
    text_field: str = option(default="#text", minimum=1, help="The field of the text of an element that has attributes or children too.")
    lists: list[str] = option(default=[], help="Names of elements that are a list even where there is one of them.", example=["tag"])
    types: bool = option(
        default=False,
        help="Go by the attribute `type` (str, int, float, bool, null, list, dict) that the formatter xml writes, instead of "
        "making a field of it.",
    )
    record_limit: int = option(default=16 * 1024 * 1024, minimum=1024, help="Bytes of a record, at the most.")


class XMLDecoder(BaseDecoder):
    """XML in the encoding that the document declares; elements are records, their attributes and children are fields.

    An attribute is a text, its name after `attribute_prefix`. A child with nothing but text is that text, one with nothing at all is
    null, and any other is a mapping, with its text in `text_field`; children of one name become a list. Blanks between elements are left
    out, names keep their prefixes, comments and processing instructions are passed over.

    Nothing is ever fetched or expanded: a document with a document type declaration (and so with entities) is a DataError. So is one
    that is not well-formed, with line and column; the records before that place are read. A document that is cut off is a SourceError.
    A record that nests deeper than 256 levels, or does not fit its `types`, is rejected with its line.
    """

    Options: ClassVar[type] = XMLOptions
    options: XMLOptions

    @classmethod
    def check_options(cls, options: XMLOptions) -> Iterator[str | Problem]:
        """What is wrong with the path of records, or the encoding."""
        yield from super().check_options(options)
        if options.record and not all(map(_STEP.fullmatch, options.record.split("/"))):
            yield Problem("record", "expected the name of an element, or names with / between them from the root on")

    def decode(self, stream: ByteStream) -> Iterator[Batch]:
        if not stream.head(1):
            return
        reading = _Reading(stream, self.options)
        first = 0
        for end in reading.ends(self.options.batch_size):
            taken, reading.done = reading.done[:end], reading.done[end:]
            yield _batch(stream.name, taken, first)
            first += len(taken)


@attrs.frozen
class _Done:
    record: Any
    wrong: str
    line: int
    end: int


def _batch(name: str, done: list[_Done], first: int) -> Batch:
    return Batch.from_records(
        [one.record for one in done if not one.wrong],
        rejected=[Rejected(f"{name}, line {one.line}", one.wrong) for one in done if one.wrong],
        origin=[first + at for at, one in enumerate(done) if not one.wrong],
    )


class _Reading:
    """One pass through a document; `done` are the records that no batch has taken yet."""

    def __init__(self, stream: ByteStream, options: XMLOptions) -> None:
        self.done: list[_Done] = []
        self._stream = stream
        self._options = options
        self._steps = options.record.split("/") if options.record else []
        self._path: list[str] = []
        self._open: list[Node] = []
        self._begun = (0, 0)
        self._depth = 0
        self._fed = 0
        parser = expat.ParserCreate("utf-8" if stream.encoding else None)
        parser.buffer_text = True
        parser.ordered_attributes = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        self._parser = parser

    def ends(self, most: int) -> Iterator[int]:
        """Reads on, and yields how many of the records at hand are the next batch."""
        begun, more, mistake = 0, True, None
        while more:
            try:
                more = self._feed()
            except OzzyError as error:
                more, mistake = False, error
            at = 0
            while at < len(self.done):
                at += 1
                if at == most or self.done[at - 1].end - begun >= BATCH_BYTES:
                    begun = self.done[at - 1].end
                    yield at
                    at = 0
        if self.done:
            yield len(self.done)
        if mistake is not None:
            raise mistake

    def _feed(self) -> bool:
        """Parse one more piece; whether there may be another."""
        piece = self._stream.read(_PIECE)
        self._fed += len(piece)
        try:
            self._parser.Parse(piece, not piece)
        except expat.ExpatError as error:
            raise self._mistake(error) from error
        except (LookupError, ValueError) as error:
            raise self._wrong(f"the encoding can't be read: {error}", _ENCODING) from error
        since = self._begun[0] if self._open else self._parser.CurrentByteIndex
        if self._fed - max(since, 0) > self._options.record_limit + _PIECE:
            raise self._wrong(f"something longer than {self._options.record_limit} bytes", "Raise record_limit, or set record.")
        return bool(piece)

    def _start(self, name: str, attributes: list[str]) -> None:
        self._path.append(name)
        if self._open:
            self._depth = max(self._depth, len(self._open) + 1)
        elif self._is_record():
            self._begun = (self._parser.CurrentByteIndex, self._parser.CurrentLineNumber)
            self._depth = 1
        elif len(self._path) > DEPTH_LIMIT:
            raise self._wrong(f"nested deeper than {DEPTH_LIMIT} levels", "Is this the document you mean?")
        else:
            return
        self._open.append(Node(name, attributes) if len(self._open) < DEPTH_LIMIT else self._open[-1])

    def _end(self, _: str) -> None:
        self._path.pop()
        if not self._open:
            return
        node = self._open.pop()
        if self._open:
            if node is not self._open[-1]:
                self._open[-1].children.append(node)
            return
        record, wrong = None, f"nested deeper than {DEPTH_LIMIT} levels" if self._depth > DEPTH_LIMIT else ""
        if not wrong:
            try:
                record = value_of(node, self._options, whole=True)
            except ValueError as error:
                wrong = str(error)
        self.done.append(_Done(record, wrong, self._begun[1], self._parser.CurrentByteIndex))

    def _text(self, text: str) -> None:
        if self._open:
            self._open[-1].text.append(text)

    def _is_record(self) -> bool:
        if not self._steps:
            return len(self._path) == 2
        return self._path[-1] == self._steps[0] if len(self._steps) == 1 else self._path == self._steps

    def _refuse(self, *_: Any) -> None:
        raise self._wrong("a document type declaration", "ozzy reads no document types and no entities: take the declaration out.")

    def _mistake(self, error: expat.ExpatError) -> DataError | SourceError:
        where = f"{self._stream.name}, line {error.lineno}, column {error.offset + 1}"
        told = expat.ErrorString(error.code)
        if told in _CUT_OFF and not self._stream.head(1):
            return SourceError(f"{where}: the document ends too early", hint="The file is cut off, or an element is never closed.")
        hint = _ENCODING if "encoding" in told else "Is this XML? Look at that place."
        return DataError(f"{where}: not well-formed XML: {told}", hint=hint)

    def _wrong(self, what: str, hint: str) -> DataError:
        return DataError(f"{self._stream.name}, line {self._parser.CurrentLineNumber}: {what}", hint=hint)
