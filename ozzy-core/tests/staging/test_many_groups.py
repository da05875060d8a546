"""More groups than may have a staged file each: the files are the same as if each group had been written alone."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozzy.data.codecs import CODECS
from ozzy.errors import StateError
from ozzy.staging.files import StagedFiles

SMALL = {name: attrs.evolve(codec, member_size=40) for name, codec in CODECS.items()}
Files = dict[str, tuple[int, bytes]]
Rows = list[tuple[str, bytes]]


def staged(folder: Path, **more: Any) -> StagedFiles:
    """Files named after their group and number; a number in `skipped` is not written."""
    made: StagedFiles
    skipped = more.pop("skipped", frozenset())

    def begin(group: tuple[str, ...]) -> tuple[str, bool]:
        number = made.numbers.get(group, 0)
        made.count(group, number + 1)
        return f"{'-'.join(group)}.{number}", number in skipped

    options = {"codec": SMALL["none"], "header": lambda: b"", "footer": lambda: b"", "begin": begin, "group_limit": 2} | more
    made = StagedFiles(folder=folder / ".ozzy-1" / "writer", journal_path=folder / "state" / "writer.files", **options)
    return made


def saved(files: StagedFiles, *, final: bool) -> dict[str, Any]:
    """A receipt as it comes back from a checkpoint, with the numbers that a writer keeps in it."""
    receipt = files.prepare(final=final)
    receipt["numbers"] = [] if files.journaled else [[list(key), number] for key, number in files.numbers.items()]
    copy: dict[str, Any] = json.loads(json.dumps(receipt))
    return copy


def resume(files: StagedFiles, receipt: dict[str, Any] | None) -> StagedFiles:
    files.resume(receipt)
    if receipt is not None:
        files.numbers.update({tuple(key): number for key, number in receipt["numbers"]})
    return files


def publish(files: StagedFiles, receipt: dict[str, Any], out: Files) -> None:
    for entry in files.finished(receipt):
        data = (files.folder / entry["staged"]).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (entry["size"], entry["sha256"])
        assert out.setdefault(entry["name"], (entry["rows"], data)) == (entry["rows"], data)
    files.mark_published(receipt)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def write(files: StagedFiles, text: str) -> None:
    """A row for each letter, which is its group."""
    for letter in text:
        files.write((letter,), [f"{letter}{letter}".encode()])


def test_groups_beyond_the_limit_have_no_file_until_all_are_finished(tmp_path):
    files = staged(tmp_path, codec=CODECS["none"])
    write(files, "abcdcab")
    light = files.prepare(final=False)

    assert [entry["group"] for entry in light["open"]] == [["a"], ["b"]]
    assert (light["written"], names(files.folder)) == (7, ["spill-0", "tails-1"])
    receipt = files.prepare(final=True)
    assert [(entry["name"], entry["rows"], entry["size"]) for entry in files.finished(receipt)] == [
        ("a.0", 2, 4),
        ("b.0", 2, 4),
        ("c.0", 2, 4),
        ("d.0", 1, 2),
    ]
    assert (receipt["written"], receipt["closed"], receipt["published"]) == (7, [], [])
    assert (files.folder / "000002.part").read_bytes() == b"cccc"


def test_no_rows_make_no_group(tmp_path):
    files = staged(tmp_path)
    write(files, "ab")
    files.write(("c",), [])

    assert files.prepare(final=False).keys() & {"journal", "spilled"} == set()


def test_after_a_full_checkpoint_groups_have_files_again(tmp_path):
    files, out = staged(tmp_path), {}
    write(files, "abc")
    publish(files, saved(files, final=True), out)
    write(files, "cba")
    light = saved(files, final=False)
    assert [entry["name"] for entry in light["open"]] == ["c.1", "b.1"]

    again = resume(staged(tmp_path), light)
    publish(again, saved(again, final=True), out)
    assert sorted(out) == ["a.0", "a.1", "b.0", "b.1", "c.0", "c.1"]
    assert [entry["name"] for entry in again.all_finished()] == ["a.0", "b.0", "c.0", "c.1", "b.1", "a.1"]


def test_names_are_asked_for_in_the_order_of_the_first_rows(tmp_path):
    asked = []
    files = staged(tmp_path, begin=lambda group: (asked.append(group[0]) or group[0], False))
    write(files, "dbca")

    assert asked == ["d", "b", "c", "a"]


def test_waiting_rows_count_as_staged_bytes(tmp_path):
    files = staged(tmp_path, codec=CODECS["none"])
    write(files, "abcc")
    assert files.staged_bytes() == 4

    again = resume(staged(tmp_path), saved(files, final=False))
    assert again.staged_bytes() == 4
    again.close_all()
    assert again.staged_bytes() == 8


def test_skipped_groups_are_ignored_and_wait_for_nothing(tmp_path):
    files = staged(tmp_path, skipped={0})
    write(files, "abccd")
    light = saved(files, final=False)
    assert (light["written"], light["ignored"], light["spilled"]["log"]) == (0, 5, None)

    again = resume(staged(tmp_path, skipped={0}), light)
    write(again, "cd")
    receipt = saved(again, final=True)
    assert (receipt["written"], receipt["ignored"], list(again.finished(receipt))) == (0, 7, [])


def test_a_skipped_file_of_a_waiting_group_that_rolls_is_followed_by_one_that_is_not(tmp_path):
    files = staged(tmp_path, skipped={0}, rows_limit=2)
    write(files, "ab" + "ccc" + "aa")
    receipt = saved(files, final=True)

    assert [(entry["name"], entry["rows"]) for entry in files.finished(receipt)] == [("a.1", 1), ("c.1", 1)]
    assert (receipt["written"], receipt["ignored"]) == (2, 5)


def test_the_log_of_the_committed_checkpoint_stays_until_the_next_but_one(tmp_path):
    files = staged(tmp_path, codec=CODECS["none"])
    write(files, "abc")
    first = saved(files, final=False)
    files.close_all()
    write(files, "xyz")
    assert "spill-0" in names(files.folder)
    second = saved(files, final=False)
    assert {"spill-0", "spill-1"} <= {*names(files.folder)}
    files.prepare(final=False)
    assert "spill-0" not in names(files.folder)

    assert not files.holds(first)
    assert files.holds(second)


def test_a_log_that_no_checkpoint_knows_goes_at_once(tmp_path):
    files = staged(tmp_path)
    write(files, "abc")
    files.spilled.log.sync()
    files.close_all()

    assert [name for name in names(files.folder) if name.startswith("spill")] == []


@pytest.mark.parametrize("file", ["spill-0", "000000.part", "../../state/writer.files"])
def test_staged_data_that_is_gone_is_told(file, tmp_path):
    files = staged(tmp_path, rows_limit=3)
    write(files, "aaabcd")
    receipt = saved(files, final=False)
    assert files.holds(receipt)

    (files.folder / file).unlink()
    assert not files.holds(receipt)


def test_a_list_of_files_that_is_damaged_is_not_gone_on_with(tmp_path):
    files = staged(tmp_path)
    write(files, "abc")
    receipt = saved(files, final=True)
    assert files.lists(receipt)

    files.journal.path.write_bytes(b"?")
    assert not files.lists(receipt)
    with pytest.raises(StateError, match="the list of files"):
        resume(staged(tmp_path), receipt)


def test_a_resume_from_before_the_list_forgets_it(tmp_path):
    files = staged(tmp_path)
    write(files, "ab")
    receipt = saved(files, final=False)
    write(files, "cd")
    files.prepare(final=False)
    again = resume(staged(tmp_path), receipt)

    assert (names(tmp_path / "state"), names(again.folder)) == ([], ["tails-1"])
    write(again, "c")
    assert [entry["name"] for entry in again.finished(again.prepare(final=True))] == ["a.0", "b.0", "c.0"]


def test_a_light_checkpoint_of_many_groups_saves_what_is_new(tmp_path):
    files = staged(tmp_path, codec=CODECS["none"])
    for number in range(3000):
        files.write((str(number),), [b"x"])
    first = saved(files, final=False)
    files.write(("7",), [b"x"])
    second = saved(files, final=False)

    assert len(json.dumps(second)) < 2000
    assert first["journal"] == second["journal"]
    assert second["spilled"]["log"]["length"] - first["spilled"]["log"]["length"] < 100


def test_receipts_of_many_files_name_them_in_the_list(tmp_path):
    files, out = staged(tmp_path, receipt_limit=5, rows_limit=1), {}
    write(files, "aaa")
    first = saved(files, final=True)
    publish(files, first, out)
    write(files, "bbbb")
    second = saved(files, final=False)

    assert ("journal" in first, len(first["closed"])) == (False, 3)
    assert (second["closed"], second["published"], second["numbers"]) == ([], [], [])
    assert [entry["name"] for entry in files.before(second)] == ["a.0", "a.1", "a.2"]
    assert [entry["name"] for entry in files.finished(second)] == ["b.0", "b.1", "b.2", "b.3"]
    again = resume(staged(tmp_path, receipt_limit=5, rows_limit=1), second)
    assert again.staged_bytes() == 8
    write(again, "a")
    publish(again, saved(again, final=True), out)
    assert sorted(out) == ["a.0", "a.1", "a.2", "a.3", "b.0", "b.1", "b.2", "b.3"]


def test_a_dry_one_names_and_counts_the_same_and_leaves_nothing(tmp_path):
    told = []
    for dry in (False, True):
        files = staged(tmp_path / str(dry), rows_limit=3, receipt_limit=0, dry=dry)
        files.resume(None)
        write(files, "abcdecdecddddd")
        receipt = files.prepare(final=True)
        told.append(([*files.finished(receipt)], receipt["written"]))
        files.remove()

    assert told[0] == told[1]
    assert not (tmp_path / "True").exists()


# the same bytes whatever happens


@attrs.frozen
class Way:
    """How files are made."""

    codec: str
    header: bytes
    separator: bytes
    footer: bytes
    rows_limit: int | None
    size_limit: int | None
    skipped: frozenset[int]
    fulls: frozenset[int]

    def files(self, folder: Path, *, group_limit: int, receipt_limit: int = 1000) -> StagedFiles:
        return staged(
            folder,
            codec=SMALL[self.codec],
            header=lambda: self.header,
            separator=self.separator,
            footer=lambda: self.footer,
            rows_limit=self.rows_limit,
            size_limit=self.size_limit,
            skipped=self.skipped,
            group_limit=group_limit,
            receipt_limit=receipt_limit,
        )


def write_all(files: StagedFiles, rows: Rows) -> None:
    groups: dict[str, list[bytes]] = {}
    for group, row in rows:
        groups.setdefault(group, []).append(row)
    for group, members in groups.items():
        files.write((group,), members)


def calm(way: Way, rows: Rows, folder: Path) -> tuple[Files, int]:
    """All in one process, with a file for each group; a batch ends only where a full checkpoint is taken."""
    files, out = way.files(folder, group_limit=1000), {}
    ends = sorted({*(full for full in way.fulls if full < len(rows)), len(rows)})
    for start, end in zip([0, *ends], ends, strict=False):
        write_all(files, rows[start:end])
        publish(files, saved(files, final=True), out)
    return out, files.ignored


def stormy(way: Way, rows: Rows, folder: Path, limits: tuple[int, int], steps: Iterator[tuple[int, str]]) -> tuple[Files, int]:
    """Few open groups; batches of any size, light checkpoints and kills anywhere, each kill followed by a new object that goes on."""

    def made() -> StagedFiles:
        return way.files(folder, group_limit=limits[0], receipt_limit=limits[1])

    files, out = resume(made(), None), {}
    receipt, committed, at = None, 0, 0
    while at < len(rows):
        size, event = next(steps, (len(rows), "none"))
        full = min((f for f in way.fulls if at < f < len(rows)), default=len(rows))
        end = min(at + size, full)
        write_all(files, rows[at:end])
        at = end
        if at == full:
            receipt, committed = saved(files, final=True), at
            publish(files, receipt, out)
        elif event == "light":
            receipt, committed = saved(files, final=False), at
        assert files.written + files.ignored == at
        if event.startswith("kill") and at < len(rows):
            if event == "kill after finishing":
                files.close_all()
            elif event != "kill":
                files.prepare(final=event == "kill in full")
            files = made()
            assert receipt is None or receipt["final"] or files.holds(receipt)
            resume(files, receipt)
            at = committed
    assert {entry["name"] for entry in files.all_finished()} == {*out}
    files.remove()
    assert names(folder / ".ozzy-1") == []
    return out, files.ignored


limits = st.none() | st.integers(1, 30)
ways = st.builds(
    Way,
    codec=st.sampled_from(sorted(CODECS)),
    header=st.sampled_from([b"", b"head\n", b"h" * 90]),
    separator=st.sampled_from([b"", b",\n"]),
    footer=st.sampled_from([b"", b"foot"]),
    rows_limit=limits,
    size_limit=st.none() | st.integers(1, 400),
    skipped=st.sampled_from([frozenset(), frozenset(), frozenset({0}), frozenset({1, 2})]),
    fulls=st.frozensets(st.integers(1, 60), max_size=3),
)
all_rows = st.lists(st.tuples(st.sampled_from("abcdefgü"), st.binary(max_size=60)), min_size=1, max_size=80)
events = st.sampled_from(["none", "light", "kill", "kill in light", "kill in full", "kill after finishing"])
storms = st.lists(st.tuples(st.integers(0, 25), events), max_size=40)


@settings(max_examples=200, deadline=None)
@given(ways, all_rows, st.tuples(st.integers(0, 6), st.sampled_from([0, 5, 1000])), storms)
def test_the_files_are_the_same_as_if_each_group_had_been_written_alone(way, rows, most, storm):
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        folder = Path(name)
        wanted = calm(way, rows, folder / "calm")

        assert stormy(way, rows, folder / "stormy", most, iter(storm)) == wanted
