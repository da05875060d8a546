"""Formatter xml: the elements of each kind of value, and what it refuses."""

import xml.etree.ElementTree as ET
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import IntEnum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozzy.builtin.formatters.xml import XMLExportFormatter
from ozzy.data.batch import Batch
from ozzy.errors import ConfigError, DataError


class Size(IntEnum):
    SMALL = 1


def formatter(**options):
    return XMLExportFormatter({"options": options})


def item(record, **options):
    (row,) = formatter(**options).format_rows(Batch.from_records([record]))
    assert row.endswith(b"</item>\n")
    return row.decode()[len("<item>") : -len("</item>\n")]


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        ("text", "str", "text"),
        ("", "str", ""),
        ("a & b < c > d \"e\" 'f'", "str", "a &amp; b &lt; c &gt; d &quot;e&quot; &apos;f&apos;"),
        ("two\nlines\t", "str", "two\nlines\t"),
        ("carriage\r\nreturn", "str", "carriage&#13;\nreturn"),
        ("España 東京 😀", "str", "España 東京 😀"),
        (None, "null", ""),
        (True, "bool", "true"),
        (False, "bool", "false"),
        (0, "int", "0"),
        (2**80, "int", "1208925819614629174706176"),
        (1.0, "float", "1.0"),
        (1e16, "float", "1e16"),
        ([], "list", ""),
        ({}, "dict", ""),
        ((1,), "list", '<item type="int">1</item>'),
        (["a", None, [2]], "list", '<item type="str">a</item><item type="null"></item><item type="list"><item type="int">2</item></item>'),
        ({"a": {"b": 1}}, "dict", '<a type="dict"><b type="int">1</b></a>'),
        ([{"a": 1}], "list", '<item type="dict"><a type="int">1</a></item>'),
        (datetime(2026, 3, 7, 9, 5, tzinfo=UTC), "str", "2026-03-07T09:05:00Z"),
        (date(2026, 3, 7), "str", "2026-03-07"),
        (Decimal("1.50"), "str", "1.50"),
        (Size.SMALL, "int", "1"),
    ],
)  # fmt: skip
def test_an_element_shows_its_value_and_type(value, kind, text):
    assert item({"v": value}) == f'<v type="{kind}">{text}</v>'


def test_without_types_there_are_none_at_any_depth():
    assert item({"a": 1, "b": [{"c": None}], "d": {"e": True}}, attr_type=False) == (
        "<a>1</a><b><item><c></c></item></b><d><e>true</e></d>"
    )


@pytest.mark.parametrize(
    ("name", "element"),
    [
        ("plain", "plain"),
        ("a.b-c_d", "a.b-c_d"),
        ("é", "é"),
        ("日本", "日本"),
        ("5", "n5"),
        ("two words", "two_words"),
        ("", 'key name=""'),
        ("5a", 'key name="5a"'),
        ("-a", 'key name="-a"'),
        ("a:b", 'key name="a:b"'),
        ("a b!", 'key name="a b!"'),
        ("a/><x", 'key name="a/&gt;&lt;x"'),
        ("a='1'", 'key name="a=&apos;1&apos;"'),
        ('"&\t\n\r', 'key name="&quot;&amp;&#9;&#10;&#13;"'),
        ("!--", 'key name="!--"'),
        ("?x", 'key name="?x"'),
        ("🦉", 'key name="🦉"'),
    ],
)
def test_a_key_becomes_the_name_of_an_element_or_stands_beside_it(name, element):
    assert item({name: 1}, attr_type=False) == f"<{element}>1</{element.split()[0]}>"
    assert item({"deep": [{name: 1}]}, attr_type=False) == f"<deep><item><{element}>1</{element.split()[0]}></item></deep>"
    assert item({name: 1}) == f'<{element} type="int">1</{element.split()[0]}>'
    ET.fromstring(item({name: 1}))


def test_listed_fields_come_first_in_their_order():
    assert item({"a": 1, "b": 2, "c": 3, "d": 4}, fields_order=["d", "b", "missing"], attr_type=False) == "<d>4</d><b>2</b><a>1</a><c>3</c>"


