"""Runs in which a bypass copies what it can, and the pipeline does the rest."""

import gzip
import json
import threading
import time
from pathlib import Path

import pytest

import ozzy
from ozzy import BaseBypass, ConfigError, DataError, DestinationError, Interrupted, PluginError, SourceError, Stop
from ozzy.testing import registry


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    return tmp_path


def put(name, *records, text=None):
    content = text if text is not None else "".join(json.dumps(record) + "\n" for record in records)
    Path("in", name).write_bytes(gzip.compress(content.encode()) if name.endswith(".gz") else content.encode())


def config(**more):
    writer = {"filebase": "out/{source}", **more.pop("writer", {})}
    return {"name": "t", "reader": {"name": "fs", "options": {"input": "in"}}, "writer": {"name": "fs", "options": writer}, **more}


TRUST = {"name": "stream", "options": {"verify": False}}


def run(*args, **kwargs):
    return ozzy.run(*args, state_dir="state", **kwargs)


def written(folder="out"):
    paths = sorted(path for path in Path(folder).rglob("*") if path.is_file() and ".ozzy-" not in str(path))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_a_mixed_run_has_one_manifest_and_books_that_balance(in_folder):
    put("a.jl.gz", {"id": 1}, {"id": 2})
    put("b.jl.gz", text='{"id": 3}\n\n{"id": 4}\n')
    put("c.jl.gz", {"id": 5})

    result = run(config(writer={"manifest": "m.json"}))

    assert [(file.name, file.rows, file.bypass) for file in result.files] == [
        ("a.jl.gz", 2, "stream"), ("b.jl.gz", 2, None), ("c.jl.gz", 1, "stream"),
    ]  # fmt: skip
    assert written()["a.jl.gz"] == (in_folder / "in/a.jl.gz").read_bytes()
    assert gzip.decompress(written()["b.jl.gz"]) == b'{"id": 3}\n{"id": 4}\n'
    assert (result.records_read, result.records_written) == (5, 5)
    assert result.counts["reader"].reasons == {"blank": 1}
    assert result.bypassed["stream"] | {"bytes": 0} == {"splits": 2, "bytes": 0, "rows": 3, "unknown": 0}
    assert result.declined == {"stream: line 2 is blank": 1}
    assert result.rows_known
    manifest = json.loads(written()["m.json"])
    assert [file.get("bypass") for file in manifest["files"]] == ["stream", None, "stream"]
    assert manifest["rows"] == 5
    assert ozzy.verify("out/m.json", rows=True).ok


def test_rows_that_nobody_counted_are_unknown_and_not_made_up():
    put("a.jl.gz", {"id": 1})
    put("b.csv", text="id\n2\n")

    result = run(config(writer={"manifest": "m.json"}, bypass=TRUST))

    assert [(file.name, file.rows) for file in result.files] == [("a.jl.gz", None), ("b.jl.gz", 1)]
    assert result.records_read == 1
    assert not result.rows_known
    assert not result.to_dict()["rows_known"]
    manifest = json.loads(written()["m.json"])
    assert [file["rows"] for file in manifest["files"]] == [None, 1]
    assert manifest["rows"] is None
    assert ozzy.verify("out/m.json", rows=True).ok


@pytest.mark.parametrize(
    "text",
    ['{"id": 1}', '{"id": 1}\r\n', '\n{"id": 1}\n', '\ufeff{"id": 1}\n', "", "\n"],
    ids=["no end", "carriage return", "blank", "mark", "empty", "only blank"],
)
@pytest.mark.parametrize("compression", ["none", "gz"])
def test_what_the_pipeline_would_write_otherwise_goes_through_it(text, compression):
    name = "a.jl.gz" if compression == "gz" else "a.jl"
    put(name, text=text)

    result = run(config(writer={"compression": compression}))
    calm = run(config(writer={"compression": compression, "filebase": "calm/{source}"}, bypass=False), fresh=True)

    assert not result.bypassed
    assert sum(result.declined.values()) == 1
    assert written() == written("calm") if calm.files else not result.files


@pytest.mark.parametrize("line", ["{nonsense", "[1]", '{"a": 1} {"a": 2}'])
def test_a_bad_line_ends_the_run_as_it_does_in_the_pipeline(line):
    put("a.jl", text=f'{{"id": 1}}\n{line}\n')

    with pytest.raises(DataError, match="line 2"):
        run(config(writer={"compression": "none"}))

    assert written() == {}


def test_bad_lines_are_skipped_and_counted_as_in_the_pipeline():
    put("a.jl", text='{"id": 1}\n{nonsense\n{"id": 2}\n')

    result = run(config(writer={"compression": "none"}, errors="skip"))

    assert written()["a.jl"] == b'{"id": 1}\n{"id": 2}\n'
    assert result.counts["reader"].reasons == {"bad": 1}


