import gzip
import hashlib
import json
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from ozzy.contracts.file_writer import (
    INHERITED_BYTES,
    INHERITED_ROWS,
    BaseFileWriter,
    BaseNamedFileWriter,
    FedFiles,
    same_content,
)
from ozzy.contracts.formatter import BaseExportFormatter
from ozzy.contracts.writer import BaseWriter, Outcome, Staging, WriterContext
from ozzy.data.batch import Batch
from ozzy.errors import ConfigError, DataError, DestinationError

START = datetime(2026, 3, 4, 5, 6).astimezone()


class Lines(BaseExportFormatter):
    """One JSON document a line."""

    file_extension = "jl"
    item_separator = ""

    def format_rows(self, batch):
        return [line + b"\n" for line in batch.lines]


class Words(BaseExportFormatter):
    """The inherited way: an item at a time, which may fail."""

    file_extension = "txt"

    def format(self, item):
        return item["word"]


class Box(BaseFileWriter):
    """Puts files into a folder; `fails_at` makes the call with that number fail."""

    def __init__(self, folder: Path, options: dict[str, Any] | None = None) -> None:
        super().__init__({"options": options or {}})
        self.folder = folder
        self.calls: list[tuple[str, Any]] = []
        self.fails_at: int | None = None

    def write(self, dump_path, group_key=None):
        self.calls.append((self.entry["name"], group_key))
        if len(self.calls) == self.fails_at:
            raise ConnectionError("line is down")
        self.folder.mkdir(exist_ok=True)
        shutil.copyfile(dump_path, self.folder / self.entry["name"])


class Shelf(BaseNamedFileWriter):
    """Named files, on a shelf of which some places are taken."""

    def __init__(self, options: dict[str, Any], places: tuple[str, ...] = ()) -> None:
        super().__init__({"options": options})
        self.places = {*places}

    def write(self, dump_path, group_key=None):
        self.places.add(self.entry["name"])

    def taken(self, name):
        return name in self.places


def started(writer: BaseFileWriter, folder: Path, **more: Any) -> Any:
    settings = {"formatter": Lines(), "staging_folder": folder / "state" / "staged" / "writer"} | more
    writer.start(WriterContext(run_id="run-1", label="writer", started=START, **settings))
    return writer


def batch(*numbers: int, split: str = "") -> Batch:
    return Batch.from_records([{"n": number} for number in numbers], split=split)


def saved(receipt: dict[str, Any]) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(receipt))
    return copy


def box(tmp_path: Path, **more: Any) -> Box:
    made: Box = started(Box(tmp_path / "out", {"compression": "none", "items_per_buffer_write": 2}), tmp_path, **more)
    return made


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())} if folder.is_dir() else {}


def staged(tmp_path: Path) -> list[str]:
    folder = tmp_path / "state" / "staged" / "writer"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


# whatever has a write()


def test_an_author_is_told_what_is_missing(tmp_path):
    with pytest.raises(NotImplementedError, match=r"^BaseFileWriter has no write\(\)$"):
        BaseFileWriter().write("x")


def test_finished_files_are_given_to_the_author(tmp_path):
    writer = box(tmp_path, grouped=True)
    writer.resume(None)
    writer.write_batch(batch(1, 2, 3), ("es",))
    writer.write_batch(batch(4), ("fr/x",))
    receipt = writer.prepare(final=True)
    assert contents(tmp_path / "out") == {}

    writer.publish(receipt)
    assert contents(tmp_path / "out") == {
        "0000-es.jl": b'{"n":1}\n{"n":2}\n',
        "0001-es.jl": b'{"n":3}\n',
        "0000-fr%2Fx.jl": b'{"n":4}\n',
    }
    assert writer.calls == [("0000-es.jl", ("es",)), ("0001-es.jl", ("es",)), ("0000-fr%2Fx.jl", ("fr/x",))]
    assert [(file["name"], file["rows"], file["size"]) for file in writer.results(receipt)] == [
        ("0000-es.jl", 2, 16),
        ("0001-es.jl", 1, 8),
        ("0000-fr%2Fx.jl", 1, 8),
    ]
    assert (receipt["written"], receipt["ignored"], writer.staging, writer.resumable) == (4, 0, Staging.DURABLE, True)


def test_publishing_twice_is_the_same_as_once_in_another_object_too(tmp_path):
    writer = box(tmp_path)
    writer.write_batch(batch(1, 2, 3))
    receipt = saved(writer.prepare(final=True))
    writer.publish(receipt)
    writer.publish(receipt)
    other = box(tmp_path)
    other.publish(receipt)

    assert (len(writer.calls), other.calls) == (2, [])
    assert staged(tmp_path) == ["000000.done", "000001.done"]


