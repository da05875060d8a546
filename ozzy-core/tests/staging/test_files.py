import bz2
import errno
import gzip
import hashlib
import json
import lzma
import os
import resource
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozzy.data.codecs import CODECS
from ozzy.errors import DestinationError, StateError
from ozzy.staging.files import StagedFiles

NONE = CODECS["none"]
SMALL = {name: attrs.evolve(codec, member_size=40) for name, codec in CODECS.items()}
ROWS = [b"one\n", b"two\n", b"three\n"]


def staged(folder: Path, **more: Any) -> StagedFiles:
    """Files named after their group and number, where a checkpoint keeps no numbers: they are counted from what a receipt holds."""
    made: StagedFiles

    def begin(group: tuple[str, ...]) -> tuple[str, bool]:
        known = [*made.published, *made.closed, *({"group": list(file.group)} for file in made.open.values())]
        return f"{'-'.join(group)}.{sum(entry['group'] == list(group) for entry in known)}", False

    options = {"codec": NONE, "header": lambda: b"", "footer": lambda: b"", "begin": begin} | more
    made = StagedFiles(folder=folder / ".ozzy-1" / "writer", **options)
    return made


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def content(files: StagedFiles, entry: dict[str, Any]) -> bytes:
    return (files.folder / entry["staged"]).read_bytes()


def saved(receipt: dict[str, Any]) -> dict[str, Any]:
    """A receipt as it comes back from a checkpoint."""
    copy: dict[str, Any] = json.loads(json.dumps(receipt))
    return copy


def test_rows_become_a_file(tmp_path):
    files = staged(tmp_path)
    files.write((), ROWS)
    receipt = files.prepare(final=True)

    [entry] = receipt["closed"]
    assert content(files, entry) == b"one\ntwo\nthree\n"
    assert entry == {
        "staged": "000000.part",
        "name": ".0",
        "group": [],
        "rows": 3,
        "size": 14,
        "sha256": hashlib.sha256(b"one\ntwo\nthree\n").hexdigest(),
    }
    assert receipt == {
        "final": True,
        "folder": str(files.folder),
        "serial": 1,
        "open": [],
        "tails": None,
        "closed": [entry],
        "published": [],
        "next_file": 1,
        "written": 3,
        "ignored": 0,
    }


def test_nothing_written_makes_nothing(tmp_path):
    files = staged(tmp_path, header=lambda: b"head", footer=lambda: b"foot")
    files.write((), [])
    light, full = files.prepare(final=False), files.prepare(final=True)

    assert (light["open"], full["closed"], list(tmp_path.iterdir())) == ([], [], [])


@pytest.mark.parametrize("codec", CODECS)
def test_a_file_is_header_rows_with_separators_and_footer(codec, tmp_path):
    files = staged(tmp_path, codec=CODECS[codec], header=lambda: b"[", separator=b",", footer=lambda: b"]")
    files.write((), [b"1", b"2"])
    files.write((), [b"3"])
    [entry] = files.prepare(final=True)["closed"]

    assert decompressed(codec, content(files, entry)) == b"[1,2,3]"


def test_a_huge_row_is_a_member_of_its_own_kind(tmp_path):
    files = staged(tmp_path, codec=CODECS["gz"])
    huge = os.urandom(1_000_000)
    files.write((), [b"small", huge, b"last"])
    [entry] = files.prepare(final=True)["closed"]

    assert content(files, entry) == CODECS["gz"].compress(b"small" + huge) + CODECS["gz"].compress(b"last")


def test_a_member_ends_at_the_row_end_that_reaches_its_size(tmp_path):
    files = staged(tmp_path, codec=SMALL["gz"], header=lambda: b"h" * 10)
    files.write((), [b"a" * 15, b"b" * 14, b"c", b"d" * 39, b"e"])
    files.prepare(final=False)
    compress = CODECS["gz"].compress

    assert content(files, {"staged": "000000.part"}) == compress(b"h" * 10 + b"a" * 15 + b"b" * 14 + b"c") + compress(b"d" * 39 + b"e")