def test_files_of_one_name_are_told_apart_as_in_the_pipeline(in_folder):
    (in_folder / "in/x").mkdir()
    for name in ("a.jl.gz", "b.jl.gz", "x/a.jl.gz", "x/b.jl.gz"):
        put(name, {"from": name})

    run(config())
    run(config(writer={"filebase": "calm/{source}"}, bypass=False), fresh=True)

    assert list(written()) == ["a-0001.jl.gz", "a.jl.gz", "b-0001.jl.gz", "b.jl.gz"]
    assert {name: gzip.decompress(found) for name, found in written().items()} == {
        name: gzip.decompress(found) for name, found in written("calm").items()
    }


def test_taken_names_are_refused_overwritten_or_numbered():
    put("a.jl.gz", {"id": 1})
    run(config())

    with pytest.raises(DestinationError, match="exists already"):
        run(config())
    assert run(config(writer={"if_exists": "number"}), fresh=True).files[0].name == "a-0001.jl.gz"
    put("a.jl.gz", {"id": 2})
    assert run(config(writer={"if_exists": "overwrite"})).files[0].bypass == "stream"
    assert gzip.decompress(written()["a.jl.gz"]) == b'{"id": 2}\n'


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"filter": {"name": "key_value", "options": {"keys": [{"name": "id", "value": 1}]}}}, "a filter is set"),
        ({"transform": {"name": "drop", "options": {"fields": ["x"]}}}, "a transform is set"),
        ({"grouper": {"name": "file_key", "options": {"keys": ["id"]}}}, "a grouper is set"),
        ({"reader": [{"name": "fs", "options": {"input": "in"}}]}, "there are several readers"),
        ({"writer": {"items_limit": 5}}, "the writer has an items_limit"),
        ({"writer": {"items_per_buffer_write": 5}}, "files have a limit of records or bytes"),
        ({"writer": {"filebase": "out/all"}}, "the filebase has no {source}"),
        ({"writer": {"if_exists": "skip"}}, "the records of files that exist are to be counted (if_exists: skip)"),
        ({"writer": {"write_buffer": "reservoir_sampling"}}, "the writer has a write buffer"),
        ({"exporter_options": {}}, "files have the inherited limits of records and bytes"),
        ({"exporter_options": {"prevent_bypass": True}, "bypass": "stream"}, "bypasses are switched off"),
        ({"bypass": False}, "bypasses are switched off"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_explain_says_why_there_is_no_room_for_a_bypass(more, why):
    assert ozzy.explain(config(**more)).past_the_stages == why


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({}, None),
        ({"filter": "no_filter", "transform": "no_transform", "grouper": "no_grouper"}, None),
        ({"formatter": {"name": "json", "options": {"pretty_print": True}}}, "the formatter makes other bytes"),
        ({"writer": {"compression": "zip"}}, "the writer makes zip files"),
        ({"reader": {"name": "random", "options": {"number_of_items": 3}}}, "the reader gives no streams of bytes"),
    ],
)
def test_explain_says_which_bypass_is_tried(more, why):
    found = ozzy.explain(config(**more))

    assert found.past_the_stages is None
    assert found.bypasses == {"stream": why}


def test_stages_that_do_nothing_are_booked_too():
    put("a.jl.gz", {"id": 1}, {"id": 2})

    result = run(config(filter="no_filter", transform="no_transform", grouper="no_grouper"))

    assert result.files[0].bypass == "stream"
    assert {name: counts.records_out for name, counts in result.counts.items()} == dict.fromkeys(result.counts, 2)


def test_a_bypass_that_is_asked_for_and_can_copy_nothing_is_told():
    put("a.jl.gz", {"id": 1})

    result = run(config(bypass="stream", writer={"filebase": "out/all"}))

    assert "the bypass stream copies nothing: the filebase has no {source}" in result.notices
    assert result.records_written == 1


def test_a_run_with_a_limit_reads():
    put("a.jl.gz", {"id": 1}, {"id": 2})

    assert run(config(), limit=1).records_written == 1


def test_an_unknown_bypass_is_refused():
    with pytest.raises(PluginError, match="unknown bypass 'strm'"):
        run(config(bypass="strm"))
    with pytest.raises(ConfigError, match="bypass"):
        run(config(bypass=5))


def test_a_dry_run_says_what_would_be_copied_and_leaves_no_trace(in_folder):
    put("a.jl.gz", {"id": 1})
    put("b.csv", text="id\n2\n")

    result = run(config(), dry_run=True)

    assert result.bypassed["stream"]["splits"] == 1
    assert len(result.declined) == 1
    assert sorted(path.name for path in in_folder.iterdir()) == ["in"]


