"""The benchmarks: the data is the same every time, outputs are told apart, figures are shown as they are."""

import gzip
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks import many_objects
from benchmarks.chart import WIDTH, chart
from benchmarks.compare import differences
from benchmarks.data import made, prepared
from benchmarks.jobs import JOBS, Contender, contenders
from benchmarks.measure import Measured, measured
from benchmarks.table import Row, head, table

JOB = "j2"


def test_the_records_are_the_same_every_time_and_some_lack_fields():
    records = list(made(2000))
    assert records == list(made(2000))
    kept = sum(record["country"] == "ES" or record.get("price", 0) > 50 for record in records) / len(records)
    assert 0.3 < kept < 0.5
    assert {name for record in records for name in ("brand", "price", "rating", "seller") if name not in record} == {
        "brand",
        "price",
        "rating",
        "seller",
    }


def test_data_is_made_once(tmp_path):
    pytest.importorskip("pyarrow")
    data = prepared(tmp_path, 100)
    parts = b"".join(gzip.decompress(path.read_bytes()) for path in sorted(data.parts.iterdir()))
    assert parts == data.lines.read_bytes()
    data.csv.unlink()
    assert not prepared(tmp_path, 100).csv.exists()


@pytest.mark.parametrize(
    ("theirs", "told"),
    [
        ('{"id":1,"a":94.0}\n', "the same bytes"),
        ('{"a":94.0,"id":1}\n', "the same records"),
        ('{"id":1,"a":94}\n', "94.0 → 94"),
        ('{"id":1,"a":94.0,"b":null}\n', "null for missing"),
        ('{"id":1}\n', "a left out"),
        ('{"id":1,"a":95.0}\n', "other values of a"),
        ('{"id":2,"a":94.0}\n', "records of its own"),
        ("", "0 records instead of 1"),
    ],
)
def test_what_differs_is_told_in_words(tmp_path, theirs, told):
    for name, text in (("ours", '{"id":1,"a":94.0}\n'), ("theirs", theirs)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "out.jsonl").write_text(text)
    assert differences(tmp_path / "ours", tmp_path / "theirs") == told


def test_times_in_csv_that_are_spelt_in_another_way(tmp_path):
    for name, time in (("ours", "2024-05-19T23:43:38Z"), ("theirs", "2024-05-19 23:43:38")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "out.csv").write_text(f"id,at\n1,{time}\n")
    assert differences(tmp_path / "ours", tmp_path / "theirs") == "times spelt in another way"


def test_every_config_is_valid_and_a_job_without_one_says_so(tmp_path):
    ours = {job: contenders(job, tmp_path)[0] for job in JOBS}
    assert [one.skipped for one in ours.values()] == [""] * len(JOBS)
    assert all(one.name == "ozzy" for one in ours.values())
    assert contenders("j0", tmp_path)[0].skipped == "no config yet"


def test_a_command_is_measured_and_its_failure_told(tmp_path):
    found = measured([sys.executable, "-c", "import time; x = bytearray(50_000_000); time.sleep(0.2)"], [0], {}, tmp_path / "log")
    assert found.wall >= 0.2
    assert found.memory > 45_000_000
    assert not found.failed
    assert measured([sys.executable, "-c", "raise SystemExit('no')"], [0], {}, tmp_path / "log").failed == "no"


def test_table_and_chart_show_medians_and_reasons():
    rows = [
        Row(Contender(JOB, "ozzy", ("x",)), [Measured(wall, 1.0, 2**20) for wall in (1.0, 9.0, 2.0)]),
        Row(Contender(JOB, "duckdb", ("x",)), [Measured(3.0, 2.0, 2**21)], "null for missing"),
        Row(Contender(JOB, "dlt", skipped="not installed"), []),
    ]
    assert table(JOB, rows).splitlines()[-3:] == [
        "| ozzy | 2.00 s | 1.00 s | 1 MiB | 1.00 |  |",
        "| duckdb | 3.00 s | 2.00 s | 2 MiB | 1.50 | null for missing |",
        "| dlt | | | | | not run: not installed |",
    ]
    assert "1,000 records, 2 processors" in head(1000, 2)
    texts = [node.text for node in ET.fromstring(chart({JOB: rows}, 1000)).iter("{http://www.w3.org/2000/svg}text")]
    assert texts[:2] == [JOBS[JOB], "ozzy"]
    assert "dlt" not in texts


def test_the_longest_texts_fit_into_the_chart():
    """A letter of the chart is some 6.5 wide, a bold one 7.8."""
    slow = Row(Contender(JOB, "ozzy, no checkpoint on the way", ("x",)), [Measured(104.79, 104.24, 1344 * 2**20)])
    fast = Row(Contender(JOB, "duckdb", ("x",)), [Measured(1.0, 1.0, 2**20)])
    for node in ET.fromstring(chart({JOB: [slow, fast]}, 1000)).iter("{http://www.w3.org/2000/svg}text"):
        x, size = float(node.get("x")), len(node.text) * (7.8 if node.get("font-weight") else 6.5)
        assert (x >= size) if node.get("text-anchor") else (x + size <= WIDTH)


def test_memory_is_told_for_each_job_and_size():
    script = Path(many_objects.__file__).with_name("memory.py")
    command = [sys.executable, script, "--jobs", "j2", "j3", "--records", "10", "1000", "--processors", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [["j2", "10"], ["j3", "10"], ["j2", "1,000"], ["j3", "1,000"]]
    assert done.stdout.count("MiB") == 4


@pytest.mark.slow
def test_very_many_objects_are_read_once_each():
    """The script fails by itself where one is missing, or where memory grows with their number."""
    script = Path(many_objects.__file__)
    done = subprocess.run([sys.executable, script, "--keys", "1500", "6000"], capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("each read once") == 2