def test_a_header_larger_than_a_member_ends_with_the_first_row(tmp_path):
    files = staged(tmp_path, codec=SMALL["gz"], header=lambda: b"h" * 100)
    files.write((), [b"a", b"b"])

    assert files.open[()].length == len(CODECS["gz"].compress(b"h" * 100 + b"a"))
    assert files.open[()].tail == b"b"


def test_a_file_of_empty_rows_is_one_empty_member(tmp_path):
    files = staged(tmp_path, codec=CODECS["gz"])
    files.write((), [b"", b""])
    [entry] = files.prepare(final=True)["closed"]

    assert (entry["rows"], content(files, entry)) == (2, CODECS["gz"].compress(b""))


def test_an_empty_file_without_compression_is_there_too(tmp_path):
    files = staged(tmp_path)
    files.write((), [b""])
    [entry] = files.prepare(final=True)["closed"]

    assert (entry["size"], content(files, entry)) == (0, b"")


def test_files_roll_by_rows(tmp_path):
    files = staged(tmp_path, rows_limit=2)
    files.write((), [b"1", b"2", b"3", b"4", b"5"])
    files.write((), [b"6"])
    closed = files.prepare(final=True)["closed"]

    assert [(entry["name"], entry["rows"], content(files, entry)) for entry in closed] == [
        (".0", 2, b"12"),
        (".1", 2, b"34"),
        (".2", 2, b"56"),
    ]


def test_files_roll_by_bytes_where_a_member_ends(tmp_path):
    files = staged(tmp_path, codec=SMALL["none"], size_limit=70)
    files.write((), [b"x" * 10] * 20)
    closed = files.prepare(final=True)["closed"]

    assert [(entry["rows"], entry["size"]) for entry in closed] == [(8, 80), (8, 80), (4, 40)]


def test_each_group_has_a_file(tmp_path):
    files = staged(tmp_path)
    files.write(("es",), [b"1"])
    files.write(("España", "日本"), [b"2"])
    files.write(("es",), [b"3"])
    closed = files.prepare(final=True)["closed"]

    assert [(entry["name"], entry["group"], content(files, entry)) for entry in closed] == [
        ("es.0", ["es"], b"13"),
        ("España-日本.0", ["España", "日本"], b"2"),
    ]


def test_skipped_files_take_no_place(tmp_path):
    files = staged(tmp_path, begin=lambda group: (group[0], group == ("old",)), rows_limit=3, size_limit=1)
    files.write(("old",), [b"1", b"2"])
    files.write(("new",), [b"3"])
    light = files.prepare(final=False)
    again = staged(tmp_path, begin=lambda group: (group[0], group == ("old",)), rows_limit=3, size_limit=1)
    again.resume(saved(light))
    again.write(("old",), [b"4", b"5"])
    full = again.prepare(final=True)

    assert [entry["name"] for entry in full["closed"]] == ["new"]
    assert (full["written"], full["ignored"]) == (1, 4)
    assert names(files.folder) == ["000001.part", "tails-1"]


def test_only_skipped_files_make_no_folder(tmp_path):
    files = staged(tmp_path, begin=lambda group: ("x", True))
    files.write((), [b"1"])
    files.prepare(final=False)

    assert list(tmp_path.iterdir()) == []


def test_a_whole_file_is_added_uncompressed(tmp_path):
    files = staged(tmp_path, codec=CODECS["gz"], digests=("sha256", "md5"))
    files.add("sums.md5", b"abc")
    [entry] = files.prepare(final=True)["closed"]

    assert (entry["name"], entry["rows"], entry["size"], entry["md5"]) == ("sums.md5", 0, 3, hashlib.md5(b"abc").hexdigest())
    assert content(files, entry) == b"abc"


def test_staged_files_are_hidden_from_others(tmp_path):
    files = staged(tmp_path / "out")
    files.write((), ROWS)
    files.prepare(final=False)

    assert [stat.S_IMODE(path.stat().st_mode) for path in (files.folder, files.folder.parent)] == [0o700, 0o700]
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == stat.S_IMODE(tmp_path.stat().st_mode) | 0o055


