"""Modules without a manager, as programs of the inherited form drive them."""

import gzip
import importlib
import json
import logging
from pathlib import Path

import pytest

import ozzy
from ozzy import Batch, DataError
from ozzy.contracts.writer import needs_files
from ozzy_exporters.exceptions import ItemsLimitReached

pytestmark = pytest.mark.filterwarnings("ignore:exporters:DeprecationWarning")


def of(module, name):
    return getattr(importlib.import_module(f"exporters.{module}"), name)


def random_reader(meta=None, **options):
    return of("readers", "RandomReader")({"options": {"number_of_items": 7, "batch_size": 3, "seed": 1, **options}}, meta)


def drained(reader):
    given = []
    while not reader.is_finished():
        given.append([item["key"] for item in reader.get_next_batch()])
    return given


def test_two_readers_a_filter_against_duplicates_and_the_console_share_their_metadata(bloom, capsys):
    """The example that the inherited system came with, with its empty options."""
    meta = of("meta", "ExportMeta")(None)
    readers = [of("readers", "RandomReader")({}, meta) for _ in range(2)]
    writer = of("writers", "ConsoleWriter")({}, meta)
    duplicates = importlib.import_module("exporters_bloom_filter.filter").DuplicatesBloomFilter({"options": {"field": "city"}}, meta)
    while not all(reader.is_finished() for reader in readers):
        for reader in readers:
            if not reader.is_finished():
                writer.write_batch(duplicates.filter_batch(reader.get_next_batch()))
    cities = [json.dumps(json.loads(line)["city"]) for line in capsys.readouterr().out.splitlines()]
    assert len(cities) == len(set(cities)) == 35
    assert (meta.reader["read_items"], meta.filter["filtered_out"], meta.writer["items_count"]) == (2000, 1965, 35)


# Readers


def test_a_reader_is_asked_batch_by_batch_until_it_is_finished():
    assert drained(random_reader()) == [[0, 1, 2], [3, 4, 5], [6], []]


@pytest.mark.parametrize("count", [0, 3])
def test_a_reader_of_nothing_or_of_whole_batches_ends_with_an_empty_one(count):
    assert drained(random_reader(number_of_items=count))[-1] == []


def test_a_reader_goes_on_where_another_stood():
    first = random_reader()
    first.set_last_position(None)
    list(first.get_next_batch())
    second = random_reader()
    second.set_last_position(json.loads(json.dumps(first.get_last_position())))
    assert drained(second) == [[3, 4, 5], [6], []]


def test_a_reader_may_be_sent_back_to_its_start():
    reader = random_reader()
    drained(reader)
    reader.set_last_position(None)
    assert drained(reader)[0] == [0, 1, 2]


def test_a_reader_of_files_finds_its_decoders_and_goes_on_in_the_middle_of_the_second_file(tmp_path):
    for name, numbers in (("a.jl", range(3)), ("b.jl.gz", range(3, 6)), ("c.csv", [6])):
        lines = "".join(f'{{"key": {number}}}\n' for number in numbers) if "jl" in name else "key\n6\n"
        (tmp_path / name).write_bytes(gzip.compress(lines.encode()) if name.endswith("gz") else lines.encode())
    section = {"options": {"input": {"dir": str(tmp_path)}, "batch_size": 2}}
    reader = of("readers.fs_reader", "FSReader")(section)
    first = [[item["key"] for item in reader.get_next_batch()] for _ in range(3)]
    again = of("readers.fs_reader", "FSReader")(section)
    again.set_last_position(reader.get_last_position())
    assert (first, drained(again)) == ([[0, 1], [2], [3, 4]], [[5], ["6"], []])


def test_a_bad_row_is_an_error(tmp_path):
    (tmp_path / "a.jl").write_text('{"key": 1}\n[]\n')
    reader = of("readers.fs_reader", "FSReader")({"options": {"input": str(tmp_path / "a.jl")}})
    with pytest.raises(DataError, match=r"a\.jl"):
        reader.get_next_batch()


def test_a_format_may_be_said_too(tmp_path):
    (tmp_path / "a.data").write_text("key\n1\n")
    reader = of("readers.fs_reader", "FSReader")({"options": {"input": str(tmp_path / "a.data"), "deserializer": "csv"}})
    assert drained(reader)[0] == ["1"]


def test_a_stream_reader_of_an_author_can_be_driven_too(tmp_path):
    base = of("readers.base_stream_reader", "StreamBasedReader")

    class Shelf(base):
        def get_read_streams(self):
            yield ozzy.Stream("a.jl")

        def open_stream(self, stream):
            return (tmp_path / stream.filename).open("rb")

    (tmp_path / "a.jl").write_text('{"key": 1}\n')
    assert drained(Shelf({})) == [[1], []]


def test_the_base_class_of_readers_is_that_of_today():
    assert of("readers.base_reader", "BaseReader") is ozzy.BaseReader


# Between


def records(*numbers):
    return [ozzy.BaseRecord(number=number, colour=("red", "green")[number % 2]) for number in numbers]