def test_publishing_goes_on_where_it_was_cut(tmp_path):
    writer = box(tmp_path)
    writer.write_batch(batch(1, 2, 3, 4, 5))
    receipt = saved(writer.prepare(final=True))
    writer.fails_at = 2
    with pytest.raises(ConnectionError):
        writer.publish(receipt)
    other = box(tmp_path)

    assert other.recover(receipt) is Outcome.STAGED
    other.publish(receipt)
    assert [name for name, _ in other.calls] == ["0001.jl", "0002.jl"]
    assert box(tmp_path).recover(receipt) is Outcome.PUBLISHED


def test_marks_of_what_is_published_go_with_the_next_checkpoint(tmp_path):
    writer = box(tmp_path)
    writer.write_batch(batch(1, 2))
    writer.publish(writer.prepare(final=True))
    assert staged(tmp_path) == ["000000.done"]
    assert (tmp_path / "state" / "staged" / "writer" / "000000.done").read_bytes() == b""

    writer.write_batch(batch(3))
    light = writer.prepare(final=False)
    assert staged(tmp_path) == ["tails-2"]
    assert [file["name"] for file in writer.results(light)] == ["0000.jl"]
    assert writer.staged_bytes() == 0


def test_what_the_author_moved_away_is_published(tmp_path):
    class Mover(Box):
        def write(self, dump_path, group_key=None):
            shutil.move(dump_path, self.folder)

    (tmp_path / "out").mkdir()
    writer = started(Mover(tmp_path / "out"), tmp_path)
    writer.write_batch(batch(1))
    receipt = writer.prepare(final=True)
    writer.publish(receipt)

    assert writer.recover(receipt) is Outcome.PUBLISHED


def test_what_is_neither_staged_nor_published_is_gone(tmp_path):
    writer = box(tmp_path)
    writer.write_batch(batch(1, 2, 3))
    receipt = saved(writer.prepare(final=True))
    (tmp_path / "state/staged/writer/000001.part").write_bytes(b"other")
    assert box(tmp_path).recover(receipt) is Outcome.GONE

    (tmp_path / "state/staged/writer/000001.part").unlink()
    assert box(tmp_path).recover(receipt) is Outcome.GONE
    with pytest.raises(DestinationError, match=r"the staged file .*000001.part is gone, and 0001.jl was not published"):
        writer.publish(receipt)


def test_an_empty_receipt_is_published(tmp_path):
    writer = box(tmp_path)
    receipt = writer.prepare(final=True)
    writer.publish(receipt)

    assert (writer.recover(receipt), writer.results(receipt), contents(tmp_path)) == (Outcome.PUBLISHED, [], {})


def test_a_light_receipt_is_staged_or_gone(tmp_path):
    writer = box(tmp_path)
    writer.write_batch(batch(1, 2, 3))
    receipt = saved(writer.prepare(final=False))
    assert (writer.recover(receipt), writer.results(receipt)) == (Outcome.STAGED, [])

    (tmp_path / "state/staged/writer/tails-1").unlink()
    assert writer.recover(receipt) is Outcome.GONE


def test_a_run_goes_on_from_a_light_receipt(tmp_path):
    writer = box(tmp_path)
    writer.write_batch(batch(1, 2, 3))
    receipt = saved(writer.prepare(final=False))
    writer.write_batch(batch(9, 9, 9))
    other = box(tmp_path)
    other.resume(receipt)
    other.write_batch(batch(4, 5))
    other.publish(other.prepare(final=True))

    assert contents(tmp_path / "out") == {
        "0000.jl": b'{"n":1}\n{"n":2}\n',
        "0001.jl": b'{"n":3}\n{"n":4}\n',
        "0002.jl": b'{"n":5}\n',
    }


def test_discarding_deletes_what_is_staged(tmp_path):
    writer = box(tmp_path)
    writer.write_batch(batch(1, 2, 3))
    receipt = saved(writer.prepare(final=True))
    writer.discard(receipt)
    writer.discard(receipt)

    assert staged(tmp_path) == []


def test_abandoning_leaves_nothing(tmp_path):
    writer = box(tmp_path)
    (tmp_path / "state").mkdir()
    writer.write_batch(batch(1, 2, 3))
    writer.prepare(final=False)
    writer.abandon()

    assert list((tmp_path / "state").iterdir()) == []


