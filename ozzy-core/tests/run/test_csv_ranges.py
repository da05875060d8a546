"""One large CSV file, shared by several workers: whatever stands in its cells, all comes out as from one."""
# ruff: noqa: RUF012

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ozzy
from ozzy import BaseEngine, DataError, Range
from ozzy.builtin.decoders.csv import CSVDecoder
from ozzy.builtin.engines.local import LocalEngine
from ozzy.data.codecs import open_decompressed
from ozzy.run import sharing
from ozzy.run.task_runner import TaskRunner
from ozzy.testing.kill import KillContract
from ozzy.testing.reading import joined

CELLS = st.sampled_from(["", "a", "bc", "ä", '"x"', '"a\nb"', '"1,2\n3,4\n"', '"say ""no""\r\n"', '"\n\n"', "12", '"', 'a"b', "\x00"])
ROWS = st.one_of(
    st.tuples(CELLS, CELLS).map(",".join),
    st.tuples(CELLS, CELLS, CELLS).map(",".join),
    st.just(""),
    st.just('"' + "1,2\n" * 30 + '",end'),
)


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks are done one after the other without other processes."""
    monkeypatch.setattr(LocalEngine, "run", BaseEngine.run)


def outcome(folder: Path, workers: int, **reader: Any) -> Any:
    """The files, the bad records with their places, and the counts, of a run of CSV; or its error."""
    out = folder / f"out{workers}"
    config = {
        "name": "shared",
        "reader": {"name": "fs", "options": {"input": str(folder / "in.csv")} | reader},
        "transform": {"name": "rename", "options": {"fields": {"b": "c"}}},
        "formatter": {"name": "json"},
        "writer": {"name": "fs", "options": {"filebase": str(out / "part"), "compression": "none", "if_exists": "overwrite"}},
        "errors": "quarantine",
        "engine": {"options": {"workers": workers}},
    }
    try:
        result = ozzy.run(config, state_dir=folder / f"state{workers}", fresh=True)
    except DataError as error:
        return error.message
    bad = [(one.place, one.message, one.text) for one in ozzy.quarantined(result.run_id, state_dir=folder / f"state{workers}")]
    counts = {name: (one.records_in, one.records_out, dict(one.reasons)) for name, one in result.counts.items()}
    return {path.name: path.read_bytes() for path in out.iterdir()} if out.exists() else {}, bad, counts


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(ROWS, max_size=30),
    size=st.integers(1, 120),
    ending=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from(["", "\ufeff"]),
    last=st.booleans(),
)
def test_any_text_comes_out_as_from_one_worker(
    tmp_path_factory: pytest.TempPathFactory, rows: list[str], size: int, ending: str, mark: str, last: bool
) -> None:
    folder = tmp_path_factory.mktemp("csv")
    text = mark + ending.join(["a,b", *rows]) + (ending if last else "")
    (folder / "in.csv").write_bytes(text.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sharing, "TASK_BYTES", size)
        assert outcome(folder, 2) == outcome(folder, 1)


def parts(content: bytes, size: int, folder: Path, **options: Any) -> list[Range]:
    (folder / "in.csv").write_bytes(content)
    with (folder / "in.csv").open("rb", buffering=0) as raw:
        return list(CSVDecoder({"options": options}).ranges(open_decompressed(raw, name="in.csv"), size))


def decoded(folder: Path, part: Range, **options: Any) -> Any:
    with (folder / "in.csv").open("rb", buffering=0) as raw:
        yield from CSVDecoder({"options": options}).decode_range(open_decompressed(raw, name="in.csv"), part)


POEMS = "id,poem\n" + "".join(f'{n},"line, one\nline, two\n\n, {n}"\n' for n in range(400))


def test_the_first_row_of_a_part_is_found_in_texts_of_many_lines(tmp_path: Path) -> None:
    """So that hardly any part is decoded twice."""
    found = parts(POEMS.encode(), 500, tmp_path)
    again = []

    def read(part: Range) -> Any:
        again.append(part.exact)
        return decoded(tmp_path, part)

    batches = joined(found, read)

    assert [record["id"] for batch in batches for record in batch] == [str(n) for n in range(400)]
    assert len(found) > 20
    assert sum(again) == 0


def test_a_part_that_a_worker_began_elsewhere_is_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a cell of one column nothing tells where a row begins."""
    monkeypatch.setattr(sharing, "TASK_BYTES", 300)
    words = "word\n" * 40
    (tmp_path / "in.csv").write_text("b\n" + "".join(f'"{words}{n}"\n{n}\n' for n in range(20)))
    again = []
    make = TaskRunner._from

    def counted(self: Any, reached: int, task: Any, done: Any) -> Any:
        again.append(done.begun not in {None, reached})
        return make(self, reached, task, done)

    monkeypatch.setattr(TaskRunner, "_from", counted)

    assert outcome(tmp_path, 2) == outcome(tmp_path, 1)
    assert any(again)
    assert not list(tmp_path.rglob("piece-*"))