def test_staged_bytes_grow_with_members_and_fall_with_publishing(tmp_path):
    files = staged(tmp_path, codec=SMALL["none"], rows_limit=5)
    seen = [files.staged_bytes()]
    for rows in ([b"x" * 39], [b"x"], [b"x" * 10] * 3, [b"x" * 5]):
        files.write((), rows)
        seen.append(files.staged_bytes())
    receipt = files.prepare(final=True)
    seen.append(files.staged_bytes())
    files.mark_published(receipt)
    seen.append(files.staged_bytes())

    assert seen == [0, 0, 40, 70, 70, 75, 0]


def test_what_is_published_is_remembered(tmp_path):
    files = staged(tmp_path)
    files.write((), [b"1"])
    first = files.prepare(final=True)
    files.mark_published(first)
    files.write((), [b"2"])
    second = files.prepare(final=True)

    assert ([entry["name"] for entry in second["published"]], [entry["name"] for entry in second["closed"]]) == ([".0"], [".1"])
    assert first["published"] == []

    again = staged(tmp_path)
    again.resume(saved(second))
    again.write((), [b"3"])
    assert [entry["name"] for entry in again.prepare(final=True)["published"]] == [".0", ".1"]


def test_a_light_receipt_holds_lengths_and_tails(tmp_path):
    files = staged(tmp_path, codec=SMALL["none"], rows_limit=4)
    files.write(("a",), [b"x" * 45, b"y"])
    files.write(("b",), [b"12", b"3"])
    files.write(("a",), [b"z", b"z", b"q"])
    receipt = files.prepare(final=False)

    assert [(entry["staged"], entry["rows"], entry["length"], entry["tail"]) for entry in receipt["open"]] == [
        ("000001.part", 2, 0, [0, 3]),
        ("000002.part", 1, 0, [3, 1]),
    ]
    assert [entry["staged"] for entry in receipt["closed"]] == ["000000.part"]
    assert (files.folder / receipt["tails"]["file"]).read_bytes() == b"123q"


def test_tails_of_the_last_two_checkpoints_are_kept(tmp_path):
    files = staged(tmp_path)
    seen = []
    for row in (b"1", b"2", b"3", b"4"):
        files.write((), [row])
        files.prepare(final=False)
        seen.append(names(files.folder))

    assert seen == [["tails-1"], ["tails-1", "tails-2"], ["tails-2", "tails-3"], ["tails-3", "tails-4"]]


def test_no_tail_no_file_of_tails(tmp_path):
    files = staged(tmp_path, codec=SMALL["none"])
    files.write((), [b"x" * 40])
    receipt = files.prepare(final=False)
    again = staged(tmp_path, codec=SMALL["none"])

    assert receipt["tails"] is None
    assert again.holds(saved(receipt))
    again.resume(saved(receipt))
    again.write((), [b"y"])
    assert content(again, again.prepare(final=True)["closed"][0]) == b"x" * 40 + b"y"


def test_resuming_deletes_what_is_newer(tmp_path):
    files = staged(tmp_path, codec=SMALL["none"])
    files.write(("a",), [b"x" * 50, b"y"])
    receipt = files.prepare(final=False)
    files.write(("a",), [b"z" * 100])
    files.write(("b",), [b"z" * 100])
    files.prepare(final=True)
    (files.folder / "stray").write_text("")
    again = staged(tmp_path, codec=SMALL["none"])
    again.resume(saved(receipt))

    assert names(again.folder) == ["000000.part", "tails-1"]
    assert content(again, {"staged": "000000.part"}) == b"x" * 50
    assert again.open[("a",)].tail == b"y"


def test_resuming_from_the_start_deletes_everything(tmp_path):
    files = staged(tmp_path)
    files.write((), ROWS)
    files.prepare(final=True)
    again = staged(tmp_path)
    again.resume(None)

    assert (names(again.folder), again.written) == ([], 0)


