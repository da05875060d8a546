"""XML: which elements are records, what becomes a field, and what is refused."""

import io
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozzy import Batch, ConfigError, DataError, SourceError
from ozzy.builtin.decoders.xml import BATCH_BYTES, XMLDecoder
from ozzy.builtin.formatters.xml import XMLExportFormatter
from ozzy.data.codecs import open_decompressed


def records(decode, text, **options):
    data = text if isinstance(text, bytes) else text.encode()
    return [record for batch in decode(XMLDecoder, data, **options) for record in batch.records]


@pytest.mark.parametrize(
    ("element", "record"),
    [
        ("<i/>", {}),
        ("<i> \n </i>", {}),
        ("<i><a>x</a><b> y </b></i>", {"a": "x", "b": " y "}),
        ("<i><a/><b></b><c> </c></i>", {"a": None, "b": None, "c": " "}),
        ("<i><a>1</a><b>2</b><a>3</a><a/></i>", {"a": ["1", "3", None], "b": "2"}),
        ('<i id="7" k="v&amp;"/>', {"@id": "7", "@k": "v&"}),
        ('<i id="7">text</i>', {"@id": "7", "#text": "text"}),
        ("<i>text</i>", {"#text": "text"}),
        ("<i>one <b>two</b> three</i>", {"b": "two", "#text": "one  three"}),
        ('<i><a x="1"/><a x="2">t</a></i>', {"a": [{"@x": "1"}, {"@x": "2", "#text": "t"}]}),
        ("<i><a><b><c>d</c></b></a></i>", {"a": {"b": {"c": "d"}}}),
        ("<i><a>&lt;&#233;&#x1F989;&gt;</a></i>", {"a": "<é🦉>"}),
        ("<i><a><![CDATA[<b>&]]> c</a></i>", {"a": "<b>& c"}),
        ("<i><!-- no --><?no no?><a>x<!-- no -->y</a></i>", {"a": "xy"}),
        ('<i xmlns:n="u"><n:a>1</n:a></i>', {"@xmlns:n": "u", "n:a": "1"}),
        ("<i><a>one\r\ntwo&#13;</a></i>", {"a": "one\ntwo\r"}),
    ],
)
def test_an_element_becomes_a_record(decode, element, record):
    assert records(decode, f"<r>{element}</r>") == [record]


def test_attributes_and_children_of_one_name_are_a_list_where_no_prefix_keeps_them_apart(decode):
    assert records(decode, '<r><i a="1"><a>2</a></i></r>', attribute_prefix="") == [{"a": ["1", "2"]}]


def test_names_of_attributes_texts_and_lists_can_be_chosen(decode):
    text = '<r><i k="v"><tag>x</tag>t</i></r>'
    assert records(decode, text, attribute_prefix="_", text_field="value", lists=["tag"]) == [{"_k": "v", "tag": ["x"], "value": "t"}]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("", [{"y": "0"}, {"i": ["a", "b"]}]),
        ("i", [{"#text": "a"}, {"#text": "b"}]),
        ("r/x/i", [{"#text": "a"}, {"#text": "b"}]),
        ("r/x", [{"i": ["a", "b"]}]),
        ("r", [{"h": {"y": "0"}, "x": {"i": ["a", "b"]}}]),
        ("x/i", []),
        ("nothing", []),
    ],
)
def test_which_elements_are_records(decode, path, found):
    assert records(decode, "<r><h><y>0</y></h><x><i>a</i><i>b</i></x></r>", record=path) == found


def test_an_element_inside_a_record_of_its_name_is_a_part_of_it(decode):
    assert records(decode, "<r><i><i>x</i></i></r>", record="i") == [{"i": "x"}]


