"""The flows of the inherited tutorials, from configs as they were written then: class paths, exporter_options, one JSON file.

Sources and destinations that need a service are files here; everything else is as it was.
"""

import csv
import gzip
import json
import os
import signal
import subprocess
import sysconfig
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import ozzy

RECORDS = 1000


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """What was read from a topic then: JSON lines of companies, compressed."""
    folder = tmp_path / "topic"
    folder.mkdir()
    for part in range(4):
        lines = [
            {
                "_key": f"{number:04}",
                "country": ["US", "España", "UK", None][number % 4],
                "profile": {"name": f"Fuentes y Señal {number}", "founded": 1900 + number % 100},
                "tags": ["a", "b"] if number % 2 else [],
            }
            for number in range(part * 250, part * 250 + 250)
        ]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / f"part-{part}.jl.gz").write_bytes(gzip.compress(text.encode()))
    return folder


class Command:
    """`ozzy` in a folder, with configs given as JSON files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        ours = ("OZZY_", "EXPORTERS_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        path = os.pathsep.join([sysconfig.get_path("scripts"), kept.get("PATH", os.defpath)])
        self.environment = kept | {"PATH": path, "PYTHONPATH": str(folder)}

    def __call__(self, *arguments: str, **config: Any) -> subprocess.CompletedProcess[str]:
        if config:
            (self.folder / "export.json").write_text(json.dumps(config), encoding="utf-8")
        return subprocess.run(
            ["ozzy", *arguments], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False, timeout=120
        )


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path)


def lines_of(*paths: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in paths for line in gzip.decompress(path.read_bytes()).decode().splitlines()]


# The simple export


@pytest.mark.parametrize("root", ["exporters", "ozzy"])
def test_the_simplest_config_prints_its_records(root: str, command: Command) -> None:
    done = command(
        "run",
        "export.json",
        reader={"name": f"{root}.readers.random_reader.RandomReader", "options": {"number_of_items": 1000, "batch_size": 10}},
        writer={"name": f"{root}.writers.console_writer.ConsoleWriter", "options": {}},
    )

    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr
    assert [record["key"] for record in records] == list(range(1000))
    assert {record["country_code"] for record in records} == {"es", "uk", "us"}


def test_the_first_tutorial_reads_filters_and_writes_dated_files(exported: Path, command: Command, tmp_path: Path) -> None:
    done = command(
        "run",
        "export.json",
        reader={"name": "exporters.readers.fs_reader.FSReader", "options": {"batch_size": 100, "input": {"dir": str(exported)}}},
        filter={
            "name": "exporters.filters.key_value_regex_filter.KeyValueRegexFilter",
            "options": {"keys": [{"name": "country", "value": "US"}]},
        },
        writer={"name": "exporters.writers.fs_writer.FSWriter", "options": {"filebase": "out/%Y-%m-%d/companies-"}},
        exporter_options={
            "log_level": "DEBUG",
            "logger_name": "export-pipeline",
            "formatter": {"name": "exporters.export_formatter.json_export_formatter.JsonExportFormatter", "options": {}},
            "notifications": [{"name": "exporters.notifications.webhook_notifier.WebhookNotifier", "options": {"endpoints": []}}],
        },
    )

    assert done.returncode == 0, done.stderr
    assert "logger_name: accepted without effect" in done.stderr
    (file,) = (tmp_path / "out").rglob("*.gz")
    assert file.name == "companies-0000.jl.gz"
    datetime.strptime(file.parent.name, "%Y-%m-%d")
    assert [record["_key"] for record in lines_of(file)] == [f"{number:04}" for number in range(0, RECORDS, 4)]


def test_without_filters_a_group_and_a_csv_go_into_numbered_files(exported: Path, command: Command, tmp_path: Path) -> None:
    done = command(
        "run",
        "export.json",
        reader={"name": "exporters.readers.fs_reader.FSReader", "options": {"input": str(exported / "part-0.jl.gz")}},
        grouper={"name": "exporters.groupers.file_key_grouper.FileKeyGrouper", "options": {"keys": ["country"]}},
        writer={
            "name": "exporters.writers.fs_writer.FSWriter",
            "options": {
                "filebase": "out/{groups[0]}/data-{file_number:02d}",
                "items_per_buffer_write": 40,
                "compression": "none",
                "generate_md5": True,
            },
        },
        exporter_options={
            "formatter": {
                "name": "exporters.export_formatter.csv_export_formatter.CSVExportFormatter",
                "options": {"fields": ["_key", "country"], "show_titles": True},
            }
        },
    )

    assert done.returncode == 0, done.stderr
    counts: Counter[str] = Counter()
    for path in sorted((tmp_path / "out").rglob("*.csv")):
        rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
        assert len(rows) <= 40
        counts[path.parent.name] += len(rows)
    assert counts == {"US": 63, "España": 63, "UK": 62, "unknown": 62}
    assert (tmp_path / "out/US/data-01.csv").exists()
    assert len((tmp_path / "out/md5checksum.md5").read_text(encoding="utf-8").splitlines()) == 8


def test_a_second_export_overwrites_as_it_did_and_says_so(exported: Path, command: Command, tmp_path: Path) -> None:
    config = {
        "reader": {"name": "exporters.readers.fs_reader.FSReader", "options": {"input": str(exported)}},
        "writer": {"name": "exporters.writers.fs_writer.FSWriter", "options": {"filebase": "out/all"}},
    }
    first = command("run", "export.json", **config)
    again = command("run", "export.json")

    assert (first.returncode, again.returncode) == (0, 0)
    assert "existing files are overwritten, as the inherited system did" in again.stderr
    assert len(lines_of(tmp_path / "out/all0000.jl.gz")) == RECORDS


# Resuming


DIES = """
import os
import signal
from pathlib import Path
from ozzy.transform.base_transform import BaseTransform