def test_a_file_that_had_no_member_yet_starts_anew(tmp_path):
    files = staged(tmp_path, codec=SMALL["none"])
    files.write((), [b"1"])
    receipt = files.prepare(final=False)
    files.write((), [b"x" * 100])
    again = staged(tmp_path, codec=SMALL["none"])
    again.resume(saved(receipt))

    assert names(again.folder) == ["tails-1"]
    again.write((), [b"2"])
    assert content(again, again.prepare(final=True)["closed"][0]) == b"12"


def light(tmp_path: Path) -> tuple[StagedFiles, dict[str, Any]]:
    files = staged(tmp_path, codec=SMALL["none"], rows_limit=4)
    files.write(("a",), [b"x" * 45, b"y", b"z", b"q"])
    files.write(("a",), [b"x" * 45, b"y"])
    return files, saved(files.prepare(final=False))


@pytest.mark.parametrize("file", ["000000.part", "000001.part", "tails-1"])
def test_staged_data_that_is_gone_or_short_is_told(file, tmp_path):
    files, receipt = light(tmp_path)
    assert files.holds(receipt)

    whole = (files.folder / file).read_bytes()
    (files.folder / file).write_bytes(whole[:-1])
    assert not files.holds(receipt)
    (files.folder / file).unlink()
    assert not files.holds(receipt)


def test_tails_that_are_not_those_of_the_checkpoint_are_told(tmp_path):
    files, receipt = light(tmp_path)
    (files.folder / "tails-1").write_bytes(b"?")

    assert not files.holds(receipt)
    with pytest.raises(StateError, match=r"the staged data in .* is not what the checkpoint says"):
        staged(tmp_path, codec=SMALL["none"]).resume(receipt)


def test_a_staged_file_that_is_too_short_is_not_gone_on_with(tmp_path):
    files, receipt = light(tmp_path)
    (files.folder / "000001.part").write_bytes(b"x")

    with pytest.raises(StateError, match="is shorter than the checkpoint says"):
        staged(tmp_path, codec=SMALL["none"]).resume(receipt)


def test_a_staged_file_that_is_gone_is_an_error(tmp_path):
    files, receipt = light(tmp_path)
    (files.folder / "000001.part").unlink()

    with pytest.raises(DestinationError, match="No such file"):
        staged(tmp_path, codec=SMALL["none"]).resume(receipt)


def test_removing_leaves_nothing_behind(tmp_path):
    files = staged(tmp_path)
    files.write((), ROWS)
    files.prepare(final=False)
    (files.folder / "folder").mkdir()
    files.remove()
    files.remove()

    assert list(tmp_path.iterdir()) == []


def test_removing_spares_the_neighbour(tmp_path):
    files = staged(tmp_path)
    files.write((), ROWS)
    files.prepare(final=False)
    (files.folder.parent / "other").mkdir()
    files.remove()

    assert names(files.folder.parent) == ["other"]


def test_a_dry_one_counts_names_and_sizes_and_touches_no_disk(tmp_path, monkeypatch):
    wet = staged(tmp_path / "wet", codec=SMALL["gz"], rows_limit=4)
    dry = staged(tmp_path / "dry", codec=SMALL["gz"], rows_limit=4, dry=True)
    dry.folder.mkdir(parents=True)
    (dry.folder / "precious").write_text("mine")
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    told = []
    for files in (wet, dry):
        files.resume(None)
        for _ in range(5):
            files.write(("a",), [b"x" * 30, b"y"])
        files.add("more", b"abc")
        told.append((files.prepare(final=False), files.prepare(final=True)))
        files.remove()

    for real, seeming in zip(*told, strict=True):
        assert seeming | {"folder": "", "tails": None} == real | {"folder": "", "tails": None}
    assert names(dry.folder) == ["precious"]


# what is on disk when a receipt is given


