"""Files that their formatter writes itself, without any library: what every such formatter relies on."""

import gzip
import io
import json
from functools import partial

import pytest

import ozzy
from ozzy import BaseExportFormatter, BaseTransform, ConfigError, DataError
from ozzy.data.codecs import open_decompressed
from ozzy.errors import SourceError
from ozzy.staging.files import StagedFiles
from ozzy.testing.formatter import FormatterContract
from ozzy.testing.modules import registry


class Counted:
    """A sink that writes a line a row, and how many there were at the end."""

    def __init__(self, stream):
        self.stream = stream
        self.rows = 0

    def write(self, batch):
        for line in batch.lines:
            self.stream.write(line + b"\n")
        self.rows += len(batch)

    def size(self):
        return self.stream.tell()

    def close(self):
        self.stream.write(b'{"rows":%d}\n' % self.rows)


class CountedFormatter(BaseExportFormatter):
    """Lines, and their number at the end of the file."""

    resumable = False
    appendable = False
    compressed = True
    file_extension = "counted"
    item_separator = ""
    begun = 0

    def open(self, stream):
        self.begun += 1
        return Counted(stream)

    def fit(self, batch):
        for row, record in enumerate(batch.records):
            if record.get("id") == "bad":
                raise DataError("it is bad", row=row)
            if record.get("id") == "worse":
                raise ValueError("it is worse")
        return batch

    def get_state(self):
        return self.begun

    def set_state(self, state):
        self.begun = state


class TestCountedFormatter(FormatterContract):
    module = CountedFormatter

    def parse(self, data):
        *rows, last = map(json.loads, data.splitlines())
        assert last == {"rows": len(rows)}
        return rows


def run(folder, records, **more):
    (folder / "in.jl").write_text("\n".join(map(json.dumps, records)))
    config = {
        "name": "sinks",
        "reader": {"name": "fs", "options": {"input": str(folder / "in.jl"), "batch_size": 3}},
        "formatter": "counted",
        "writer": {"name": "fs", "options": {"filebase": str(folder / "out/part"), **more.pop("options", {})}},
    }
    return ozzy.run(config | more, state_dir=folder / "state", registry=registry(counted=CountedFormatter))


def files(folder):
    return {path.name: [json.loads(line) for line in path.read_text().splitlines()] for path in sorted((folder / "out").iterdir())}


def whole(*ids):
    return [*({"id": one} for one in ids), {"rows": len(ids)}]


def test_a_file_is_written_as_batches_come(tmp_path):
    result = run(tmp_path, [{"id": number} for number in range(7)])

    assert files(tmp_path) == {"part0000.counted": whole(*range(7))}
    assert [(file.rows, file.size) for file in result.files] == [(7, (tmp_path / "out/part0000.counted").stat().st_size)]


def test_files_roll_by_rows_within_a_batch(tmp_path):
    run(tmp_path, [{"id": number} for number in range(7)], options={"items_per_buffer_write": 4})

    assert list(files(tmp_path).values()) == [whole(0, 1, 2, 3), whole(4, 5, 6)]


def test_files_roll_by_size_between_batches(tmp_path):
    run(tmp_path, [{"id": number} for number in range(7)], options={"size_per_buffer_write": 20})

    assert list(files(tmp_path).values()) == [whole(0, 1, 2), whole(3, 4, 5), whole(6)]


def test_rows_that_do_not_fit_are_refused_before_any_is_taken(tmp_path):
    records = [{"id": one} for one in (1, "bad", 2, 3, "worse", 4)]
    result = run(tmp_path, records, options={"items_per_buffer_write": 1}, errors={"policy": "skip"})

    assert result.counts["writer"].reasons == {"bad": 2}
    assert list(files(tmp_path).values()) == [whole(1), whole(2), whole(3), whole(4)]


def test_of_more_groups_than_can_be_open_rows_wait_as_lines(tmp_path, monkeypatch):
    monkeypatch.setattr("ozzy.contracts.file_writer.StagedFiles", partial(StagedFiles, group_limit=2))
    run(
        tmp_path,
        [{"id": number % 4} for number in range(10)],
        options={"filebase": str(tmp_path / "out/{groups[0]}")},
        grouper={"name": "file_key", "options": {"keys": ["id"]}},
    )

    assert list(files(tmp_path).values()) == [whole(0, 0, 0), whole(1, 1, 1), whole(2, 2), whole(3, 3)]


