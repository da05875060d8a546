"""Persistences, stats managers and notifiers that are wrong, each in one way."""
# ruff: noqa: E501, RUF012

import json
import os

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


class HasOneAlready(Plain):
    """A new run has a document."""

    def get_last_position(self):
        return super().get_last_position() or {"number": 0}


class TestHasOneAlready(PersistenceContract):
    module = HasOneAlready
    says = {"test_a_new_run_has_no_document": r"a new run has the document \{\"number\": 0\} before anything was committed"}


class GivesBackAnother(Plain):
    """Gives back what it has not been given."""

    def get_last_position(self):
        found = super().get_last_position()
        return found and {**found, "read": True}


class TestGivesBackAnother(PersistenceContract):
    module = GivesBackAnother
    says = {"test_what_was_committed_is_found_by_another_process": r"it gives back .* instead of"}


class TheLastOfAll(Plain):
    """A commit of one run is one of every run."""

    def commit_position(self, last_position):
        for folder in self.location.folder.parent.iterdir():
            (folder / "document.json").write_text(json.dumps(last_position))


class TestTheLastOfAll(PersistenceContract):
    module = TheLastOfAll
    says = {"test_runs_are_kept_apart": r"a run finds the document of another one"}


class OfTheYounger(Plain):
    """The document of the second run is taken for that of the first."""

    def get_last_position(self):
        younger = self.location.folder.parent / "run-2" / "document.json"
        return json.loads(younger.read_text()) if younger.exists() else super().get_last_position()


class TestOfTheYounger(PersistenceContract):
    module = OfTheYounger
    says = {"test_runs_are_kept_apart": r"a commit of one run changes the document of another"}


class BareTypeError(Plain):
    """What has no form in JSON is a TypeError."""

    def commit_position(self, last_position):
        self.file.write_text(json.dumps(last_position))


class TestBareTypeError(PersistenceContract):
    module = BareTypeError
    says = {"test_what_has_no_form_in_json_is_refused": r"makes it raise TypeError \(.*\) instead of StateError"}


class WithoutAWord(Plain):
    """Its errors say nothing."""

    def get_last_position(self):
        try:
            return super().get_last_position()
        except ValueError as error:
            raise StateError("") from error


class TestWithoutAWord(PersistenceContract):
    module = WithoutAWord
    says = {"test_damaged_state_is_an_error": r"document.json was emptied, and its StateError says nothing"}


class OnlyInTheParent(Plain):
    """Can't commit in another process than the one that imported it."""

    process = os.getpid()

    def commit_position(self, last_position):
        if os.getpid() != self.process:
            raise StateError("not in this process")
        super().commit_position(last_position)


class TestOnlyInTheParent(PersistenceContract):
    module = OnlyInTheParent
    says = {"test_a_kill_in_a_commit_leaves_the_old_or_the_new": r"a commit in a child process fails: StateError: not in this process"}


class NoPattern(Plain):
    """Its uri_regex is none."""

    uri_regex = "plain://("


class TestNoPattern(PersistenceContract):
    module = NoPattern
    says = {"test_it_can_be_found_by_its_uri": r"its uri_regex 'plain://\(' is no regular expression"}
