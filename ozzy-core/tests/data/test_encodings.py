"""Text in any encoding is read as UTF-8, with the line and byte of what can't be."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozzy import ConfigError, DataError
from ozzy.builtin.decoders.csv import CSVDecoder
from ozzy.builtin.decoders.json_lines import JsonLinesDecoder
from ozzy.contracts.decoder import decoded
from ozzy.data.codecs import ByteStream, open_decompressed
from ozzy.data.encodings import as_utf8, encoding_of, wrong_encoding


class Dripping(io.RawIOBase):
    def __init__(self, data: bytes, most: int) -> None:
        self._data = io.BytesIO(data)
        self._most = most

    def read(self, size: int = -1) -> bytes:
        return self._data.read(min(size, self._most))


def stream(data: bytes, most: int = 1 << 20) -> ByteStream:
    return open_decompressed(Dripping(data, most), "none", name="in")


def read(data: bytes, encoding: str | None = None, most: int = 1 << 20, size: int = 1 << 16) -> bytes:
    made = as_utf8(stream(data, most), encoding)
    return b"".join(iter(lambda: made.read(size), b""))


TEXT = 'naïve, España; 日本 🦉\n{"ß": "\\u00e9"}\r\n'
MARKED = ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]


@pytest.mark.parametrize("encoding", MARKED)
@pytest.mark.parametrize("most", [1, 3, 7, 1000])
def test_a_mark_tells_the_encoding_and_is_no_part_of_the_text(encoding, most):
    assert read(("\ufeff" + TEXT).encode(encoding), most=most) == TEXT.encode()


@pytest.mark.parametrize(
    ("encoding", "codec"),
    [("utf-16", "utf-16-le"), ("UTF16", "utf-16-be"), ("utf-32", "utf-32-be"), ("utf-16-be", "utf-16-be"), ("utf_32_le", "utf-32-le")],
)
def test_a_mark_is_left_out_where_the_encoding_is_given_too(encoding, codec):
    assert read(("\ufeff" + TEXT).encode(codec), encoding) == TEXT.encode()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_without_a_mark_they_are_little_endian(encoding):
    assert read(TEXT.encode(f"{encoding}-le"), encoding) == TEXT.encode()


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "iso8859_15"])
def test_encodings_of_a_byte_a_character(encoding):
    assert read("España €ß\n".replace("€", "" if encoding == "latin-1" else "€").encode(encoding), encoding).decode()[:6] == "España"


@pytest.mark.parametrize("encoding", ["shift_jis", "gb18030", "euc-kr", "iso2022_jp", "utf-7", "koi8-r"])
@pytest.mark.parametrize("most", [1, 2, 1000])
def test_encodings_of_several_bytes_a_character(encoding, most):
    text = {"euc-kr": "한국\n", "koi8-r": "Россия\n"}.get(encoding, "日本\nと\n")
    assert read(text.encode(encoding), encoding, most) == text.encode()


@pytest.mark.parametrize("encoding", [None, "utf-8", "UTF8", "utf-8-sig"])
def test_utf_8_is_not_touched(encoding):
    raw = stream(b"\xef\xbb\xbf{}\xff")
    assert as_utf8(raw, encoding) is raw
    assert raw.encoding is None


def test_what_it_was_is_remembered():
    assert as_utf8(stream(b"\xff\xfea\0")).encoding == "utf-16-le"
    assert as_utf8(stream(b"x"), "latin-1").encoding == "iso8859-1"


@pytest.mark.parametrize(
    ("data", "encoding", "message"),
    [
        (b"one\ntw\x81o\n", "cp1252", "in, line 2: byte 6 can't be decoded as cp1252"),
        (b"caf\xe9\n", "ascii", "in, line 1: byte 3 can't be decoded as ascii"),
        (b"\xff\xfea\0\n\0\x00\xd8b\0", None, "in, line 2: byte 6 can't be decoded as utf-16-le: illegal UTF-16 surrogate"),
        (b"\xff\xfea\0b", None, "in, line 1: byte 4 can't be decoded as utf-16-le: truncated data"),
        (b"\xff\xfe\0\0a\0\0\0\n\0\0\0\0\0\x11\0", None, "in, line 2: byte 12 can't be decoded as utf-32-le"),
        (b"\x82\xa0\n\x82", "shift_jis", "in, line 2: byte 3 can't be decoded as shift_jis"),
    ],
)
@pytest.mark.parametrize("most", [1, 2, 5, 1000])
def test_what_can_not_be_decoded_has_its_line_and_byte(data, encoding, message, most):
    with pytest.raises(DataError) as raised:
        read(data, encoding, most)
    assert raised.value.message.startswith(message)
    assert "encoding" in raised.value.hint


@settings(max_examples=100)
@given(text=st.text(max_size=60), encoding=st.sampled_from([*MARKED, "utf-7", "gb18030"]), most=st.integers(1, 20), size=st.integers(1, 9))
def test_the_text_does_not_depend_on_how_bytes_come(text, encoding, most, size):
    text = text.encode(errors="ignore").decode()
    assert read(text.encode(encoding), encoding, most, size) == text.removeprefix("\ufeff").encode()


def test_a_place_in_the_text_is_found_again():
    data = ("\ufeff" + "".join(f'{{"é": {number}}}\n' for number in range(10))).encode("utf-16")
    for position in [None, *(batch.position for batch in _batches(data, None))]:
        rest = [record["é"] for batch in _batches(data, position) for record in batch.records]
        assert rest == list(range(position["rows"] if position else 0, 10))


def _batches(data, position):
    return list(decoded(JsonLinesDecoder({"options": {"batch_size": 3}}), stream(data), position))


def test_a_table_in_latin_1():
    (batch,) = decoded(CSVDecoder({"options": {"encoding": "latin-1"}}), stream("año,b\nñ,2\n".encode("latin-1")), None)
    assert batch.records == [{"año": "ñ", "b": "2"}]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("klingon", "'klingon' is no encoding that Python knows"),
        ("hex", "'hex' is no encoding that Python knows"),
        ("a\0", "'a\\x00' is no encoding that Python knows"),
        ("unicode_escape", "'unicode_escape' is no encoding of texts"),
        ("punycode", "'punycode' is no encoding of texts"),
    ],
)
def test_what_is_no_encoding_is_an_error_of_the_config(name, message):
    assert wrong_encoding(name) == message
    with pytest.raises(ConfigError) as raised:
        JsonLinesDecoder({"options": {"encoding": name}})
    assert [(problem.path.rpartition(".")[2], problem.message) for problem in raised.value.problems] == [("encoding", message)]


@pytest.mark.parametrize("head", [b"", b"\xff", b"\xef\xbb\xbf", b"{}", b"\0\0\xfe"])
def test_what_is_no_mark_tells_nothing(head):
    assert encoding_of(head) is None


def test_a_binary_decoder_is_given_its_bytes_as_they_are():
    class Bytes(JsonLinesDecoder):
        binary = True

        def decode(self, stream):
            assert stream.read() == b"\xff\xfea\0"
            return iter(())

    assert list(decoded(Bytes(), stream(b"\xff\xfea\0"), None)) == []