def test_names_that_are_taken_may_be_skipped(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/part0000.counted").write_text('{"rows":0}')
    result = run(tmp_path, [{"id": 1}], options={"if_exists": "skip"})

    assert result.counts["writer"].reasons == {"ignored": 1}
    assert list(files(tmp_path).values()) == [whole()]


def test_each_checkpoint_is_full_and_what_was_learnt_goes_with_it(tmp_path):
    began = []

    class Learning(CountedFormatter):
        def set_state(self, state):
            began.append(state)
            super().set_state(state)

    class Stopping(BaseTransform):
        def transform_batch(self, batch):
            if any(record["id"] == 7 for record in batch) and not began:
                began.append("stopped")
                raise RuntimeError("stopped")
            yield from batch

    modules = registry(counted=Learning, stopping=Stopping)
    (tmp_path / "in.jl").write_text("\n".join(json.dumps({"id": number}) for number in range(9)))
    config = {
        "name": "sinks",
        "reader": {"name": "fs", "options": {"input": str(tmp_path / "in.jl"), "batch_size": 3}},
        "transform": "stopping",
        "formatter": "counted",
        "writer": {"name": "fs", "options": {"filebase": str(tmp_path / "out/part")}},
        "checkpoint": {"every_records": 3},
    }
    with pytest.raises(DataError, match="stopped"):
        ozzy.run(config, state_dir=tmp_path / "state", registry=modules)
    ozzy.run(config, resume=True, state_dir=tmp_path / "state", registry=modules)

    assert list(files(tmp_path).values()) == [whole(0, 1, 2), whole(3, 4, 5), whole(6, 7, 8)]
    assert began == ["stopped", 2]


def test_a_dry_run_writes_nowhere(tmp_path):
    result = ozzy.run(
        {
            "name": "dry",
            "reader": {"name": "random", "options": {"number_of_items": 5}},
            "formatter": "counted",
            "writer": {"name": "fs", "options": {"filebase": str(tmp_path / "out/part")}},
        },
        dry_run=True,
        state_dir=tmp_path / "state",
        registry=registry(counted=CountedFormatter),
    )

    assert result.records_written == 5
    assert not (tmp_path / "out").exists()


def test_a_formatter_that_opens_nothing_says_so():
    assert not BaseExportFormatter().sinks
    with pytest.raises(NotImplementedError, match=r"BaseExportFormatter has no open\(\)"):
        BaseExportFormatter().open(io.BytesIO())


def test_a_file_on_disk_is_its_own_copy(tmp_path):
    (tmp_path / "a").write_bytes(b"0123456789" * 3)
    with (tmp_path / "a").open("rb", buffering=0) as raw:
        stream = open_decompressed(raw, name="a")
        assert stream.head(3) == b"012"
        opened = stream.as_file()
    with opened:
        assert opened.fileno() != -1
        assert opened.read() == b"0123456789" * 3


@pytest.mark.parametrize("packed", [True, False])
def test_what_is_no_file_on_disk_is_copied(packed):
    content = b"0123456789" * 100_000
    raw = io.BytesIO(gzip.compress(content) if packed else content)
    with open_decompressed(raw, name="a").as_file() as opened:
        opened.seek(5)
        assert opened.read() == content[5:]


def test_a_copy_that_can_not_be_made_is_told(mocker):
    copy = mocker.patch("tempfile.TemporaryFile")
    copy.return_value.write.side_effect = OSError(28, "No space left on device")

    with pytest.raises(SourceError, match="a can't be copied to a temporary file: No space left on device"):
        open_decompressed(io.BytesIO(b"x"), name="a").as_file()
    assert copy.return_value.close.called
    copy.side_effect = OSError(13, "Permission denied")
    with pytest.raises(SourceError, match="Permission denied"):
        open_decompressed(io.BytesIO(b"x"), name="a").as_file()


def test_a_stream_that_breaks_off_leaves_no_copy():
    with pytest.raises(SourceError, match="ends at byte"):
        open_decompressed(io.BytesIO(gzip.compress(b"x" * 1000)[:-4]), name="a").as_file()


def test_the_console_can_not_show_such_files(tmp_path):
    with pytest.raises(ConfigError, match="CountedFormatter"):
        run(tmp_path, [{"id": 1}], writer="console")
