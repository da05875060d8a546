"""Runs that several workers share: the same contents, counts, places and errors as those of one."""

import gzip
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs
import pytest

import ozzy
from ozzy import (
    BaseEngine,
    BaseExportFormatter,
    BaseFileWriter,
    BaseFilter,
    BaseReader,
    ConfigError,
    DataError,
    Listener,
    Registry,
    hookimpl,
)
from ozzy.builtin.engines.local import LocalEngine
from ozzy.cli.progress import summary
from ozzy.data.codecs import CODECS, open_decompressed
from ozzy.run import sharing
from ozzy.staging import pieces

BIG = "{'id': item['id'], 'x': 1e308 * 10 if int(item['id']) % 200 == 7 else 1}"
WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def record(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "group": f"g{number % 7}",
        "name": f"{WORDS[number % 10]} ä",
        "n": {"m": [number]},
        "x": None if number % 3 else 1.5,
    }


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks of some lines, done one after the other without other processes: what workers make and how it is joined stays the same."""
    monkeypatch.setattr(LocalEngine, "run", BaseEngine.run)
    monkeypatch.setattr(sharing, "TASK_BYTES", 5_000)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Plain files of several ranges, compressed ones, small and empty ones."""
    folder = tmp_path / "in"
    folder.mkdir()
    lines = [json.dumps(record(number), ensure_ascii=False).encode() + b"\n" for number in range(900)]
    (folder / "a.jl").write_bytes(b"\xef\xbb\xbf" + b"".join(lines[:300]))
    (folder / "b.jl.gz").write_bytes(gzip.compress(b"".join(lines[300:500])))
    (folder / "c.jl").write_bytes(b"\r\n".join(line.rstrip() for line in lines[500:800]))
    (folder / "d.jl").write_bytes(b"\n\n" + b"\n \n".join(lines[800:850]))
    (folder / "e.jl").write_bytes(b"")
    (folder / "f.csv").write_text("id,group,name\n" + "".join(f"{n},g{n % 7},x\n" for n in range(850, 900)), encoding="utf-8")
    return folder


def config(source: Path, out: Path, **more: Any) -> dict[str, Any]:
    writer = {"name": "fs", "options": {"filebase": f"{out}/part", "compression": "none"} | more.pop("options", {})}
    return {"name": "shared", "reader": {"name": "fs", "options": {"input": str(source)}}, "writer": writer, **more}


def run(source: Path, out: Path, workers: int, **more: Any) -> Any:
    engine = {"engine": {"options": {"workers": workers}}}
    how = {key: more.pop(key) for key in ("registry", "resume", "dry_run", "listener", "limit") if key in more}
    return ozzy.run(config(source, out, **more) | engine, state_dir=out.parent / f"state-{out.name}", **how)