def test_a_dry_run_counts_and_touches_nothing(tmp_path):
    writer = box(tmp_path, dry_run=True)
    writer.files.folder.mkdir(parents=True)
    (writer.files.folder / "x.done").write_text("mine")
    writer.resume(None)
    writer.write_batch(batch(1, 2, 3))
    receipt = writer.prepare(final=True)
    writer.abandon()

    assert ([entry["name"] for entry in receipt["closed"]], receipt["written"]) == (["0000.jl", "0001.jl"], 3)
    assert staged(tmp_path) == ["x.done"]


def test_a_formatter_that_can_not_be_continued_forbids_light_checkpoints(tmp_path):
    class Block(Lines):
        resumable = False

    assert box(tmp_path, formatter=Block()).resumable is False


def test_header_separator_and_footer_come_from_the_formatter(tmp_path):
    class Array(Words):
        item_separator = ","

        def format_header(self):
            return "["

        def format_footer(self):
            return "]"

    writer = box(tmp_path, formatter=Array())
    writer.write_batch(Batch.from_records([{"word": "1"}, {"word": "2"}, {"word": "3"}]))
    writer.publish(writer.prepare(final=True))

    assert contents(tmp_path / "out") == {"0000.txt": b"[1,2]", "0001.txt": b"[3]"}


def test_a_formatter_that_fails_tells_the_row(tmp_path):
    writer = box(tmp_path, formatter=Words())
    rows = Batch.from_records([{"word": "a"}, {"word": "b"}, {"none": 1}, {"word": "d"}])
    with pytest.raises(DataError, match=r"^Words: KeyError: 'word'$") as caught:
        writer.write_batch(rows)

    assert (caught.value.row, writer.files.written) == (2, 0)


def test_a_formatter_that_fails_for_no_row_in_particular(tmp_path):
    class Moody(Lines):
        def format_rows(self, batch):
            if len(batch) > 1:
                raise OSError("moody")
            return [b""]

    with pytest.raises(DataError, match="Moody: OSError: moody") as caught:
        box(tmp_path, formatter=Moody()).write_batch(batch(1, 2))

    assert caught.value.row is None


def test_a_formatters_own_data_error_passes(tmp_path):
    with pytest.raises(DataError) as caught:
        box(tmp_path).write_batch(Batch.from_records([{"n": 1}, {"n": float("nan")}]))

    assert caught.value.row == 1


def test_limits_are_off_unless_set(tmp_path):
    plain = started(Box(tmp_path), tmp_path)
    old = started(Box(tmp_path), tmp_path, inherited=True)
    own = started(Box(tmp_path, {"items_per_buffer_write": 5, "size_per_buffer_write": 7}), tmp_path, inherited=True)

    assert [(one.files.rows_limit, one.files.size_limit) for one in (plain, old, own)] == [
        (None, None),
        (INHERITED_ROWS, INHERITED_BYTES),
        (5, 7),
    ]


@pytest.mark.parametrize(("compression", "name"), [("gz", "0000.jl.gz"), ("none", "0000.jl"), ("zst", "0000.jl.zst"), ("xz", "0000.jl.xz")])
def test_names_end_with_the_compression(compression, name, tmp_path):
    writer = started(Box(tmp_path / "out", {"compression": compression}), tmp_path)
    writer.write_batch(batch(1))

    assert [entry["name"] for entry in writer.prepare(final=True)["closed"]] == [name]


# inherited writers with only write()


class Post(BaseWriter):
    supported_options: ClassVar[dict[str, Any]] = {
        "items_limit": {"type": int, "default": 0},
        "compression": {"type": str, "default": "gz"},
    }

    def __init__(self, *args):
        super().__init__(*args)
        self.seen: list[Any] = []

    def write(self, dump_path, group_key=None):
        if dump_path == "bad":
            raise ValueError("no stamp")
        self.seen.append((gzip.decompress(Path(dump_path).read_bytes()), group_key))

    def flush(self):
        self.seen.append("flush")

    def finish_writing(self):
        self.seen.append("finish")

    def close(self):
        self.seen.append("close")


def test_an_inherited_writer_is_fed_gzip_files(tmp_path):
    post = Post({})
    fed = started(FedFiles(post), tmp_path, grouped=True)
    fed.resume(None)
    fed.write_batch(batch(1), ("es",))
    fed.finish_writing()
    fed.publish(fed.prepare(final=True))
    fed.close()

    assert post.seen == ["flush", "finish", (b'{"n":1}\n', ("es",)), "close"]
    assert (fed.read_option("items_limit"), fed.metadata) == (0, post.metadata)