def test_types_are_those_that_the_formatter_writes(decode):
    record = {
        "id": 1, "big": 2**70, "x": 1.5, "t": True, "f": False, "n": None, "s": "", "text": " a<b>&\r\n\t",
        "list": [1, "a", None, [], {"b": [2]}], "empty": [], "map": {}, "5": "five", "a/b": {"c!": 1}, "日本": "é",
    }  # fmt: skip
    made = XMLExportFormatter({"options": {}})
    data = made.header() + b"".join(made.format_rows(Batch.from_records([record, {}]))) + made.footer()
    wanted = {("n5" if name == "5" else name): value for name, value in record.items()}
    assert records(decode, data, types=True) == [wanted, {}]
    assert records(decode, '<r><i type="dict"><key>x</key><a type="dict" b="1"><c>t</c></a></i></r>', types=True) == [
        {"key": "x", "a": {"@b": "1", "c": "t"}}
    ]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("int", "x"),
        ("int", "1.0"),
        ("int", "1_0"),
        ("int", "9" * 5000),
        ("float", "x"),
        ("float", "nan"),
        ("bool", "True"),
        ("null", "x"),
        ("odd", ""),
    ],
)
def test_a_value_that_does_not_fit_its_type_rejects_its_record(decode, kind, text):
    (batch,) = decode(XMLDecoder, f'<r>\n<i/>\n<i><a type="{kind}">{text}</a></i>\n<i/></r>'.encode(), types=True)
    (rejected,) = batch.rejected
    assert (rejected.where, rejected.message) == ("in, line 3", f"a: {text[:40]!r} is no {kind}")
    assert list(batch.origin) == [0, 2]
    assert batch.position == {"rows": 3, "blank": 0}


def test_a_record_that_nests_too_deep_is_rejected(decode):
    (batch,) = decode(XMLDecoder, b"<r>" + b"<i>" * 256 + b"</i>" * 256 + b"<i>" * 257 + b"</i>" * 257 + b"<i/></r>")
    assert [(one.where, one.message) for one in batch.rejected] == [("in, line 1", "nested deeper than 256 levels")]
    assert len(batch) == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "us-ascii", "windows-1252", "koi8-r"])
def test_the_declared_encoding_counts(decode, encoding):
    word = {"us-ascii": "a", "koi8-r": "Россия"}.get(encoding, "é")
    text = f'<?xml version="1.0" encoding="{encoding}"?><r><i><a>{word}</a></i></r>'
    assert records(decode, text.encode(encoding)) == [{"a": word}]
    for drip in (1, 2, 5):
        assert records(decode, text.encode(encoding), drip=drip) == [{"a": word}]


def test_an_encoding_that_is_given_goes_before_the_declared_one(decode):
    text = '<?xml version="1.0" encoding="utf-8"?><r><i><a>日</a></i></r>'
    assert records(decode, text.encode("shift_jis"), encoding="shift_jis") == [{"a": "日"}]
    assert records(decode, ("\ufeff" + text).encode("utf-32-be")) == [{"a": "日"}]
    assert records(decode, b"\xef\xbb\xbf" + text.encode()) == [{"a": "日"}]


@pytest.mark.parametrize("name", ["shift_jis", "klingon"])
def test_an_encoding_that_can_not_be_read_says_what_to_set(decode, name):
    with pytest.raises(DataError, match="in, line 1") as raised:
        decode(XMLDecoder, f'<?xml version="1.0" encoding="{name}"?><r/>'.encode())
    assert "encoding" in raised.value.hint


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(10))


@pytest.mark.parametrize(
    "declaration",
    [
        f"<!DOCTYPE r [{LAUGHS}]>",
        '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE r SYSTEM "http://127.0.0.1:9/x.dtd">',
        '<!DOCTYPE r [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>',
        "<!DOCTYPE r>",
    ],
)
def test_document_types_and_entities_are_refused(decode, declaration):
    with pytest.raises(DataError, match="in, line 1: a document type declaration"):
        decode(XMLDecoder, f"{declaration}<r><i>&x;&l9;</i></r>".encode())


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("<r><i></r>", "line 1, column 9: not well-formed XML: mismatched tag"),
        ("<r>\n<i>&x;</i></r>", "line 2, column 4: not well-formed XML: undefined entity"),
        ("<r/><r/>", "line 1, column 5: not well-formed XML: junk after document element"),
        ("text", "line 1, column 1: not well-formed XML"),
        ("<r>\0</r>", "line 1, column 4: not well-formed XML"),
        ('<r><i a="1" a="2"/></r>', "duplicate attribute"),
        (b"<r>\xff</r>", "line 1, column 4: not well-formed XML"),
    ],
)
@pytest.mark.parametrize("drip", [None, 1])
def test_what_is_not_well_formed_is_an_error_with_its_place(decode, text, place, drip):
    with pytest.raises(DataError, match="in, ") as raised:
        decode(XMLDecoder, text if isinstance(text, bytes) else text.encode(), drip=drip)
    assert place in raised.value.message