def content(folder: Path) -> dict[str, bytes]:
    """What is in the files, decompressed."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as raw:
                found[str(path.relative_to(folder))] = b"".join(iter(open_decompressed(raw, name=path.name).read, b""))
    return found


def counts(result: Any) -> dict[str, Any]:
    return {name: (one.records_in, one.records_out, dict(one.reasons)) for name, one in result.counts.items()}


FORMATS = {
    "json": {"name": "json"},
    "csv": {"name": "csv", "options": {"fields": ["id", "name", "n", "x"]}},
    "xml": {"name": "xml"},
}


class TestContents:
    @pytest.mark.parametrize("grouped", [False, True], ids=["one file", "groups"])
    @pytest.mark.parametrize("compression", ["none", "gz", "zst", "bz2", "xz"])
    @pytest.mark.parametrize("formatter", FORMATS)
    def test_they_are_those_of_one_worker(
        self, source: Path, tmp_path: Path, formatter: str, compression: str, grouped: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        small_members(monkeypatch)
        name = f"{tmp_path}/{{}}/{{{{groups[0]}}}}" if grouped else f"{tmp_path}/{{}}/part"
        more: dict[str, Any] = {
            "formatter": FORMATS[formatter],
            "filter": {"name": "python_exp", "options": {"python_expression": "int(item['id']) % 4"}},
        }
        if grouped:
            more["grouper"] = {"name": "file_key", "options": {"keys": ["group"]}}
        results = {}
        for workers in (1, 2):
            options = {"filebase": name.format(workers), "compression": compression}
            results[workers] = run(source, tmp_path / str(workers), workers, options=options, **more)
        assert content(tmp_path / "1") == content(tmp_path / "2")
        assert counts(results[1]) == counts(results[2])
        assert [(file.name, file.rows) for file in results[1].files] == [(file.name, file.rows) for file in results[2].files]

    def test_plain_files_are_the_same_bytes(self, source: Path, tmp_path: Path) -> None:
        for workers in (1, 2):
            run(source, tmp_path / str(workers), workers)
        assert (tmp_path / "1/part0000.jl").read_bytes() == (tmp_path / "2/part0000.jl").read_bytes()

    def test_more_groups_than_files_can_be_open(self, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        small_members(monkeypatch)
        start = BaseFileWriter.start

        def few(writer: Any, context: Any) -> None:
            start(writer, context)
            writer.files.group_limit = 3

        monkeypatch.setattr(BaseFileWriter, "start", few)
        more = {"grouper": {"name": "file_key", "options": {"keys": ["group"]}}}
        for workers in (1, 2):
            run(
                source,
                tmp_path / str(workers),
                workers,
                options={"filebase": f"{tmp_path}/{workers}/{{groups[0]}}", "compression": "gz"},
                **more,
            )
        assert content(tmp_path / "1") == content(tmp_path / "2")

    def test_rows_that_wait_are_written_as_they_are(self, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pieces, "WAITING", 1_000)
        more = {"grouper": {"name": "file_key", "options": {"keys": ["group"]}}}
        for workers in (1, 2):
            run(
                source,
                tmp_path / str(workers),
                workers,
                options={"filebase": f"{tmp_path}/{workers}/{{groups[0]}}", "compression": "gz"},
                **more,
            )
        assert content(tmp_path / "1") == content(tmp_path / "2")

    def test_files_named_after_their_source(self, source: Path, tmp_path: Path) -> None:
        for workers in (1, 2):
            run(source, tmp_path / str(workers), workers, options={"filebase": f"{tmp_path}/{workers}/{{source}}"}, bypass=False)
        assert content(tmp_path / "1") == content(tmp_path / "2")
        assert sorted(content(tmp_path / "2")) == ["a.jl", "b.jl", "c.jl", "d.jl", "f.jl"]

    def test_several_writers_each_with_its_records(self, source: Path, tmp_path: Path) -> None:
        def writers(out: Path) -> list[dict[str, Any]]:
            even = {"name": "python_exp", "options": {"python_expression": "item['id'] != None and int(item['id']) % 2 == 0"}}
            return [
                {"name": "fs", "label": "even", "when": even, "options": {"filebase": f"{out}/even", "compression": "none"}},
                {"name": "fs", "label": "all", "options": {"filebase": f"{out}/all", "compression": "gz"}},
            ]

        results = {}
        for workers in (1, 2):
            out = tmp_path / str(workers)
            given = config(source, out) | {"writer": writers(out), "engine": {"options": {"workers": workers}}}
            results[workers] = ozzy.run(given, state_dir=tmp_path / f"state{workers}")
        assert content(tmp_path / "1") == content(tmp_path / "2")
        assert counts(results[1]) == counts(results[2])

    def test_a_line_longer_than_a_range(self, tmp_path: Path) -> None:
        folder = tmp_path / "in"
        folder.mkdir()
        (folder / "a.jl").write_text("".join(json.dumps({"id": n, "text": "x" * (40_000 if n == 3 else 10)}) + "\n" for n in range(9)))
        for workers in (1, 2):
            run(folder, tmp_path / str(workers), workers)
        assert content(tmp_path / "1") == content(tmp_path / "2")

    def test_a_format_with_something_between_rows(self, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        small_members(monkeypatch)
        for workers in (1, 2):
            given = {"formatter": "between", "options": {"compression": "gz"}, "registry": registry()}
            run(source, tmp_path / str(workers), workers, **given)
        assert content(tmp_path / "1") == content(tmp_path / "2")
        assert content(tmp_path / "2")["part0000.txt.gz"].startswith(b"begin\n0 | 1 | 2 | ")


class TestBadRecords:
    """Some lines are no JSON, some records are refused by a stage: each is told with its line or number in the whole file."""

    @pytest.fixture
    def source(self, source: Path) -> Path:
        lines = (source / "a.jl").read_bytes().splitlines()
        for number in (0, 120, 121, 299):
            lines[number] = b"{broken"
        (source / "a.jl").write_bytes(b"\n".join(lines) + b"\n")
        return source

    @property
    def failing(self) -> dict[str, Any]:
        """A filter that fails for a few records."""
        return {"filter": {"name": "python_exp", "options": {"python_expression": "1 / (int(item['id']) % 150) >= 0"}}}

    @pytest.mark.parametrize("policy", ["skip", "quarantine"])
    def test_those_passed_over(self, source: Path, tmp_path: Path, policy: str) -> None:
        found = {}
        for workers in (1, 2):
            result = run(source, tmp_path / str(workers), workers, errors=policy, **self.failing)
            kept = ozzy.quarantined(result.run_id, state_dir=tmp_path / f"state-{workers}") if policy == "quarantine" else []
            places = sorted((one.place, one.message, one.text) for one in kept)
            found[workers] = (counts(result), places, content(tmp_path / str(workers)))
        assert found[1] == found[2]
        assert len(found[2][1]) == (9 if policy == "quarantine" else 0)
        assert found[2][0]["reader"][2][{"skip": "bad", "quarantine": "quarantined"}[policy]] == 4

    @pytest.mark.parametrize(
        "errors", ["fail", {"policy": "skip", "limit": 2}, {"policy": "quarantine", "limit": 0}, {"policy": "skip", "limit": 5}]
    )
    def test_those_that_end_the_run(self, source: Path, tmp_path: Path, errors: Any) -> None:
        told = {}
        for workers in (1, 2):
            with pytest.raises(DataError) as raised:
                run(source, tmp_path / str(workers), workers, errors=errors, **self.failing)
            told[workers] = (str(raised.value), type(raised.value), raised.value.run_id is not None)
        assert told[1] == told[2]
        assert any(place in told[2][0] for place in (", line ", ", record "))

    def test_those_of_a_stage_that_ends_the_run(self, source: Path, tmp_path: Path) -> None:
        told = {}
        for workers in (1, 2):
            failing = {"filter": self.failing["filter"] | {"errors": "fail"}, "errors": "skip"}
            with pytest.raises(DataError) as raised:
                run(source / "c.jl", tmp_path / str(workers), workers, **failing)
            told[workers] = str(raised.value)
        assert told[1] == told[2]
        assert "c.jl, record 101: filter_before (PythonExpFilter)" in told[2]

    def test_those_that_a_writer_refuses(self, source: Path, tmp_path: Path) -> None:
        made = {"transform": {"name": "python_map", "options": {"map": BIG}}}
        found = {}
        for workers in (1, 2):
            result = run(source, tmp_path / str(workers), workers, errors="quarantine", **made)
            found[workers] = (counts(result), content(tmp_path / str(workers)))
        assert found[1] == found[2]
        assert found[2][0]["writer"][2]["quarantined"] == 5

    def test_a_stage_with_a_policy_of_its_own(self, source: Path, tmp_path: Path) -> None:
        failing = {"filter": self.failing["filter"] | {"errors": "skip"}, "errors": "quarantine"}
        found = {workers: counts(run(source, tmp_path / str(workers), workers, **failing)) for workers in (1, 2)}
        assert found[1] == found[2]
        assert found[2]["filter_before"][2]["bad"] == 5


class TestWhoIsAsked:
    """Where several workers can't share, or need not."""

    @pytest.mark.parametrize(
        ("more", "told"),
        [
            ({"filter": {"name": "dupe", "options": {"keys": ["id"]}}}, "filter_before (DupeFilter): it remembers what came before"),
            ({"options": {"items_limit": 5}}, "writer (fs): it has an items_limit"),
            ({"options": {"items_per_buffer_write": 5}}, "writer (fs): its files have a limit of records or bytes"),
            ({"options": {"compression": "zip"}}, "writer (fs): a zip is made of all of its content at once"),
            ({"options": {"write_buffer": "reservoir_sampling"}}, "writer.write_buffer: it remembers what came before"),
            ({"formatter": {"name": "json", "options": {"jsonlines": False}}}, "writer (fs): the rows of two files of its format"),
            ({"formatter": {"name": "csv", "options": {"discover": True}}}, "writer (fs): the rows of two files of its format"),
            ({"reader": {"name": "counting"}}, "reader (counting): its source has no parts"),
            ({"reader": [{"name": "random", "options": {"number_of_items": 5}}]}, "reader: there are several"),
            ({"writer": {"name": "console"}}, "writer (console): it takes records as they come, not files"),
        ],
    )
    def test_a_part_that_can_not_is_named(self, source: Path, tmp_path: Path, more: dict[str, Any], told: str) -> None:
        whole = {key: value for key, value in more.items() if key in {"reader", "writer"}}
        rest = {key: value for key, value in more.items() if key not in whole}
        given = config(source, tmp_path / "out", **rest) | whole | {"engine": {"options": {"workers": 3}}}
        with pytest.raises(ConfigError) as raised:
            ozzy.run(given, state_dir=tmp_path / "state", registry=registry())
        assert "engine: 3 workers can't share this pipeline" in str(raised.value)
        assert told in str(raised.value)
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize(
        ("how", "why"), [({"limit": 5}, "it has a limit of records"), ({"dry_run": True}, "it is a dry run")], ids=["limit", "dry run"]
    )
    def test_a_run_that_can_not_is_done_by_one_with_a_notice(self, source: Path, tmp_path: Path, how: Any, why: str) -> None:
        result = run(source, tmp_path / "out", 3, **how)
        assert f"engine: one worker does this run, not 3: {why}" in result.notices

    def test_a_bypass_comes_first(self, source: Path, tmp_path: Path) -> None:
        result = run(source / "b.jl.gz", tmp_path / "out", 3, options={"filebase": f"{tmp_path}/out/{{source}}", "compression": "gz"})
        assert "engine: one worker does this run, not 3: the bypass stream may copy parts of the source" in result.notices
        assert result.bypassed

    def test_random_numbers_follow_the_place_in_the_file(self, source: Path, tmp_path: Path) -> None:
        """A stage that goes by it is given files whole."""
        drawn = {"transform": {"name": "set", "options": {"fields": {"r": "random.random()"}}}}
        seen = Seen()
        run(source, tmp_path / "out", 2, listener=seen, **drawn)
        numbers = [json.loads(line)["r"] for line in content(tmp_path / "out")["part0000.jl"].splitlines()]
        assert len(set(numbers)) == len(numbers)
        assert seen.records == [300, 500, 800, 850, 850, 900]

    def test_progress_is_told_task_by_task(self, source: Path, tmp_path: Path) -> None:
        seen = Seen()
        run(source, tmp_path / "out", 2, listener=seen)
        assert len(seen.records) > 10
        assert all(before <= after for before, after in pairwise(seen.records))
        assert seen.records[-1] == 900

    def test_times_and_stats_are_told(self, source: Path, tmp_path: Path) -> None:
        result = run(source, tmp_path / "out", 2, filter={"name": "no_filter"}, stats_manager="logging")
        assert set(result.times) == {"reader", "filter_before", "writer", "checkpoints"}
        assert all(seconds > 0 for seconds in result.times.values())
        assert result.bytes_read > 10_000
        assert result.workers == 2
        assert ", 2 workers" in summary(result)