def test_what_a_receipt_speaks_of_is_on_disk(tmp_path, monkeypatch):
    """Files, tails, then their folder; the first time the folders above it too, which an earlier process may have made."""
    synced: list[str] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        synced.append(str(path.relative_to(tmp_path)) if path.is_relative_to(tmp_path) else "above")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    files = staged(tmp_path, codec=SMALL["none"])
    files.write(("a",), [b"x" * 50])
    files.write(("b",), [b"y" * 50, b"z"])
    assert synced == [".", ".ozzy-1"]

    synced.clear()
    files.prepare(final=False)
    folder = ".ozzy-1/writer"
    assert [name for name in synced if name != "above"] == [
        f"{folder}/000000.part",
        f"{folder}/000001.part",
        f"{folder}/tails-1",
        folder,
        ".ozzy-1",
        ".",
    ]
    assert synced.count("above") == len(tmp_path.parents)

    synced.clear()
    files.write(("b",), [b"z" * 50])
    receipt = saved(files.prepare(final=False))
    assert synced == [f"{folder}/000001.part", folder]

    synced.clear()
    again = staged(tmp_path, codec=SMALL["none"])
    again.resume(receipt)
    assert synced == [f"{folder}/000000.part", f"{folder}/000001.part"]

    synced.clear()
    again.write(("a",), [b"x"])
    again.prepare(final=True)
    assert [name for name in synced if name != "above"] == [f"{folder}/000000.part", folder, ".ozzy-1", "."]


# errors of the disk


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_failing_write_names_the_file(number, tmp_path, monkeypatch):
    files = staged(tmp_path)
    files.write((), ROWS)

    def write(descriptor: int, data: Any) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(DestinationError, match=rf"can't write .*tails-1: {os.strerror(number)}"):
        files.prepare(final=False)
    with pytest.raises(DestinationError, match=rf"can't write .*000000.part: {os.strerror(number)}"):
        files.prepare(final=True)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork()")
def test_a_full_disk_loses_nothing_that_was_committed(tmp_path):
    """A child that may write no file beyond 200 kB fails; what it had prepared before is gone on with, to the same bytes."""
    rows = [bytes([n % 251]) * 999 + b"\n" for n in range(400)]
    files = staged(tmp_path)
    files.write((), rows[:150])
    receipt = saved(files.prepare(final=False))
    child = os.fork()
    if child == 0:
        status = 1
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
            again = staged(tmp_path)
            again.resume(receipt)
            again.write((), rows[150:])
        except DestinationError as error:
            status = 42 if "File too large" in error.message and error.hint and "--resume" in error.hint else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42

    again = staged(tmp_path)
    assert again.holds(receipt)
    again.resume(receipt)
    again.write((), rows[150:])
    assert content(again, again.prepare(final=True)["closed"][0]) == b"".join(rows)


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_told(tmp_path):
    tmp_path.chmod(0o500)
    files = staged(tmp_path)
    with pytest.raises(DestinationError, match="Permission denied"):
        files.write((), [b"x" * 200_000])


# the same bytes whatever happens


def decompressed(codec: str, data: bytes) -> bytes:
    if codec == "zst":
        from backports import zstd

        return bytes(zstd.decompress(data))
    return {"none": bytes, "gz": gzip.decompress, "bz2": bz2.decompress, "xz": lzma.decompress}[codec](data)


Rows = list[tuple[str, bytes]]


@attrs.frozen
class Way:
    """How files are made: all that decides their bytes. `fulls` are the rows before which a full checkpoint is taken."""

    codec: str
    header: bytes
    separator: bytes
    footer: bytes
    rows_limit: int | None
    size_limit: int | None
    fulls: frozenset[int]

    def files(self, folder: Path) -> StagedFiles:
        return staged(
            folder,
            codec=SMALL[self.codec],
            header=lambda: self.header,
            separator=self.separator,
            footer=lambda: self.footer,
            rows_limit=self.rows_limit,
            size_limit=self.size_limit,
        )


def write(files: StagedFiles, rows: Rows) -> None:
    groups: dict[str, list[bytes]] = {}
    for group, row in rows:
        groups.setdefault(group, []).append(row)
    for group, members in groups.items():
        files.write((group,), members)


def publish(files: StagedFiles, receipt: dict[str, Any], out: dict[str, tuple[int, bytes]]) -> None:
    for entry in receipt["closed"]:
        data = content(files, entry)
        assert (len(data), hashlib.sha256(data).hexdigest()) == (entry["size"], entry["sha256"])
        assert out.setdefault(entry["name"], (entry["rows"], data)) == (entry["rows"], data)
    files.mark_published(receipt)