def test_a_filter_takes_any_iterable_and_gives_what_goes_on():
    keeps = of("filters", "KeyValueFilter")({"options": {"keys": [{"name": "colour", "value": "red"}]}})
    assert [item["number"] for item in keeps.filter_batch(iter(records(0, 1, 2)))] == [0, 2]
    assert list(keeps.filter_batch([])) == []
    assert keeps.get_metadata("filtered_out") == 1


def test_a_filter_of_an_author_in_a_pipeline_is_what_it_is_by_hand():
    class Even(of("filters.base_filter", "BaseFilter")):
        def filter(self, item):
            return item["key"] % 2 == 0

    assert [item["key"] for item in Even({}).filter_batch(random_reader().get_next_batch())] == [0, 2]
    registry = ozzy.Registry.load()

    class Plugin:
        @staticmethod
        @ozzy.hookimpl
        def ozzy_filter():
            return {"even": Even}

    registry.register(Plugin)
    assert [
        item["key"]
        for item in ozzy.read({"reader": {"name": "random", "options": {"number_of_items": 4}}, "filter": "even"}, registry=registry)
    ] == [0, 2]


def test_a_transform_takes_any_iterable():
    same = of("transform", "NoTransform")({})
    assert [dict(item) for item in same.transform_batch(iter(records(1)))] == [{"number": 1, "colour": "green"}]
    assert isinstance(same.transform_batch(Batch.from_records([{"a": 1}])), Batch)


def test_groupers_give_records_their_group():
    by_key = of("groupers", "FileKeyGrouper")({"options": {"keys": ["colour"]}})
    none = of("groupers", "NoGrouper")({})
    assert [item.group_membership for item in by_key.group_batch(iter(records(0, 1)))] == [("red",), ("green",)]
    assert [item.group_membership for item in none.group_batch(iter(records(0, 1)))] == [(), ()]


def test_a_grouper_that_has_only_keys_groups_by_hand_too():
    from ozzy_exporters.by_hand import hand_driven

    class Parity(ozzy.BaseGrouper):
        def keys(self, batch):
            return [(str(item["number"] % 2),) for item in batch]

    made = hand_driven(Parity)({})
    assert [item.group_membership for item in made.group_batch(iter(records(0, 1)))] == [("0",), ("1",)]
    assert list(made.group_batch([])) == []
    assert made.keys(Batch.from_records(records(3))) == [("1",)]


def test_a_formatter_formats_one_record():
    lines = of("export_formatter", "JsonExportFormatter")({})
    array = of("export_formatter", "JsonExportFormatter")({"options": {"jsonlines": False}})
    titles = of("export_formatter", "CSVExportFormatter")({"options": {"fields": ["number"]}})
    assert lines.format({"a": "ü"}) == '{"a":"ü"}\n'
    assert (array.format_header(), array.format({"a": 1}), array.format_footer()) == ("[\n", '{"a":1}', "\n]\n")
    assert titles.format_header().strip() == '"number"'
    assert lines.format_rows(Batch.from_records([{"a": 1}])) == [b'{"a":1}\n']


def test_a_formatter_with_rows_alone_has_neither_header_nor_footer():
    from ozzy_exporters.by_hand import hand_driven

    class Dots(ozzy.BaseExportFormatter):
        def format_rows(self, batch):
            return [b"." for _ in batch]

    dots = hand_driven(Dots)({})
    assert (dots.format_header(), dots.format({"a": 1}), dots.format_footer()) == ("", ".", "")


# Writers


def lines(path):
    return [json.loads(line)["number"] for line in Path(path).read_text().splitlines()]


@pytest.fixture
def fs():
    def writer(**options):
        return of("writers", "FSWriter")({"options": {"filebase": "out/part", "compression": "none", **options}})

    return writer


def test_a_writer_of_files_shows_them_when_it_is_flushed_and_begins_the_next_one(fs):
    writer = fs()
    writer.write_batch(iter(records(1, 2)))
    assert not Path("out/part0000.jl").exists()
    writer.flush()
    assert lines("out/part0000.jl") == [1, 2]
    writer.write_batch(records(3))
    writer.finish_writing()
    writer.close()
    assert lines("out/part0001.jl") == [3]
    assert sorted(path.name for path in Path("out").iterdir()) == ["part0000.jl", "part0001.jl"]


def test_what_was_not_flushed_is_gone_and_that_is_told(fs, caplog):
    caplog.set_level(logging.WARNING)
    writer = fs()
    writer.write_batch(records(1))
    writer.flush()
    writer.write_batch(records(2, 3))
    writer.close()
    assert [path.name for path in Path("out").iterdir()] == ["part0000.jl"]
    assert "closed without flush()" in caplog.text
    assert "records=2" in caplog.text


def test_what_is_written_after_the_end_has_to_be_finished_too(fs):
    writer = fs()
    writer.write_batch(records(1))
    writer.finish_writing()
    writer.write_batch(records(2))
    writer.finish_writing()
    writer.close()
    assert [lines(path) for path in sorted(Path("out").iterdir())] == [[1], [2]]