class TestUnasked:
    """Several workers are used where nothing else comes out, and where they gain something."""

    @pytest.fixture(autouse=True)
    def two_cores(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(LocalEngine, "usable", lambda _self: 2)
        monkeypatch.setattr(sharing, "LARGE", 10_000)
        self.asked: list[int] = []
        one_by_one = BaseEngine.run

        def noted(engine: Any, work: Any, tasks: Any, workers: int = 1) -> Any:
            self.asked.append(workers)
            return one_by_one(engine, work, tasks, workers)

        monkeypatch.setattr(LocalEngine, "run", noted)

    def go(self, source: Path, tmp_path: Path, **more: Any) -> Any:
        return ozzy.run(config(source, tmp_path / "out", **more), state_dir=tmp_path / "state", registry=registry())

    def test_they_are_used(self, source: Path, tmp_path: Path) -> None:
        self.go(source, tmp_path)
        assert self.asked == [2]

    @pytest.mark.parametrize(
        "more",
        [
            {"checkpoint": {"full_every": {"records": 10}}},
            {"checkpoint": {"staged_limit": 50_000}},
            {"filter": "unsaid"},
            {"filter": {"and": ["unsaid", "no_filter"]}},
            {"options": {"items_limit": 5}},
            {"engine": {"options": {"workers": 1}}},
        ],
        ids=str,
    )
    def test_they_are_not_where_that_might_change_the_outcome(self, source: Path, tmp_path: Path, more: dict[str, Any]) -> None:
        self.go(source, tmp_path, **more)
        assert self.asked == []

    def test_they_are_not_for_a_small_source(self, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sharing, "LARGE", 10_000_000)
        self.go(source, tmp_path)
        assert self.asked == []

    def test_they_are_not_for_one_part(self, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sharing, "LARGE", 100)
        self.go(source / "b.jl.gz", tmp_path)
        assert self.asked == []

    def test_the_environment_sets_a_limit(self, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OZZY_WORKERS", "1")
        self.go(source, tmp_path)
        monkeypatch.setenv("OZZY_WORKERS", "8")
        ozzy.run(config(source, tmp_path / "more", options={"items_limit": 5}), state_dir=tmp_path / "state")
        assert self.asked == []
        ozzy.run(config(source, tmp_path / "again"), state_dir=tmp_path / "state")
        assert self.asked == [2]

    def test_a_limit_that_is_no_number_is_told(self, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OZZY_WORKERS", "many")
        with pytest.raises(ConfigError, match=r"engine\.options\.workers"):
            self.go(source, tmp_path)


class TestExplained:
    """What `ozzy explain` says of workers."""

    @pytest.mark.parametrize(
        ("more", "told"),
        [
            ({"engine": {"options": {"workers": 3}}}, "3, as asked for"),
            ({"engine": {"options": {"workers": 1}}}, "1, as asked for"),
            ({}, "4, where the source has 64 MB or more (16 MB compressed) in several parts"),
            ({"filter": {"name": "dupe", "options": {"keys": ["id"]}}}, "1: filter_before (DupeFilter): it remembers what came before"),
            ({"options": {"filebase": "out/{source}"}}, "1: the bypass stream may copy parts of the source"),
            ({"checkpoint": {"full_every": {"records": 10}}}, "1: checkpoint.full_every: files end where a checkpoint is taken"),
        ],
    )
    def test_how_many_and_why(self, source: Path, tmp_path: Path, more: Any, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(LocalEngine, "usable", lambda _self: 4)
        assert ozzy.explain(config(source, tmp_path / "out", **more)).workers == told

    def test_one_core(self, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(LocalEngine, "usable", lambda _self: 1)
        assert ozzy.explain(config(source, tmp_path / "out")).workers == "1: there is one core, or no safe way to begin others"


class Counting(BaseReader):
    """A stream of records without parts."""

    def get_next_batch(self) -> Any:
        self.finished = True
        yield {"id": 1}


class Unsaid(BaseFilter):
    """Says nothing of whether it remembers something."""

    def filter(self, item: Any) -> bool:
        return True


class Between(BaseExportFormatter):
    """An inherited formatter: rows have something between them."""

    item_separator = " | "

    def format(self, item: Any) -> str:
        return str(item["id"])

    def format_header(self) -> str:
        return "begin\n"


class Offering:
    """A plugin with these."""

    @hookimpl
    def ozzy_read(self) -> dict[str, type]:
        return {"counting": Counting}

    @hookimpl
    def ozzy_filter(self) -> dict[str, type]:
        return {"unsaid": Unsaid}

    @hookimpl
    def ozzy_format(self) -> dict[str, type]:
        return {"between": Between}


def registry() -> Registry:
    """What is installed, and that."""
    loaded = Registry.load()
    loaded.register(Offering(), package="offering")
    return loaded


class Seen(Listener):
    """Notes how many records were read each time it is told."""

    def __init__(self) -> None:
        self.records: list[int] = []

    def batch_done(self, progress: Any) -> None:
        self.records.append(progress.records_read)


def small_members(monkeypatch: pytest.MonkeyPatch) -> None:
    """Members of a few rows, so that each task has some."""
    for name, codec in list(CODECS.items()):
        monkeypatch.setitem(CODECS, name, attrs.evolve(codec, member_size=1_000))  # type: ignore[misc]
