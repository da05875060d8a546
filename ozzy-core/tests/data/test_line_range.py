import io

import pytest

from ozzy import SourceError
from ozzy.data.line_range import LineRange

TEXTS = {
    "lines": b"one\ntwo\nthree\nfour\n",
    "no last line end": b"one\ntwo\nthree",
    "blank lines": b"\n\none\n\n\ntwo\n\n",
    "CRLF": b"one\r\ntwo\r\n\r\nthree\r\n",
    "one huge line": b"a\n" + b"x" * 1000 + b"\nb\n",
    "one line without an end": b"x" * 50,
    "nothing": b"",
    "one line end": b"\n",
}


class Seen(io.BytesIO):
    """Counts what is read of it."""

    read_bytes = 0

    def read(self, size: int | None = -1) -> bytes:
        piece = super().read(size)
        self.read_bytes += len(piece)
        return piece


def content(text: bytes, start: int, end: int, piece: int) -> bytes:
    raw = io.BytesIO(text)
    raw.seek(max(start - 1, 0))
    stream = LineRange(raw, start, end, name="a.jl")
    return b"".join(iter(lambda: stream.read(piece), b""))


@pytest.mark.parametrize("what", TEXTS)
@pytest.mark.parametrize("piece", [1, 3, 1 << 16])
def test_ranges_side_by_side_give_each_line_once(what: str, piece: int) -> None:
    text = TEXTS[what]
    for size in (1, 2, 3, 5, 7, len(text) or 1, len(text) + 1):
        parts = [content(text, start, min(start + size, len(text)), piece) for start in range(0, len(text), size)]
        assert text == b"".join(parts)
        assert all(part.endswith(b"\n") for part in parts[:-1] if part and part is not [one for one in parts if one][-1])


def test_a_line_belongs_to_the_range_in_which_it_begins() -> None:
    assert [content(b"one\ntwo\nthree\n", start, start + 5, 2) for start in (0, 5, 10)] == [b"one\ntwo\n", b"three\n", b""]


def test_a_range_within_a_line_is_not_read_beyond_its_end() -> None:
    raw = Seen(b"x" * 100_000 + b"\n")
    raw.seek(999)
    assert LineRange(raw, 1000, 1100, name="a.jl").read(10) == b""
    assert raw.read_bytes <= 110


def test_a_file_that_fails_is_named() -> None:
    raw = io.BytesIO(b"one\n")
    raw.close()
    with pytest.raises(SourceError, match=r"^a\.jl can't be read"):
        LineRange(raw, 0, 4, name="a.jl").read()


@pytest.mark.parametrize("piece", [1, 3, 1 << 16])
def test_lines_behind_a_range_come_one_by_one_when_asked_for(piece: int) -> None:
    raw = io.BytesIO(b"one\ntwo\n\nthree\nfour")
    raw.seek(1)
    stream = LineRange(raw, 2, 5, name="a.jl")
    found = []
    while True:
        found.append(b"".join(iter(lambda: stream.read(piece), b"")))
        if not stream.go_on():
            break

    assert (found, stream.first, stream.go_on()) == ([b"two\n", b"\n", b"three\n", b"four"], 4, False)


def test_nothing_is_lost_of_what_was_read_far_beyond_a_range() -> None:
    lines = [b"one\n", *(b"%07d\n" % number for number in range(100_000)), b"x" * 10_000 + b"\n", b"last"]
    stream = LineRange(io.BytesIO(b"".join(lines)), 0, 4, name="a.jl")
    found = [stream.read(4 << 20)]
    while stream.go_on():
        found.append(b"".join(iter(lambda: stream.read(4 << 20), b"")))

    assert found == lines
    assert stream.at == sum(map(len, lines))


def test_there_is_nothing_to_go_on_with_where_no_line_begins_or_not_all_were_read() -> None:
    within = LineRange(io.BytesIO(b"ong line\ntwo\n"), 2, 5, name="a.jl")
    begun = LineRange(io.BytesIO(b"one\ntwo\n"), 0, 5, name="a.jl")

    assert (within.first, within.go_on(), begun.first, begun.go_on(), begun.read()) == (None, False, 0, False, b"one\ntwo\n")