class Dies(BaseTransform):
    supported_options = {"at": {"type": str}}

    def transform_batch(self, batch):
        for item in batch:
            if item["_key"] == self.read_option("at") and not Path("died").exists():
                Path("died").touch()
                os.kill(os.getpid(), signal.SIGKILL)
            item["seen"] = True
            yield item
"""


def resumed_config(exported: Path, at: str = "never", **more: Any) -> dict[str, Any]:
    return {
        "reader": {"name": "exporters.readers.fs_reader.FSReader", "options": {"batch_size": 50, "input": {"dir": str(exported)}}},
        "transform": {"name": "dies.Dies", "options": {"at": at}},
        "writer": {
            "name": "exporters.writers.fs_writer.FSWriter",
            "options": {"filebase": "out/resumed", "items_per_buffer_write": 300, "check_consistency": True},
        },
        "exporter_options": {"log_level": "INFO", "resume": False},
        "checkpoint": {"every_records": 100},
    } | more


@pytest.mark.parametrize("at", ["0000", "0333", "0950", "0999"])
def test_a_killed_export_is_resumed_without_loss_and_without_doubles(exported: Path, command: Command, tmp_path: Path, at: str) -> None:
    (tmp_path / "dies.py").write_text(DIES, encoding="utf-8")
    config = resumed_config(exported, at)
    killed = command("run", "export.json", **config)
    assert killed.returncode == -signal.SIGKILL
    refused = command("run", "export.json")
    assert refused.returncode == 7
    assert "--resume" in refused.stderr

    done = command("run", "export.json", "--resume")

    assert done.returncode == 0, done.stderr
    files = sorted((tmp_path / "out").glob("*"))
    assert [path.name for path in files] == [f"resumed000{number}.jl.gz" for number in range(4)]
    assert [record["_key"] for record in lines_of(*files)] == [f"{number:04}" for number in range(RECORDS)]
    assert command("run", "export.json", "--resume").stderr.count("finished") >= 1
    after_the_kill = [path.read_bytes() for path in files]
    calm = command("run", "export.json", "--fresh", **resumed_config(exported, at))
    assert calm.returncode == 0, calm.stderr
    assert [path.read_bytes() for path in files] == after_the_kill


def test_resuming_by_id_needs_no_config_file(exported: Path, command: Command, tmp_path: Path) -> None:
    (tmp_path / "dies.py").write_text(DIES, encoding="utf-8")
    assert command("run", "export.json", **resumed_config(exported, "0500")).returncode == -signal.SIGKILL
    run = json.loads(command("runs", "list", "--json").stdout)[0]["run"]
    (tmp_path / "export.json").unlink()

    done = command("resume", run)

    assert done.returncode == 0, done.stderr
    assert len(lines_of(*sorted((tmp_path / "out").glob("*")))) == RECORDS


def test_a_config_of_the_old_resume_says_what_to_do_now(exported: Path, command: Command) -> None:
    config = resumed_config(
        exported, persistence={"name": "exporters.persistence.pickle_persistence.PicklePersistence", "options": {"file_path": "state"}}
    )
    del config["transform"]
    config["exporter_options"] = {"resume": True, "persistence_state_id": "0f9e"}
    done = command("run", "export.json", **config)
    assert done.returncode == 0, done.stderr
    assert "exporter_options.resume: accepted without effect, resume with `ozzy run --resume`" in done.stderr
    assert "the persistence pickle keeps its state as JSON" in done.stderr


# Filters and transforms


FILTERS_AND_TRANSFORMS: list[tuple[dict[str, Any], list[Any]]] = [
    (
        {
            "filter_before": {
                "name": "exporters.filters.key_value_filters.KeyValueFilter",
                "options": {"keys": [{"name": "profile.founded", "value": [1901, 1902], "operator": "in"}]},
            },
            "transform": {
                "name": "exporters.transform.pythonexp_transform.PythonexpTransform",
                "options": {"python_expressions": ["item.update({'name': item['profile']['name'].upper()})", "item.pop('profile')"]},
            },
            "filter_after": {
                "name": "exporters.filters.pythonexp_filter.PythonexpFilter",
                "options": {"python_expression": "item['country'] is not None and item['name'].endswith('1')"},
            },
        },
        [
            {"_key": f"{number:04}", "country": "España", "tags": ["a", "b"], "name": f"FUENTES Y SEÑAL {number}"}
            for number in range(1, RECORDS, 100)
        ],
    ),
    (
        {
            "filter": {
                "name": "exporters.filters.key_value_filter.KeyValueFilter",
                "options": {"keys": [{"name": "country", "value": "UK"}, {"name": "_key", "value": "00", "operator": "contains"}]},
            },
            "transform": {
                "name": "exporters.transform.jq_transform.JQTransform",
                "options": {"jq_filter": "select(.profile.founded < 1920) | {key: ._key, founded: .profile.founded}"},
            },
        },
        [{"key": f"{number:04}", "founded": 1900 + number} for number in range(2, 20, 4)],
    ),
    (
        {
            "filter": {"name": "exporters.filters.dupe_filter.DupeFilter", "options": {"key_field": "country"}},
            "transform": {
                "name": "exporters.transform.pythonmap.PythonMapTransform",
                "options": {"map": "{'country': item['country'], 'decade': item['profile']['founded'] // 10 * 10}"},
            },
        },
        [{"country": "US", "decade": 1900}, {"country": "España", "decade": 1900}, {"country": "UK", "decade": 1900}]
        + [{"country": None, "decade": 1900 + number % 100 // 10 * 10} for number in range(3, RECORDS, 4)],
    ),
    (
        {
            "filter": {
                "name": "exporters.filters.key_value_regex_filter.KeyValueRegexFilter",
                "options": {"keys": [{"name": "_key", "value": "000[12]"}]},
            },
            "transform": {
                "name": "exporters.transform.flatson_transform.FlatsonTransform",
                "options": {
                    "flatson_schema": {
                        "type": "object",
                        "properties": {
                            "profile": {"type": "object", "properties": {"founded": {"type": "integer"}, "name": {"type": "string"}}},
                            "tags": {"type": "array", "items": {"type": "string"}},
                        },
                    }
                },
            },
        },
        [
            {"profile.founded": 1901, "profile.name": "Fuentes y Señal 1", "tags": '["a","b"]'},
            {"profile.founded": 1902, "profile.name": "Fuentes y Señal 2", "tags": "[]"},
        ],
    ),
]


@pytest.mark.parametrize(("sections", "expected"), FILTERS_AND_TRANSFORMS, ids=["python_exp", "jq", "python_map", "flatson"])
def test_filters_and_transforms_as_they_were_written(
    sections: dict[str, Any], expected: list[Any], exported: Path, command: Command, tmp_path: Path
) -> None:
    done = command(
        "run",
        "export.json",
        reader={"name": "exporters.readers.fs_reader.FSReader", "options": {"input": {"dir": str(exported)}}},
        writer={"name": "exporters.writers.fs_writer.FSWriter", "options": {"filebase": "out/x"}},
        stats_manager={"name": "exporters.stats_managers.logging_stats_manager.LoggingStatsManager", "options": {}},
        exporter_options={"forced_reads": True, "prevent_bypass": True, "disable_retries": True},
        **sections,
    )

    assert done.returncode == 0, done.stderr
    assert lines_of(tmp_path / "out/x0000.jl.gz") == expected


def test_a_sample_and_statistics_as_they_were_written(exported: Path) -> None:
    reader = {"name": "exporters.readers.fs_reader.FSReader", "options": {"input": {"dir": str(exported)}}}
    sample = {
        "name": "exporters.writers.fs_writer.FSWriter",
        "options": {
            "filebase": str(exported.parent / "out/sample"),
            "write_buffer": "exporters.write_buffers.reservoir_sampling_buffer.ReservoirSamplingWriteBuffer",
            "write_buffer_options": {"sample_size": 7},
        },
    }
    result = ozzy.run({"reader": reader, "writer": sample, "exporter_options": {}})
    assert (result.records_read, result.records_written) == (RECORDS, 7)
    assert len({record["_key"] for record in lines_of(exported.parent / "out/sample0000.jl.gz")}) == 7

    counted = ozzy.run(
        {"reader": reader, "writer": {"name": "exporters.writers.aggregation_stats_writer.AggregationStatsWriter", "options": {}}}
    )
    assert counted.summaries["writer"]["fields"]["country"] == {"occurrences": RECORDS, "coverage": 100.0}


def test_the_library_starts_an_export_as_it_did(exported: Path, tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_text(
        json.dumps(
            {
                "reader": {"name": "ozzy.readers.fs_reader.FSReader", "options": {"input": {"dir": str(exported)}}},
                "writer": {"name": "ozzy.writers.fs_writer.FSWriter", "options": {"filebase": str(tmp_path / "out/x"), "items_limit": 5}},
                "deserializer": {"name": "exporters.deserializers.JsonLinesDeserializer"},
                "decompressor": {"name": "exporters.decompressors.ZLibDecompressor"},
            }
        )
    )
    exporter = ozzy.BasicExporter.from_file_configuration(path)
    exporter.export()

    assert [record["_key"] for record in lines_of(tmp_path / "out/x0000.jl.gz")] == [f"{number:04}" for number in range(5)]
