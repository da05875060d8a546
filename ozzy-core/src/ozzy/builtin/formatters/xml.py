"""Formatter `xml`: an element for each record, and in it one for each field."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final
from xml.parsers import expat

import msgspec

from ozzy.contracts.formatter import BaseExportFormatter
from ozzy.data.batch import Batch
from ozzy.data.json_text import encode_record
from ozzy.errors import DataError, Problem
from ozzy.options.option import option, options

_TYPES: Final = {bool: "bool", int: "int", float: "float", str: "str", type(None): "null", dict: "dict", list: "list", tuple: "list"}
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SIGNS: Final = str.maketrans({"&": "&amp;", '"': "&quot;", "'": "&apos;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_SIGNS_OF_NAMES: Final = _SIGNS | str.maketrans({"\t": "&#9;", "\n": "&#10;"})
_NO_NAME: Final = re.compile(r"[\s<>&\"'/=:?!\[\]\x00-\x20]")
_ENCODING: Final = re.compile(r"encoding\s*=\s*['\"]([^'\"]*)['\"]")


@options
class XMLOptions:
    """Options of the formatter `xml`."""

    attr_type: bool = option(default=True, help='Write the type of each value beside it: `type="int"`.')
    fields_order: list[str] = option(
        default=[], help="Fields that come first, in this order; the others follow as they are.", example=["id"]
    )
    item_name: str = option(default="item", help="The element of a record.")
    root_name: str = option(default="root", help="The element around all records.")
    xml_header: str = option(
        default='<?xml version="1.0" encoding="UTF-8"?>', help="The first line of a file; empty for none. Files are always in UTF-8."
    )


class XMLExportFormatter(BaseExportFormatter):
    """Writes records as XML in UTF-8, each on a line of its own: an element for each field, in the form that dicttoxml gave them.

    A list is an element with an `item` for each member, a mapping one with an element for each key. A key that can't be the name of an
    element is `n5` where it is the number 5, has `_` for blanks where that is enough, and else becomes `<key name="…">`. A text with a
    character that XML can't have, such as most control characters, makes its record a bad one.
    """

    Options = XMLOptions
    independent = True
    options: XMLOptions
    file_extension = "xml"
    face = "records"
    item_separator = ""

    @classmethod
    def check_options(cls, options: XMLOptions) -> Iterator[Problem]:
        """What is wrong with the names of elements and the header."""
        for name in ("item_name", "root_name"):
            if not _is_name(getattr(options, name)):
                yield Problem(name, f"{getattr(options, name)!r} can't be the name of an element")
        try:
            expat.ParserCreate().Parse(f"{options.xml_header}<a/>".encode(), True)
        except (expat.ExpatError, UnicodeEncodeError, ValueError) as error:
            yield Problem("xml_header", f"is no beginning of an XML document: {error}")
        else:
            named = _ENCODING.search(options.xml_header)
            if named and named[1].lower() not in {"utf-8", "utf8"}:
                yield Problem("xml_header", f"says that the encoding is {named[1]}, and ozzy writes UTF-8")

    def header(self) -> bytes:
        first = f"{self.options.xml_header}\n" if self.options.xml_header else ""
        return f"{first}<{self.options.root_name}>\n".encode()

    def footer(self) -> bytes:
        return f"</{self.options.root_name}>\n".encode()

    def format_rows(self, batch: Batch) -> list[bytes]:
        rows = []
        for row, record in enumerate(batch.records):
            try:
                rows.append(self._row(record))
            except DataError as error:
                error.row = row
                raise
            except RecursionError as error:
                raise DataError("nested too deep", row=row) from error
        return rows

    def _row(self, record: dict[str, Any]) -> bytes:
        first = self.options.fields_order
        if first:
            record = {name: record[name] for name in first if name in record} | record
        text: list[str] = []
        self._fields(text, record)
        inside = "".join(text)
        bad = _FORBIDDEN.search(inside)
        if bad:
            raise DataError(f"holds the character U+{ord(bad[0]):04X}, which XML can't have")
        return f"<{self.options.item_name}>{inside}</{self.options.item_name}>\n".encode()

    def _fields(self, text: list[str], record: dict[Any, Any]) -> None:
        for name, value in record.items():
            element, attribute = _element(name if isinstance(name, str) else str(name))
            self._value(text, element, attribute, value)

    def _value(self, text: list[str], element: str, attribute: str, value: Any) -> None:
        kind = _TYPES.get(type(value))
        if kind is None:
            value = msgspec.json.decode(encode_record(value))
            kind = _TYPES[type(value)]
        text.append(f'<{element}{attribute} type="{kind}">' if self.options.attr_type else f"<{element}{attribute}>")
        if kind == "str":
            text.append(value.translate(_SIGNS))
        elif kind == "dict":
            self._fields(text, value)
        elif kind == "list":
            for one in value:
                self._value(text, "item", "", one)
        elif value is not None:
            text.append(encode_record(value).decode())
        text.append(f"</{element}>")


@lru_cache(maxsize=4096)
def _element(name: str) -> tuple[str, str]:
    """The name of the element of a field, and the attribute that says what the field is called where the element can't."""
    if _is_name(name):
        return name, ""
    if name.isdigit() and _is_name(f"n{name}"):
        return f"n{name}", ""
    if _is_name(name.replace(" ", "_")):
        return name.replace(" ", "_"), ""
    return "key", f' name="{name.translate(_SIGNS_OF_NAMES)}"'


def _is_name(name: str) -> bool:
    """Whether an element can have this name, as common parsers see it; a colon would make a namespace."""
    if not name or _NO_NAME.search(name):
        return False
    try:
        expat.ParserCreate().Parse(f"<{name}/>".encode(), True)
    except (expat.ExpatError, UnicodeEncodeError):
        return False
    return True
