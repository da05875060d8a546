"""Pieces that are joined make the files that their rows would have made."""

from pathlib import Path
from typing import Any

import attrs
import pytest

from ozzy import DestinationError
from ozzy.data.codecs import CODECS, open_decompressed
from ozzy.staging.files import StagedFiles
from ozzy.staging.pieces import PieceMaker, join

ROWS = [b"%d " % number + b"x" * (number % 90) + b"\n" for number in range(500)]


def codec(name: str) -> Any:
    return attrs.evolve(CODECS[name], member_size=2_000)


def files(folder: Path, name: str = "gz", **more: Any) -> StagedFiles:
    def begin(group: Any) -> tuple[str, bool]:
        return f"{'-'.join(group) or 'all'}", "skip" in group

    return StagedFiles(folder / "staged", codec(name), lambda: b"begin\n", lambda: b"end\n", begin, **more)


def joined(folder: Path, pieces: list[list[tuple[Any, list[bytes]]]], name: str = "gz", **more: Any) -> StagedFiles:
    """Files that these pieces were joined to, each made of rows for groups."""
    made = files(folder, name, **more)
    made.folder.mkdir(parents=True)
    maker = PieceMaker(codec(name), more.get("separator", b""))
    for number, writes in enumerate(pieces):
        maker.begin(made.folder / f"piece-{number}")
        for group, rows in writes:
            maker.write(group, rows)
        join(made, maker.end())
    return made


def content(made: StagedFiles) -> dict[str, bytes]:
    made.close_all()
    found = {}
    for entry in made.all_finished():
        with (made.folder / entry["staged"]).open("rb") as raw:
            found[entry["name"]] = b"".join(iter(open_decompressed(raw, name="a").read, b""))
    return found


@pytest.mark.parametrize("name", ["none", "gz", "zst"])
def test_rows_come_in_the_order_of_the_pieces(tmp_path: Path, name: str) -> None:
    made = joined(tmp_path, [[((), ROWS[:200])], [], [((), ROWS[200:210])], [((), ROWS[210:350]), ((), ROWS[350:])]], name)
    assert content(made) == {"all": b"begin\n" + b"".join(ROWS) + b"end\n"}
    assert (made.written, made.ignored) == (500, 0)
    assert [path.name for path in made.folder.iterdir() if path.name.startswith("piece")] == []


def test_each_group_gets_its_rows(tmp_path: Path) -> None:
    pieces = [[(("a",), ROWS[:100]), (("b",), ROWS[100:103])], [(("b",), ROWS[103:300]), (("a",), ROWS[300:305])]]
    assert content(joined(tmp_path, pieces)) == {
        "a": b"begin\n" + b"".join(ROWS[:100] + ROWS[300:305]) + b"end\n",
        "b": b"begin\n" + b"".join(ROWS[100:300]) + b"end\n",
    }


def test_rows_that_wait_in_the_log_are_told_apart_again(tmp_path: Path) -> None:
    pieces = [[((group,), ROWS[start : start + 100]) for start, group in enumerate("abcd")], [(("d",), ROWS[300:])]]
    many, few = joined(tmp_path / "many", pieces), joined(tmp_path / "few", pieces, group_limit=2)
    assert content(few) == content(many)
    assert few.written == many.written == 600


def test_something_between_rows_is_between_pieces_too(tmp_path: Path) -> None:
    made = joined(tmp_path, [[((), ROWS[:2])], [((), ROWS[2:4])]], separator=b"--")
    assert content(made) == {"all": b"begin\n" + b"--".join(ROWS[:4]) + b"end\n"}


def test_rows_that_are_to_be_skipped_are_counted(tmp_path: Path) -> None:
    made = joined(tmp_path, [[(("skip",), ROWS[:200])]])
    assert content(made) == {}
    assert (made.written, made.ignored) == (0, 200)


@pytest.mark.parametrize("name", ["none", "gz"])
@pytest.mark.parametrize("group", [(), ("a",)])
def test_rows_without_a_byte_are_counted(tmp_path: Path, name: str, group: Any) -> None:
    made = joined(tmp_path, [[(group, [b"", b""])], [(group, [b"", b"x", b""])]], name)
    assert list(content(made).values()) == [b"begin\nxend\n"]
    assert made.written == 5


@pytest.mark.parametrize("group", [(), ("a",)])
def test_what_is_not_compressed_is_the_same_however_large_its_parts_are(tmp_path: Path, group: Any) -> None:
    large = [bytes([number % 250]) * 300_000 + b"\n" for number in range(9)]
    pieces = [[(group, ROWS[:7]), (group, large), (group, ROWS[7:])], [(group, ROWS[:1])]]
    made = joined(tmp_path, pieces, "none")
    assert list(content(made).values()) == [b"begin\n" + b"".join(ROWS[:7] + large + ROWS[7:] + ROWS[:1]) + b"end\n"]
    assert made.written == 510


def test_a_piece_that_was_not_ended_is_forgotten(tmp_path: Path) -> None:
    made = files(tmp_path)
    made.folder.mkdir(parents=True)
    maker = PieceMaker(codec("gz"), b"")
    maker.begin(made.folder / "one")
    maker.write((), ROWS)
    maker.begin(made.folder / "two")
    maker.write((), ROWS[:3])
    join(made, maker.end())
    assert content(made) == {"all": b"begin\n" + b"".join(ROWS[:3]) + b"end\n"}


def test_a_piece_that_is_cut_is_an_error(tmp_path: Path) -> None:
    made = files(tmp_path)
    made.folder.mkdir(parents=True)
    maker = PieceMaker(codec("gz"), b"")
    maker.begin(made.folder / "one")
    maker.write((), ROWS)
    piece = maker.end()
    (made.folder / "one").write_bytes((made.folder / "one").read_bytes()[:-10])
    with pytest.raises(DestinationError, match="shorter than its worker said"):
        join(made, piece)
