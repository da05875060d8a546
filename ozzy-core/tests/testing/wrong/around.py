"""Persistences, stats managers and notifiers that are wrong, each in one way."""
# ruff: noqa: E501, RUF012

import json

from ozzy import BaseNotifier, BasePersistence, BaseStatsManager, StateError
from ozzy.testing import NotifierContract, PersistenceContract, StatsManagerContract


class Plain(BasePersistence):
    """Writes its document into a file: not whole after a kill, and without a checksum."""

    @property
    def file(self):
        return self.location.folder / "document.json"

    def generate_new_job(self):
        return self.location.run

    def get_last_position(self):
        return json.loads(self.file.read_text()) if self.file.exists() else None

    def commit_position(self, last_position):
        try:
            text = json.dumps(last_position)
        except TypeError as error:
            raise StateError("no JSON") from error
        with self.file.open("w") as file:
            file.write(text)


class TestPlain(PersistenceContract):
    module = Plain
    says = {
        "test_a_kill_in_a_commit_leaves_the_old_or_the_new": r"killed before step \d+ of a commit",
        "test_damaged_state_is_an_error": r"document.json was emptied, and it raises JSONDecodeError .* instead of StateError",
        "test_failures_speak_to_the_user": r"when it fails it raises PermissionError .* instead of StateError",
    }


class InTwoSteps(Plain):
    """Deletes the old document, then writes the new one."""

    def commit_position(self, last_position):
        text = json.dumps(last_position)
        self.file.unlink(missing_ok=True)
        self.file.with_suffix(".new").write_text(text)
        self.file.with_suffix(".new").rename(self.file)


class TestInTwoSteps(PersistenceContract):
    module = InTwoSteps
    says = {
        "test_a_kill_in_a_commit_leaves_the_old_or_the_new": r"killed before step \d of a commit, the document is neither the old nor the new one: null"
    }


class NothingThere(Plain):
    """Takes whatever it can't read for nothing."""

    def get_last_position(self):
        try:
            return super().get_last_position()
        except (OSError, ValueError):
            return None


class TestNothingThere(PersistenceContract):
    module = NothingThere
    says = {
        "test_damaged_state_is_an_error": r"document.json was emptied, and it gives null as if nothing had happened: raise a StateError"
    }


class InItsOwnMemory(Plain):
    """Keeps the document in itself."""

    document = None

    def get_last_position(self):
        return self.document

    def commit_position(self, last_position):
        self.document = last_position


class TestInItsOwnMemory(PersistenceContract):
    module = InItsOwnMemory
    says = {
        "test_what_was_committed_is_found_by_another_process": r"asked by a new object while the old one is open, it finds nothing: the run would begin again",
        "test_what_has_no_form_in_json_is_refused": r"it accepts a document that has no form in JSON",
    }


class OneForAllRuns(Plain):
    """All runs share one document."""

    @property
    def file(self):
        return self.location.folder.parent / "document.json"


class TestOneForAllRuns(PersistenceContract):
    module = OneForAllRuns
    says = {"test_runs_are_kept_apart": r"a run finds the document of another one"}


class AlmostEqual(Plain):
    """What comes back is sorted, and tuples for lists."""

    def commit_position(self, last_position):
        self.file.write_text(json.dumps(last_position, sort_keys=True))


class TestAlmostEqual(PersistenceContract):
    module = AlmostEqual
    says = {"test_what_was_committed_is_found_by_another_process": r"asked by a new object while the old one is open, it gives"}


class ChangesTheStats(BaseStatsManager):
    """Counts in what it is told."""

    def iteration_report(self, times, stats):
        times["total"] = sum(times.values())


class TestChangesTheStats(StatsManagerContract):
    module = ChangesTheStats
    says = {"test_it_changes_nothing_it_is_told": r"it changes the times or counts it is told: take a copy"}


class WantsEveryStage(BaseStatsManager):
    """Counts on each stage being there."""

    def iteration_report(self, times, stats):
        self.read = times["read"]


class TestWantsEveryStage(StatsManagerContract):
    module = WantsEveryStage
    says = {"test_it_can_be_told_of_any_run": r"KeyError: 'read'"}


class OneLine(BaseNotifier):
    """Sends the first line only, of what it is not told."""

    def notify_start_dump(self, receivers=None):
        """Nothing."""

    def notify_failed_job(self, msg, stack_trace, receivers=None):
        (self.path("bell.txt")).write_text("it failed")


class TestOneLine(NotifierContract):
    module = OneLine
    says = {"test_what_it_is_told_arrives": r"the reason why a run failed is not in what it sends: \[\"it failed\"\]"}

    def sent(self):
        return [path.read_text() for path in self.folder.glob("bell.txt")]


class WantsAList(BaseNotifier):
    """Counts on receivers being a list."""

    def notify_start_dump(self, receivers=None):
        self.count = len(receivers)


class TestWantsAList(NotifierContract):
    module = WantsAList
    says = {"test_it_takes_every_message": r"TypeError: object of type 'NoneType' has no len\(\)"}
