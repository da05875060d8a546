"""The kill suite's own workings."""

import json
from pathlib import Path

import pytest

from ozzy.testing import KillContract, LedgerWriter, ScriptedReader, kill
from ozzy.testing.attempt import Attempt, Job, sections
from ozzy.testing.kill import _spread


def config(**more):
    return {
        "name": "attempt",
        "reader": {"name": "under_test", "options": {"count": 12, "batch_size": 4}},
        "writer": {"name": "fs", "options": {"filebase": "{attempt}/part", "compression": "none"}},
        "checkpoint": {"every_records": 4},
        **more,
    }


def ids(folder: Path):
    return [json.loads(line)["id"] for path in sorted(folder.rglob("*.jl")) for line in path.read_text().splitlines()]


def test_a_job_runs_and_tells_of_its_steps_and_checkpoints(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    attempt = Attempt("one", config(), {"under_test": ScriptedReader}, tmp_path / "base")

    Job(attempt.config, attempt.modules, attempt.folder, attempt.state, attempt.out)()

    report = attempt.report()
    assert ids(attempt.folder / "one") == list(range(12))
    assert report.records_read == 12
    assert [name for name in report.steps if name.startswith("before p")] == ["before prepare()"] * 4 + ["before publish()"]
    assert [document["kind"] for document in attempt.documents()] == ["light"] * 3 + ["full"] * 2


def test_a_job_goes_on_from_the_document_it_is_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    attempt = Attempt("one", config(), {"under_test": ScriptedReader}, tmp_path / "base")
    calm = Attempt("calm", config(), {"under_test": ScriptedReader}, tmp_path / "base")
    assert calm.go().status == 0
    last = max(number for number, name in enumerate(calm.report().steps, 1) if name == "before prepare()")
    assert attempt.go(last=last).killed
    first = attempt.documents()[0]

    Job(attempt.config, attempt.modules, attempt.folder, attempt.state, attempt.out, document=first)()

    assert ids(attempt.folder / "one") == list(range(12))
    assert attempt.report().records_read == 12
    assert first["place"]["position"] == 4


def test_the_last_line_of_documents_may_be_cut(tmp_path):
    attempt = Attempt("one", config(), {}, tmp_path)
    assert attempt.documents() == []
    (attempt.out / "documents.jsonl").write_text('{"number": 1}\n{"numb')

    assert attempt.documents() == [{"number": 1}]


def test_several_writers_and_a_persistence_are_watched():
    found = sections({"reader": "a", "writer": [{"name": "b"}, {"name": "c"}], "persistence": {"name": "d"}})

    assert found == [("reader", "a"), ("writer", "b"), ("writer", "c"), ("persistence", "d")]


@pytest.mark.parametrize(
    ("numbers", "count", "chosen"), [([1, 2, 3], 5, [1, 2, 3]), (list(range(1, 101)), 3, [1, 50, 100]), ([1, 2, 3], 1, [1]), ([], 2, [])]
)
def test_steps_are_spread_over_the_run(numbers, count, chosen):
    assert _spread(numbers, count) == chosen


class TestKillInNewProcesses(KillContract):
    """Where children can't be forked, they start anew."""

    reader = {"name": ScriptedReader, "options": {"count": 20, "batch_size": 6}}  # noqa: RUF012
    fork = False
    kills = 2
    moments = 1


class TestKillSeveralWriters(KillContract):
    """Each record arrives once at each of them."""

    writer = [  # noqa: RUF012
        {"name": "fs", "label": "plain", "options": {"filebase": "plain/part", "compression": "none"}},
        {"name": "ledger", "label": "ledger", "options": {"path": ".ledger.sqlite"}},
    ]
    kills = 6
    moments = 1
    same_bytes = True

    def oracle(self):
        ledger = [f"ledger {record['id']}" for record in LedgerWriter.records(self.here / ".ledger.sqlite")]
        return [*super().oracle(), *ledger]


class TestAFixtureGivesTheSection(KillContract):
    kills = 0
    moments = 1

    @pytest.fixture
    def reader(self, tmp_path):
        return {"name": "scripted", "options": {"count": 9}}

    def test_the_number_of_kills_is_what_the_environment_says(self, monkeypatch):
        self.steps = [f"step {number}" for number in range(50)]
        asked = []
        for kills in ("all", "7", "500"):
            monkeypatch.setattr(kill, "ASKED", kills)
            asked.append(len(self._chosen()))

        assert asked == [50, 7, 50]