def test_an_inherited_writer_that_fails_is_named(tmp_path):
    fed = started(FedFiles(Post({})), tmp_path)
    with pytest.raises(DestinationError, match=r"^writer \(Post\) failed: ValueError: no stamp$"):
        fed.write("bad")


def test_a_compression_that_is_not_known_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="FedFiles asks for the compression rar") as caught:
        started(FedFiles(Post({"options": {"compression": "rar"}})), tmp_path)

    assert caught.value.hint == "There are none, gz, bz2, xz, zst, zip."


# named files


def shelf(tmp_path: Path, *places: str, context: dict[str, Any] | None = None, receipt: Any = None, **options: Any) -> Shelf:
    made: Shelf = started(Shelf({"filebase": "out/%Y/x", "compression": "none", **options}, places), tmp_path, **(context or {}))
    assert receipt is None or made.recover(receipt) is Outcome.STAGED
    made.resume(receipt)
    return made


def test_names_follow_the_filebase(tmp_path):
    writer = shelf(tmp_path, filebase="out/%Y/{groups[0]}/part-{file_number}", start_file_count=7, context={"grouped": True})
    writer.write_batch(batch(1), ("../es",))
    writer.write_batch(batch(2), ("fr",))
    receipt = writer.prepare(final=True)

    assert [entry["name"] for entry in receipt["closed"]] == ["%2E.%2Fes/part-7.jl", "fr/part-7.jl"]
    assert writer.names.folder == "out/2026"


def test_a_filebase_that_is_wrong_is_told_with_the_options():
    with pytest.raises(ConfigError, match="filebase") as caught:
        Shelf({"filebase": "{what}"})

    assert caught.value.problems[0].path.endswith("options.filebase")
    with pytest.raises(ConfigError):
        Shelf({})


@pytest.mark.parametrize(
    ("inherited", "given", "mode"), [(False, None, "fail"), (True, None, "overwrite"), (True, "fail", "fail"), (False, "skip", "skip")]
)
def test_existing_files_make_a_run_fail_unless_told_otherwise(inherited, given, mode, tmp_path):
    assert shelf(tmp_path, if_exists=given, context={"inherited": inherited}).if_exists == mode


def test_a_name_that_is_taken_fails_at_first_use(tmp_path):
    writer = shelf(tmp_path, "x0001.jl", items_per_buffer_write=1)
    writer.write_batch(batch(1))
    with pytest.raises(DestinationError, match=r"^x0001.jl exists already"):
        writer.write_batch(batch(2))


def test_writers_that_would_meet_have_the_same_example(tmp_path):
    grouped = {"context": {"grouped": True}}
    one = shelf(tmp_path, filebase="out/{groups[0]}/{source}-{file_number}", **grouped).example()

    assert shelf(tmp_path, filebase="out/{groups[0]}/{source}-{file_number:1d}", **grouped).example() == one
    assert shelf(tmp_path, filebase="out/{groups[1]}/{source}-{file_number}", **grouped).example() != one
    assert shelf(tmp_path, filebase="out/x").example() != one


def test_overwriting_does_not_look(tmp_path):
    writer = shelf(tmp_path, "x0000.jl", if_exists="overwrite")
    writer.write_batch(batch(1))

    assert [entry["name"] for entry in writer.prepare(final=True)["closed"]] == ["x0000.jl"]


def test_the_next_free_number_is_taken_and_kept(tmp_path):
    writer = shelf(tmp_path, "x0000.jl", "x0001.jl", "x0003.jl", if_exists="number", items_per_buffer_write=2)
    writer.write_batch(batch(1))
    receipt = saved(writer.prepare(final=False))
    other = shelf(tmp_path, "x0000.jl", "x0001.jl", "x0002.jl", "x0003.jl", receipt=receipt, if_exists="number", items_per_buffer_write=2)
    other.write_batch(batch(2, 3))

    assert [entry["name"] for entry in other.prepare(final=True)["closed"]] == ["x0002.jl", "x0004.jl"]


def test_rows_for_a_name_that_is_taken_are_skipped_and_counted(tmp_path):
    writer = shelf(tmp_path, "x0000.jl", if_exists="skip", items_per_buffer_write=2)
    writer.write_batch(batch(1, 2, 3))
    receipt = writer.prepare(final=True)

    assert [(entry["name"], entry["rows"]) for entry in receipt["closed"]] == [("x0001.jl", 1)]
    assert (receipt["written"], receipt["ignored"]) == (1, 2)