@pytest.mark.parametrize("size", [1, 2, 7])
def test_records_before_a_mistake_are_read(size):
    stream = open_decompressed(io.BytesIO(b"<r><i>1</i><i>2</i><i>3</i><x></r>"), "none", name="in")
    batches = XMLDecoder({"options": {"batch_size": size}}).decode(stream)
    found = [record for _ in range(-(-3 // size)) for record in next(batches).records]
    with pytest.raises(DataError, match="mismatched tag"):
        next(batches)
    assert found == [{"#text": "1"}, {"#text": "2"}, {"#text": "3"}]


@pytest.mark.parametrize("text", ["<r>", "<r><i>1</i>", "<r><i", "<r><i>", "<", "<r><!-- ", "\n"])
def test_a_document_that_is_cut_off_is_an_error_of_the_source(decode, text):
    with pytest.raises(SourceError, match=r"in, line \d, column \d+: the document ends too early"):
        decode(XMLDecoder, text.encode())


def test_nothing_is_nothing(decode):
    assert decode(XMLDecoder, b"") == []
    assert decode(XMLDecoder, b"<r/>") == []


def test_a_batch_ends_at_its_rows_or_bytes(decode):
    by_rows = decode(XMLDecoder, b"<r>" + b"<i/>" * 25 + b"</r>", batch_size=10)
    by_bytes = decode(XMLDecoder, b"<r>" + (b"<i>" + b"x" * (BATCH_BYTES // 4) + b"</i>") * 9 + b"</r>")
    assert [len(batch) for batch in by_rows] == [10, 10, 5]
    assert [batch.position["rows"] for batch in by_rows] == [10, 20, 25]
    assert [len(batch) for batch in by_bytes] == [4, 4, 1]


@pytest.mark.parametrize("text", [b"<r><i>" + b"x" * 400_000, b"<r><i a='" + b"x" * 400_000, b"<r><i>" + b"<a/>" * 100_000])
def test_a_record_larger_than_the_limit_is_an_error(decode, text):
    with pytest.raises(DataError, match="in, line 1: something longer than 2048 bytes"):
        decode(XMLDecoder, text, record_limit=2048)


def test_elements_without_end_are_refused(decode):
    with pytest.raises(DataError, match="in, line 1: nested deeper than 256 levels"):
        decode(XMLDecoder, b"<a>" * 5000, record="b")


def test_memory_is_bounded(decode):
    class Endless(io.RawIOBase):
        left = 30

        def read(self, size=-1):
            self.left -= 1
            return b"<r>" if self.left == 29 else b"<i><a>text</a></i>" * 1500 if self.left > 0 else b"</r>" if self.left == 0 else b""

    stream = open_decompressed(Endless(), "none", name="in")
    tracemalloc.start()
    count = sum(len(batch) for batch in XMLDecoder().decode(stream))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count > 40_000
    assert peak < 12 * 1024 * 1024


@pytest.mark.parametrize("path", ["/", "a/", "/a", "a//b", "a b", "<a>", "a/<b"])
def test_a_path_that_is_none_is_an_error_of_the_config(path):
    with pytest.raises(ConfigError, match="record: expected the name of an element"):
        XMLDecoder({"options": {"record": path}})


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b c!", "é"]), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=100)
@given(
    rows=st.lists(st.dictionaries(st.sampled_from(["x", "y/z", "日"]), VALUES, max_size=3), max_size=5),
    drip=st.integers(1, 40),
    most=st.integers(1, 3),
)
def test_what_the_formatter_wrote_comes_back_however_bytes_arrive(decode, rows, drip, most):
    made = XMLExportFormatter()
    data = made.header() + b"".join(made.format_rows(Batch.from_records(rows))) + made.footer()
    whole = decode(XMLDecoder, data, types=True, batch_size=most)
    assert [record for batch in whole for record in batch.records] == rows
    assert [batch.records for batch in decode(XMLDecoder, data, types=True, batch_size=most, drip=drip)] == [
        batch.records for batch in whole
    ]