def test_header_rows_and_footer_make_a_document():
    made = formatter()
    rows = made.format_rows(Batch.from_records([{"a": 1}, {}]))
    assert (made.header() + made.separator.join(rows) + made.footer()).decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<root>\n<item><a type="int">1</a></item>\n<item></item>\n</root>\n'
    )
    assert (made.file_extension, made.resumable, made.appendable) == ("xml", True, True)


def test_elements_can_have_other_names_and_the_header_be_left_out():
    made = formatter(root_name="catálogo", item_name="x", xml_header="")
    (row,) = made.format_rows(Batch.from_records([{}]))
    assert made.header() + row + made.footer() == "<catálogo>\n<x></x>\n</catálogo>\n".encode()
    assert formatter(xml_header="<?xml version='1.0' encoding='utf-8'?><!-- x -->").header().startswith(b"<?xml version='1.0'")


@pytest.mark.parametrize(
    ("options", "path", "message"),
    [
        ({"item_name": ""}, "item_name", "'' can't be the name of an element"),
        ({"item_name": "a b"}, "item_name", "'a b' can't be the name of an element"),
        ({"root_name": "a/><b"}, "root_name", "'a/><b' can't be the name of an element"),
        ({"root_name": "1"}, "root_name", "'1' can't be the name of an element"),
        ({"xml_header": "<?xml"}, "xml_header", "is no beginning of an XML document"),
        ({"xml_header": "hello"}, "xml_header", "is no beginning of an XML document"),
        ({"xml_header": "<?xml version='1.0' encoding='latin-1'?>"}, "xml_header", "the encoding is latin-1, and ozzy writes UTF-8"),
        ({"xml_header": "<?xml version='1.0' encoding='shift_jis'?>"}, "xml_header", "is no beginning"),
    ],
)
def test_options_that_make_no_document_are_refused(options, path, message):
    with pytest.raises(ConfigError) as raised:
        formatter(**options)
    (problem,) = raised.value.problems
    assert problem.path == f"formatter.options.{path}"
    assert message in problem.message


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"a": "nul\0"}, "U+0000"),
        ({"a": ["\x1b"]}, "U+001B"),
        ({"a": "\ufffe"}, "U+FFFE"),
        ({"a": "\ud800"}, "U+D800"),
        ({"\x01": 1}, "U+0001"),
        ({"\ud800": 1}, "U+D800"),
        ({"a": float("nan")}, "NaN"),
        ({"a": object()}, "object"),
    ],
)
def test_what_has_no_form_is_an_error_of_its_row(record, message):
    with pytest.raises(DataError) as raised:
        formatter().format_rows(Batch.from_records([{"a": 1}, record, {"a": "\0"}]))
    assert message in raised.value.message
    assert raised.value.row == 1


def test_nesting_without_end_is_an_error_of_its_row():
    deep: list = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(DataError) as raised:
        formatter().format_rows(Batch.from_records([{"a": 1}, {"a": deep}]))
    assert raised.value.row == 1


def test_lines_and_records_give_the_same_rows():
    lines = [b'{"b":1.0,"a":"\\u00f1","c":{"x": [1, null]}}', b'{"c":12345678901234567890123}']
    from_lines = formatter(fields_order=["a"]).format_rows(Batch.from_lines(list(lines)))
    assert from_lines == formatter(fields_order=["a"]).format_rows(Batch.from_records(Batch.from_lines(lines).records))


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=8)


@settings(max_examples=100)
@given(st.dictionaries(TEXTS, TEXTS | st.integers() | st.none() | st.lists(TEXTS, max_size=3), max_size=4))
def test_every_record_is_well_formed(record):
    (row,) = formatter().format_rows(Batch.from_records([record]))
    found = ET.fromstring(row.decode())
    assert len(found) == len(record)
    for element, (name, value) in zip(found, record.items(), strict=True):
        assert element.tag in {name, f"n{name}", name.replace(" ", "_")} or element.get("name") == name
        if isinstance(value, str):
            assert (element.text or "") == value