def test_a_bookmark_moves_past_what_was_copied():
    put("a.jl.gz", {"id": 1})
    run(config(bookmark=True))
    put("b.jl.gz", {"id": 2})

    result = run(config(bookmark=True))

    assert [(file.name, file.bypass) for file in result.files] == [("b.jl.gz", "stream")]


def test_a_file_that_breaks_off_ends_the_run(in_folder):
    put("a.jl.gz", *({"id": number} for number in range(1000)))
    path = in_folder / "in/a.jl.gz"
    path.write_bytes(path.read_bytes()[:-20])

    with pytest.raises(SourceError, match="in the middle of its gz data"):
        run(config())

    assert written() == {}


class Scripted(BaseBypass):
    """Copies what a test says."""

    def declines(self, split):
        return None

    def copy(self, split):
        return self.script(split)

    def through(self, split, **more):
        reader = self.context.reader
        with reader.open_stream(reader.stream(split)) as stream:
            return {**self.context.writer.write_stream(stream, split.id), "rows": None, **more}


@pytest.mark.parametrize("receipt", [None, {}, {"rows": -1, "size": 1}, {"rows": True, "size": 1}, {"rows": 1, "size": None}])
def test_a_receipt_that_says_nothing_ends_the_run(receipt):
    put("a.jl.gz", {"id": 1})
    Bad = type("Bad", (Scripted,), {"script": lambda self, split: receipt})

    with pytest.raises(PluginError, match=r"gave a receipt for in/a\.jl\.gz that can't be used"):
        run(config(bypass="bad"), registry=registry(bad=Bad))


def test_what_a_bypass_raises_names_it():
    put("a.jl.gz", {"id": 1})

    def script(self, split):
        raise RuntimeError("no water")

    with pytest.raises(SourceError, match=r"copying in/a.jl.gz \(bypass bad\).*no water"):
        run(config(bypass="bad"), registry=registry(bad=type("Bad", (Scripted,), {"script": script})))


def test_the_first_bypass_that_does_not_decline_copies():
    put("a.jl.gz", {"id": 1})

    class Shy(Scripted):
        def declines(self, split):
            return "not me"

    class Bold(Scripted):
        def script(self, split):
            return self.through(split)

    result = run(config(bypass=["shy", "bold", "stream"]), registry=registry(shy=Shy, bold=Bold))

    assert list(result.bypassed) == ["bold"]


def test_copies_are_taken_in_order_whichever_is_done_first():
    for name in "abcdefgh":
        put(f"{name}.jl.gz", {"id": name})

    class Slow(Scripted):
        def script(self, split):
            time.sleep(0.05 if split.id in {"in/a.jl.gz", "in/d.jl.gz"} else 0)
            return self.through(split)

    result = run(config(bypass="slow"), registry=registry(slow=Slow))

    assert [file.name[0] for file in result.files] == list("abcdefgh")


def test_a_stopped_run_ends_its_copies_and_is_resumed():
    for name in "abcd":
        put(f"{name}.jl.gz", {"id": name})
    stop, begun = Stop(), threading.Event()

    class Waits(Scripted):
        def script(self, split):
            if split.id == "in/b.jl.gz" and not begun.is_set():
                begun.set()
                stop.set()
                while not self.context.stopped():
                    time.sleep(0.01)
                raise Interrupted("stopped")
            return self.through(split)

    known = registry(waits=Waits)
    with pytest.raises(Interrupted):
        run(config(bypass="waits"), registry=known, stop=stop)
    result = run(config(bypass="waits"), registry=known, resume=True)

    assert [file.name for file in result.files] == [f"{name}.jl.gz" for name in "abcd"]
    assert result.bypassed["waits"]["splits"] == 4


def test_a_finished_run_tells_again_what_was_copied():
    put("a.jl.gz", {"id": 1})
    first = run(config())

    again = run(config(), resume=True)

    assert again.state == "already finished"
    assert again.bypassed == first.bypassed
    assert again.files == first.files


def test_the_metadata_says_that_records_went_past_the_stages():
    put("a.jl.gz", {"id": 1})
    seen = []

    class Watch(ozzy.Listener):
        def pipeline_built(self, pipeline):
            seen.append(pipeline.metadata)

    run(config(bypass=TRUST), listener=Watch())

    assert (seen[0].bypassed_pipeline, seen[0].accurate_items_count) == (True, False)


def test_each_copied_file_may_have_a_checkpoint():
    for number in range(12):
        put(f"{number:02}.jl.gz", {"id": number})

    result = run(config(checkpoint={"every_records": 1, "full_every": {"records": 4}}))

    assert result.checkpoints == 13
    assert [file.rows for file in result.files] == [1] * 12
