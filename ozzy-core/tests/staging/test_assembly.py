"""Files that are made of all their rows at once: staged as lines, made where they are finished, the same after a resume."""

import gzip
import hashlib
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from ozzy.data.codecs import CODECS
from ozzy.errors import DestinationError
from ozzy.staging.assembly import Assembly
from ozzy.staging.files import StagedFiles


def counted(rows: Any, target: Any) -> None:
    """A file that begins with how many rows it has."""
    target.write(b"%d rows\n" % sum(len(batch) for batch in rows()))
    for batch in rows():
        for record in batch.records:
            target.write(json.dumps(record).encode() + b"\n")


def staged(folder: Path, codec: str = "none", make: Any = counted, **more: Any) -> StagedFiles:
    numbers: dict[Any, int] = {}

    def begin(group: Any) -> tuple[str, bool]:
        numbers[group] = numbers.get(group, -1) + 1
        return f"{'-'.join(map(str, group))}{numbers[group]}", False

    given = {"folder": folder, "codec": CODECS[codec], "header": bytes, "footer": bytes, "begin": begin}
    return StagedFiles(**given, assembly=Assembly(make, CODECS[codec]), **more)


def lines(*numbers: int) -> list[bytes]:
    return [b'{"n": %d}\n' % number for number in numbers]


def content(files: StagedFiles, receipt: dict[str, Any]) -> dict[str, bytes]:
    return {entry["name"]: (files.folder / entry["staged"]).read_bytes() for entry in files.finished(receipt)}


@pytest.mark.parametrize("codec", CODECS)
def test_a_file_is_made_of_all_its_rows(tmp_path, codec):
    files = staged(tmp_path / "s", codec)
    files.write((), lines(1, 2))
    files.write((), lines(3))
    receipt = files.prepare(final=True)
    (entry,) = receipt["closed"]
    data = (files.folder / entry["staged"]).read_bytes()
    assert entry["rows"] == 3
    assert entry["size"] == len(data)
    assert entry["sha256"] == hashlib.sha256(data).hexdigest()
    wanted = b'3 rows\n{"n": 1}\n{"n": 2}\n{"n": 3}\n'
    assert (gzip.decompress(data) if codec == "gz" else data) == wanted or data == CODECS[codec].compress(wanted)


def test_members_do_not_depend_on_how_the_file_is_written(tmp_path):
    def by_bytes(rows: Any, target: Any) -> None:
        for _ in rows():
            for byte in b"0123456789" * 40_000:
                target.write(bytes([byte]))

    def at_once(rows: Any, target: Any) -> None:
        assert target.write(b"0123456789" * 40_000) == 400_000

    made = []
    for number, make in enumerate((by_bytes, at_once)):
        files = staged(tmp_path / str(number), "gz", make)
        files.write((), lines(1))
        made.append(content(files, files.prepare(final=True)))
    assert made[0] == made[1]
    assert gzip.decompress(made[0]["0"]) == b"0123456789" * 40_000


def test_a_file_with_nothing_in_it_is_one_empty_member(tmp_path):
    files = staged(tmp_path / "s", "gz", lambda rows, target: None)
    files.write((), lines(1))
    assert gzip.decompress(content(files, files.prepare(final=True))["0"]) == b""


def test_lines_stay_until_their_file_is_published(tmp_path):
    files = staged(tmp_path / "s")
    files.write((), lines(1))
    light = files.prepare(final=False)
    files.write((), lines(2))
    receipt = files.prepare(final=True)
    assert sorted(path.name for path in files.folder.iterdir()) == ["000000.file", "000000.part", "tails-1"]
    assert files.holds(light)
    files.mark_published(receipt)
    assert not list(files.folder.glob("*.part"))


def test_a_run_goes_on_from_a_light_checkpoint_as_if_nothing_had_been(tmp_path):
    rows = [lines(*range(at, at + 100)) for at in range(0, 1000, 100)]
    whole = staged(tmp_path / "whole", "gz")
    for some in rows:
        whole.write((), some)
    wanted = content(whole, whole.prepare(final=True))
    for cut in range(1, 10):
        first = staged(tmp_path / str(cut), "gz")
        for some in rows[:cut]:
            first.write((), some)
        light = first.prepare(final=False)
        for some in rows[cut:]:
            first.write((), some)
        first.prepare(final=True)
        again = staged(tmp_path / str(cut), "gz")
        assert again.holds(light)
        again.resume(light)
        for some in rows[cut:]:
            again.write((), some)
        assert content(again, again.prepare(final=True)) == wanted


def test_rolled_files_and_groups_beyond_the_limit_are_made_alike(tmp_path):
    made = []
    for limit in (256, 2):
        files = staged(tmp_path / str(limit), rows_limit=3, group_limit=limit)
        for number in range(40):
            files.write((f"g{number % 5}",), lines(number))
        made.append(content(files, files.prepare(final=True)))
    assert made[0] == made[1]
    assert made[0]["g00"] == b'3 rows\n{"n": 0}\n{"n": 5}\n{"n": 10}\n'
    assert made[0]["g42"] == b'2 rows\n{"n": 34}\n{"n": 39}\n'


def test_a_list_of_checksums_is_no_such_file(tmp_path):
    files = staged(tmp_path / "s")
    files.add("sums", b"content")
    assert content(files, files.prepare(final=True)) == {"sums": b"content"}


def test_a_dry_one_makes_nothing(tmp_path):
    files = staged(tmp_path / "s", dry=True)
    files.write((), lines(1, 2))
    receipt = files.prepare(final=True)
    files.mark_published(receipt)
    assert not (tmp_path / "s").exists()
    assert files.written == 2


def test_a_file_is_made_in_little_memory(tmp_path):
    files = staged(tmp_path / "s", make=lambda rows, target: target.writelines(b"\n".join(batch.lines) for batch in rows()))
    row = [b'{"a": "%s"}\n' % (b"x" * 1000)] * 1000
    tracemalloc.start()
    for _ in range(40):
        files.write((), row)
    files.prepare(final=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 * 1024 * 1024


def test_a_full_disk_is_an_error_of_the_destination(tmp_path):
    def full(rows: Any, target: Any) -> None:
        raise OSError(28, "No space left on device")

    files = staged(tmp_path / "s", make=full)
    files.write((), lines(1))
    with pytest.raises(DestinationError, match="No space left"):
        files.prepare(final=True)