def test_a_row_that_goes_far_beyond_its_range(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its many lines, and all rows behind it, come once: more was read ahead than one piece of the file."""
    monkeypatch.setattr(sharing, "TASK_BYTES", 100_000)
    rows = "".join(f"{n},{n}\n" for n in range(8_000))
    lines = "one, two\n" * 60_000
    (tmp_path / "in.csv").write_text(f'a,b\n{rows}"{lines}",long\n{rows}')

    assert outcome(tmp_path, 2) == outcome(tmp_path, 1)


@pytest.mark.parametrize(
    ("content", "options", "why"),
    [
        (b"", {}, "it is empty"),
        (b"\n\n\n", {}, "it has no header"),
        (b"a,a\n1,2\n", {}, "its header is bad, which is told by who reads it"),
        ("a,b\n1,2\n".encode("utf-16"), {}, "it is in UTF-16"),
        (b"a,b\n1,2\n", {"encoding": "latin-1"}, "an encoding is given"),
        (b"a" * 70_000 + b"\n1\n", {}, "its header is too long to be read for each part"),
    ],
)
def test_a_file_is_read_whole_where(tmp_path: Path, content: bytes, options: dict[str, Any], why: str) -> None:
    assert parts(content, 2, tmp_path, **options) == [], why


def test_without_a_header_every_part_has_the_names_of_its_fields(tmp_path: Path) -> None:
    found = parts(b"1,2\n3,4\n5,6\n", 5, tmp_path, fields=["x", "y"])
    batches = joined(found, lambda part: decoded(tmp_path, part, fields=["x", "y"]))

    assert len(found) == 3
    assert [dict(record) for batch in batches for record in batch] == [{"x": a, "y": b} for a, b in ("12", "34", "56")]


def test_lines_of_a_bad_row_are_told_with_the_header_they_belong_to(tmp_path: Path) -> None:
    found = parts(b"a,b\n1,2\n3\n5,6\n", 8, tmp_path)
    batches = joined(found, lambda part: decoded(tmp_path, part))

    assert [(one.where, one.line, one.head) for batch in batches for one in batch.rejected] == [("in.csv, line 1", b"3", b"a,b")]


class TestKillRangesOfCsv(KillContract):
    """Killed anywhere, two workers make the same bytes of a CSV file whose rows go over lines."""

    same_bytes = True
    config = {"engine": {"options": {"workers": 2}}, "checkpoint": {"every_records": 10}}

    @pytest.fixture
    def reader(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
        monkeypatch.setattr(sharing, "TASK_BYTES", 200)
        (tmp_path / "source").mkdir()
        text = "id,name\n" + "".join(f'{n},"one\n{n},two\n{"" if n % 3 else "three, " * 9}"\n' for n in range(60))
        (tmp_path / "source/a.csv").write_text(text)
        (tmp_path / "source/b.jl").write_text("".join(json.dumps({"id": str(n)}) + "\n" for n in range(60, 80)))
        return {"name": "fs", "options": {"input": str(tmp_path / "source"), "batch_size": 4}}