def calm(way: Way, rows: Rows, folder: Path) -> dict[str, tuple[int, bytes]]:
    """All in one process; a batch ends only where a full checkpoint is taken."""
    files, out = way.files(folder), {}
    ends = sorted({*(full for full in way.fulls if full < len(rows)), len(rows)})
    for start, end in zip([0, *ends], ends, strict=False):
        write(files, rows[start:end])
        publish(files, files.prepare(final=True), out)
    return out


def stormy(way: Way, rows: Rows, folder: Path, steps: Iterator[tuple[int, str]]) -> dict[str, tuple[int, bytes]]:
    """Batches of any size, light checkpoints and kills anywhere, each kill followed by a new object that goes on from the last receipt."""
    files, out = way.files(folder), {}
    files.resume(None)
    receipt, committed, at = None, 0, 0
    while at < len(rows):
        size, event = next(steps, (len(rows), "none"))
        full = min((f for f in way.fulls if at < f < len(rows)), default=len(rows))
        end = min(at + size, full)
        write(files, rows[at:end])
        at = end
        if at == full:
            receipt, committed = saved(files.prepare(final=True)), at
            publish(files, receipt, out)
        elif event == "light":
            receipt, committed = saved(files.prepare(final=False)), at
        if event in {"kill", "kill in light", "kill in full"} and at < len(rows):
            if event != "kill":
                files.prepare(final=event == "kill in full")
            files = way.files(folder)
            assert receipt is None or receipt["final"] or files.holds(receipt)
            files.resume(receipt)
            at = committed
    assert files.written == len(rows)
    files.remove()
    assert list(folder.iterdir()) == []
    return out


limits = st.none() | st.integers(1, 30)
ways = st.builds(
    Way,
    codec=st.sampled_from(sorted(CODECS)),
    header=st.sampled_from([b"", b"head\n", b"h" * 90]),
    separator=st.sampled_from([b"", b",\n"]),
    footer=st.sampled_from([b"", b"foot"]),
    rows_limit=limits,
    size_limit=st.none() | st.integers(1, 400),
    fulls=st.frozensets(st.integers(1, 60), max_size=3),
)
all_rows = st.lists(st.tuples(st.sampled_from(["", "es", "日本"]), st.binary(max_size=60)), min_size=1, max_size=80)
storms = st.lists(st.tuples(st.integers(0, 25), st.sampled_from(["none", "light", "kill", "kill in light", "kill in full"])), max_size=40)


@settings(max_examples=150, deadline=None)
@given(ways, all_rows, storms)
def test_the_bytes_are_the_same_whatever_the_batches_checkpoints_and_kills(way, rows, storm):
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        folder = Path(name)
        (folder / "calm").mkdir()
        (folder / "stormy").mkdir()
        wanted = calm(way, rows, folder / "calm")

        assert stormy(way, rows, folder / "stormy", iter(storm)) == wanted
        assert sum(count for count, _ in wanted.values()) == len(rows)


@pytest.mark.parametrize("codec", CODECS)
def test_the_bytes_are_the_same_with_members_of_real_size(codec, tmp_path):
    rows = [os.urandom(40) * (n % 400) + b"\n" for n in range(700)]

    def files(folder: str) -> StagedFiles:
        return staged(tmp_path / folder, codec=CODECS[codec], header=lambda: b"head\n", footer=lambda: b"foot\n")

    whole = files("whole")
    whole.write((), rows)
    [entry] = whole.prepare(final=True)["closed"]
    receipt = None
    for at in range(0, 700, 90):
        pieces = files("pieces")
        pieces.resume(receipt)
        for row in rows[at : at + 90]:
            pieces.write((), [row])
        receipt = saved(pieces.prepare(final=False))
        pieces.write((), [b"lost" * 100_000])
    pieces = files("pieces")
    pieces.resume(receipt)

    assert pieces.prepare(final=True)["closed"] == [entry]
    assert content(pieces, entry) == content(whole, entry)
    assert decompressed(codec, content(whole, entry)) == b"head\n" + b"".join(rows) + b"foot\n"