def test_a_base_writer_has_no_taken_names(tmp_path):
    writer = BaseNamedFileWriter({"options": {"filebase": "x"}})

    assert (writer.taken("x"), writer.address("x")) == (False, "x")


def test_each_source_has_files_of_its_own(tmp_path):
    writer = shelf(tmp_path, filebase="out/{source}", items_per_buffer_write=2)
    writer.write_batch(batch(1, 2, 3, split="in/a.jl.gz"))
    receipt = saved(writer.prepare(final=False))
    other = shelf(tmp_path, receipt=receipt, filebase="out/{source}", items_per_buffer_write=2)
    other.write_batch(batch(4, split="in/b.jl.gz"))
    other.write_batch(batch(5, split="more/a.csv"))

    assert [entry["name"] for entry in other.prepare(final=True)["closed"]] == ["a.jl", "a-0001.jl", "b.jl", "a-0002.jl"]


def test_each_split_has_files_of_its_own(tmp_path):
    writer = shelf(tmp_path, filebase="out/{split}-{groups[0]}", context={"grouped": True})
    writer.write_batch(batch(1, split="in/a.jl"), ("es",))
    writer.write_batch(batch(2, split="in2/a.jl"), ("es",))

    names = [entry["name"] for entry in writer.prepare(final=True)["closed"]]
    assert len(set(names)) == 2
    assert all("a%2Ejl" in name or "a.jl" in name for name in names)


def test_checksums_are_listed_in_a_file_of_their_own(tmp_path):
    writer = shelf(tmp_path, generate_md5=True, items_per_buffer_write=1)
    writer.write_batch(batch(1))
    writer.publish(writer.prepare(final=True))
    writer.write_batch(batch(2))
    writer.finish_writing()
    receipt = writer.prepare(final=True)

    assert [entry["name"] for entry in receipt["closed"]] == ["x0001.jl", "md5checksum.md5"]
    text = (writer.files.folder / receipt["closed"][1]["staged"]).read_text()
    sums = [hashlib.md5(b'{"n":%d}\n' % number).hexdigest() for number in (1, 2)]
    assert text == f"{sums[0]} x0000.jl\n{sums[1]} x0001.jl\n"


def test_no_file_no_list_of_checksums(tmp_path):
    writer = shelf(tmp_path, generate_md5=True)
    writer.finish_writing()

    assert writer.prepare(final=True)["closed"] == []


def test_without_checksums_finishing_leaves_files_open(tmp_path):
    writer = shelf(tmp_path)
    writer.write_batch(batch(1))
    writer.finish_writing()

    assert len(writer.files.open) == 1


def test_a_kill_after_the_list_was_made_makes_it_once(tmp_path):
    """The list stands in no receipt but the last: whoever goes on from an older one makes it again."""
    writer = shelf(tmp_path, generate_md5=True, items_per_buffer_write=2)
    writer.write_batch(batch(1, 2, 3))
    receipt = saved(writer.prepare(final=False))
    writer.finish_writing()
    first = writer.prepare(final=True)
    other = shelf(tmp_path, receipt=receipt, generate_md5=True, items_per_buffer_write=2)
    other.finish_writing()

    assert other.prepare(final=True)["closed"] == first["closed"]


@pytest.mark.parametrize(("mode", "name"), [("overwrite", "md5checksum.md5"), ("number", "md5checksum-0002.md5"), ("skip", None)])
def test_a_list_of_checksums_that_exists(mode, name, tmp_path):
    writer = shelf(tmp_path, "md5checksum.md5", "md5checksum-0001.md5", generate_md5=True, if_exists=mode)
    writer.write_batch(batch(1))
    writer.finish_writing()

    assert [entry["name"] for entry in writer.prepare(final=True)["closed"]][1:] == ([name] if name else [])


def test_a_list_of_checksums_that_exists_ends_a_run_before_it_writes(tmp_path):
    writer = shelf(tmp_path, "md5checksum.md5", generate_md5=True)
    with pytest.raises(DestinationError, match=r"^md5checksum.md5 exists already"):
        writer.write_batch(batch(1))


def test_same_content(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    entry = {"size": 3, "sha256": hashlib.sha256(b"abc").hexdigest()}

    assert same_content(tmp_path / "x", entry)
    assert not same_content(tmp_path / "y", entry)
    assert not same_content(tmp_path / "x", entry | {"size": 4})
    assert not same_content(tmp_path / "x", entry | {"sha256": "0"})