def test_what_was_written_of_a_batch_before_an_error_counts(fs):
    writer = fs(filebase="out/{groups[0]}")
    good, bad = records(0, 1)
    good.group_membership, bad.group_membership, bad["number"] = ("a",), ("b",), float("nan")
    with pytest.raises(DataError):
        writer.write_batch([good, bad])
    writer.finish_writing()
    writer.close()
    assert writer.get_metadata("items_count") == 1
    assert [path.name for path in Path("out").iterdir()] == ["a.jl"]


def test_a_writer_that_was_given_nothing_leaves_nothing(fs):
    writer = fs()
    writer.write_batch([])
    writer.flush()
    writer.finish_writing()
    writer.finish_writing()
    writer.close()
    fs().close()
    assert not Path("out").exists() or list(Path("out").iterdir()) == []


def test_records_go_to_the_files_of_their_groups(fs):
    writer = fs(filebase="out/{groups[0]}")
    grouper = of("groupers", "FileKeyGrouper")({"options": {"keys": ["colour"]}})
    writer.write_batch(grouper.group_batch(records(0, 1, 2)))
    writer.write_batch(records(5), ("blue",))
    writer.finish_writing()
    writer.close()
    assert {path.stem: lines(path) for path in Path("out").iterdir()} == {"red": [0, 2], "green": [1], "blue": [5]}


def test_a_limit_ends_it_with_the_last_record_written(fs):
    writer = fs(items_limit=3)
    writer.write_batch(records(0, 1))
    with pytest.raises(ItemsLimitReached, match="has written 3 records"):
        writer.write_batch(records(2, 3))
    with pytest.raises(ItemsLimitReached):
        writer.write_batch(records(4))
    writer.flush()
    writer.close()
    assert lines("out/part0000.jl") == [0, 1, 2]
    assert writer.get_metadata("items_count") == 3


def test_a_formatter_is_handed_to_the_writer(capsys):
    formatter = of("export_formatter", "JsonExportFormatter")({"options": {"jsonlines": False}})
    writer = of("writers", "ConsoleWriter")({}, of("meta", "ExportMeta")(None), export_formatter=formatter)
    writer.write_batch(records(1))
    writer.write_batch(records(2))
    writer.close()
    assert [item["number"] for item in json.loads(capsys.readouterr().out)] == [1, 2]


def test_the_console_ends_once(capsys):
    formatter = of("export_formatter", "JsonExportFormatter")({"options": {"jsonlines": False}})
    writer = of("writers", "ConsoleWriter")({}, None, formatter)
    writer.flush()
    writer.finish_writing()
    writer.close()
    assert json.loads(capsys.readouterr().out) == []


@pytest.fixture
def crate(tmp_path):
    """An author's writer, which is fed files."""

    class Crate(of("writers.base_writer", "BaseWriter")):
        supported_options = {"crate": {"type": str, "default": "crate"}}  # noqa: RUF012
        ended = 0

        def write(self, dump_path, group_key=None):
            with gzip.open(dump_path, "rt") as file, Path("-".join(group_key or ()) or "all").open("a") as crate:
                crate.write(file.read())

        def finish_writing(self):
            super().finish_writing()
            self.ended += 1

    return Crate


def test_a_writer_of_an_author_is_fed_files_by_hand(crate):
    writer = crate({})
    writer.write_batch(records(1, 2))
    writer.flush()
    writer.write_batch(records(3))
    writer.finish_writing()
    writer.close()
    assert (lines("all"), writer.ended) == ([1, 2, 3], 1)


def test_a_writer_of_an_author_is_fed_files_in_a_pipeline(crate):
    assert needs_files(crate)
    registry = ozzy.Registry.load()

    class Plugin:
        @staticmethod
        @ozzy.hookimpl
        def ozzy_write():
            return {"crate": crate}

    registry.register(Plugin)
    result = ozzy.run({"reader": {"name": "random", "options": {"number_of_items": 5}}, "writer": "crate"}, registry=registry)
    assert (result.records_written, Path("all").read_text().count("\n")) == (5, 5)


def test_a_subclass_of_a_built_in_writer_runs_in_a_pipeline():
    class Own(of("writers.fs_writer", "FSWriter")):
        def finish_writing(self):
            super().finish_writing()
            self.set_metadata("ended", value=True)

    registry = ozzy.Registry.load()

    class Plugin:
        @staticmethod
        @ozzy.hookimpl
        def ozzy_write():
            return {"own": Own}

    registry.register(Plugin)
    config = {
        "reader": {"name": "random", "options": {"number_of_items": 5, "seed": 1}},
        "grouper": {"name": "file_key", "options": {"keys": ["country_code"]}},
        "writer": {"name": "own", "options": {"filebase": "out/{groups[0]}", "compression": "none"}},
    }
    result = ozzy.run(config, registry=registry)
    assert sum(file.rows for file in result.files) == 5
    assert not [path for path in Path("out").iterdir() if path.name.startswith(".")]


def test_an_error_of_a_writer_leaves_it_usable(fs, monkeypatch):
    writer = fs()
    with pytest.raises(DataError):
        writer.write_batch([{"number": float("nan")}])
    writer.write_batch(records(1))
    writer.finish_writing()
    writer.close()
    assert lines("out/part0000.jl") == [1]
