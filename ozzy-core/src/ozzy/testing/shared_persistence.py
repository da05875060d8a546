"""The suite of persistences whose state several machines share."""

import functools
import threading
import time
from pathlib import Path
from typing import Any, ClassVar

import attrs
import pytest

from ozzy import BaseSharedPersistence, StateError, StateLocation, Stored
from ozzy.contracts.documents import Documents
from ozzy.contracts.lease import Owner, TimedLease
from ozzy.contracts.shared_persistence import checkpoint_key, lease_key
from ozzy.testing.persistence import PersistenceContract
from ozzy.testing.process import in_child
from ozzy.testing.steps import Steps
from ozzy.testing.verdict import shown

_AT_ONCE = 6
_ROUNDS = 5
_BYTES = bytes(range(256)) * 4


class SharedPersistenceContract(PersistenceContract):
    """What a persistence promises beside `PersistenceContract` where machines share it: one holder at a time, and no stale one.

        class TestShelf(SharedPersistenceContract):
            module = ShelfPersistence
            options = {"shelf": "cellar"}

    Several objects with the same options, in one process and in several, are to mean the same store. `options` may be a fixture that
    makes a store for each test; a store that outlives one is fine too, since each test uses names of its own.
    """

    ttl: ClassVar[float] = 0.5
    """Seconds that leases last in these tests. Set it higher where a call to the store takes longer than a tenth of that."""
    module: ClassVar[type[BaseSharedPersistence]]

    @pytest.fixture(autouse=True)
    def with_names_of_its_own(self, with_folders_of_runs: None, tmp_path: Path) -> None:
        """A pipeline that no other test has used."""
        self.pipeline = f"pipeline {tmp_path}"
        self.made: list[Any] = []
        self.holders = 0

    @pytest.fixture(autouse=True)
    def closed_at_the_end(self, with_names_of_its_own: None) -> Any:
        """Objects that a test has made are closed after it."""
        yield
        for persistence in self.made:
            persistence.close()

    def location(self, run: str) -> StateLocation:
        return StateLocation(self.folder / "state" / run, run, self.pipeline)

    def exercise(self, module: Any) -> Any:
        found = super().exercise(module)
        module.lease(self.pipeline).acquire(Owner("run-1"), self.ttl)
        stored = [module.read_document(key) for key in module.list_documents("")]
        return found, stored, module.address(), module.uri("run-1")

    def store(self) -> BaseSharedPersistence:
        """An object of its own, as another process has one."""
        made: BaseSharedPersistence = self.make()
        self.made.append(made)
        return made

    def lease(self) -> TimedLease:
        """A lease as another process has one, not taken and not renewed by itself."""
        lease = self.store().lease(self.pipeline)
        lease.ttl = self.ttl
        return lease

    def garble(self) -> bool:
        store = self.store()
        key = checkpoint_key(self.pipeline, "run-1")
        found = store.read_document(key)
        if found is None:
            self.broken("what commit_position() has written is not what read_document() reads")
        store.write_document(key, found.content[: len(found.content) // 2], found.version)
        return True

    # Documents

    def test_a_document_is_what_was_written(self) -> None:
        """Every byte, empty and large ones too, under every kind of key; none where nothing was written."""
        writer, reader = self.store(), self.store()
        if writer.read_document(self._key("nothing")) is not None:
            self.broken("read_document() gives something for a key that was never written")
        for name, content in (("bytes", _BYTES), ("empty", b""), ("a/b-c_d.e/0001", b"x" * (2 << 20)), ("x" * 200, b"x")):
            key = self._key(name)
            version = writer.write_document(key, content, None)
            if version is None:
                self.broken(f"write_document() refuses to write where there is nothing, under the key {key:.80}")
            if reader.read_document(key) != Stored(content, version):
                self.broken(f"another object does not read what was written under the key {key:.80}, content and version")

    def test_a_write_counts_only_where_the_version_is_the_expected_one(self) -> None:
        """Another version, one that is older, none where there is one, one where there is none: refused, and nothing is changed."""
        store, key = self.store(), self._key("document")
        if store.write_document(key, b"0", "no such version") is not None or store.read_document(key) is not None:
            self.broken("write_document() writes where it expects a version and there is no document")
        first = store.write_document(key, b"1", None)
        second = store.write_document(key, b"2", first)
        if first is None or second is None:
            self.broken("write_document() refuses a write that expects the version there is")
        for expected, what in ((first, "an older version"), (None, "no document"), ("no such version", "a version that never was")):
            if store.write_document(key, b"3", expected) is not None:
                self.broken(f"write_document() accepts a write that expects {what} where there is a newer one")
        if self.store().read_document(key) != Stored(b"2", second):
            self.broken("a write that was refused has changed the document")

    def test_a_version_never_comes_back(self) -> None:
        """Not with the same content, nor after the document was deleted: who read it before would take it for unchanged."""
        store, key = self.store(), self._key("document")
        versions: list[str | None] = [store.write_document(key, b"1", None)]
        versions.append(store.write_document(key, b"2", versions[-1]))
        versions.append(store.write_document(key, b"1", versions[-1]))
        store.delete_document(key)
        versions.append(store.write_document(key, b"1", None))
        if len(set(versions)) != len(versions):
            self.broken(f"versions come back: {shown(versions)}")

    def test_of_several_writes_at_once_each_counts_once(self) -> None:
        """Objects that count up one number at the same time lose no step."""
        key = self._key("counter")
        self.store().write_document(key, b"0", None)
        failed: list[Exception] = []

        def count() -> None:
            store = self.store()
            try:
                for _ in range(_ROUNDS):
                    while True:
                        found = store.read_document(key)
                        assert found is not None
                        if store.write_document(key, str(int(found.content) + 1).encode(), found.version) is not None:
                            break
            except Exception as error:
                failed.append(error)

        self._at_once(count)
        if failed:
            self.broken(f"used from several threads, each with an object of its own, it fails: {failed[0]}")
        found = self.store().read_document(key)
        if found is None or int(found.content) != _AT_ONCE * _ROUNDS:
            self.broken(f"{_AT_ONCE * _ROUNDS} steps of counting, written where the version was the expected one, come to {shown(found)}")

    def test_documents_are_listed_by_the_beginning_of_their_keys(self) -> None:
        """All of them and no others, whatever characters a key has; deleted ones are gone."""
        store = self.store()
        names = ["a/1", "a/2", "a%1", "a_1", "ab/1", "A/1"]
        for name in names:
            store.write_document(self._key(name), b"", None)
        for prefix, wanted in (("a/", ["a/1", "a/2"]), ("a_", ["a_1"]), ("A", ["A/1"]), ("", names), ("b", [])):
            found = sorted(self.store().list_documents(self._key(prefix)))
            if found != sorted(map(self._key, wanted)):
                self.broken(f"list_documents() of {self._key(prefix)!r} gives {shown(found)}")
        store.delete_document(self._key("a/1"))
        store.delete_document(self._key("a/1"))
        if self.store().read_document(self._key("a/1")) is not None or self._key("a/1") in self.store().list_documents(self._key("a/")):
            self.broken("a document that was deleted is still there")

    # The lease

    def test_one_holds_the_lease(self) -> None:
        """Who comes second is told who has it, and nobody takes it from who renews it."""
        first, second = self.lease(), self.lease()
        first.take("run-1")
        try:
            second.acquire(Owner("run-2"), self.ttl)
        except StateError as error:
            if "run run-1" not in error.message:
                self.broken(f"the error does not name the run that holds the lease: {error}")
        else:
            self.broken("a lease that is renewed is given to a second holder")
        finally:
            first.release()
        if second.acquire(Owner("run-2"), self.ttl) != first.epoch + 1:
            self.broken("a lease that was released is taken again, and its epoch is not one more")

    def test_a_lease_runs_out(self) -> None:
        """Whose holder gives no sign of life is taken over, not before its time, under a higher epoch; the old one is refused."""
        first, second = self.lease(), self.lease()
        first.acquire(Owner("run-1"), self.ttl)
        began = time.monotonic()
        second.acquire(Owner("run-2"), self.ttl)
        if time.monotonic() - began < self.ttl * 0.9:
            self.broken("a lease is taken over before it has run out")
        if second.epoch != first.epoch + 1:
            self.broken(f"a lease is taken over under epoch {second.epoch}, after epoch {first.epoch}")
        for what, call in (("check()", first.check), ("renew()", first.renew)):
            self._refused(call, f"{what} of a lease that was taken over", "run run-2")
        first.release()
        try:
            second.check()
        except StateError as error:
            self.broken(f"who was taken over has taken the lease away by releasing it: {error}")

    def test_of_several_at_once_one_gets_the_lease(self) -> None:
        """And the others are told so."""
        held: list[TimedLease] = []
        failed: list[Exception] = []
        all_have_looked = threading.Barrier(_AT_ONCE)

        def take() -> None:
            lease = self.lease()
            _wait_after_reading(lease.documents.store, all_have_looked)
            try:
                held.append(lease.take("run"))
            except StateError as error:
                if "is running already" not in error.message:
                    failed.append(error)

        self._at_once(take)
        for lease in held:
            lease.release()
        if len(held) != 1 or failed:
            self.broken(f"of {_AT_ONCE} who take a lease at once {len(held)} get it" + (f"; {failed[0]}" if failed else ""))

    def test_a_stale_holder_commits_nothing(self) -> None:
        """Whose lease was taken over while it was on its way to the store: the document stays what the new one has found."""
        old = self._holder()
        old.generate_new_job()
        old.commit_position({"number": 1})
        new = self._holder()
        found = new.get_last_position()
        if found != {"number": 1}:
            self.broken(f"who takes over finds {shown(found)} instead of what was committed before")
        self._refused(lambda: old.commit_position({"number": 2}), "commit_position() under an older epoch", "another run has taken over")
        new.commit_position({"number": 3})
        self._refused(lambda: old.commit_position({"number": 4}), "commit_position() under an older epoch", "another run has taken over")
        self.holds({"number": 3}, "after a stale holder tried to commit")

    def test_a_stale_holder_can_not_commit_first(self) -> None:
        """Also where nothing was committed yet."""
        old, new = self._holder(), self._holder()
        if new.get_last_position() is not None:
            self.broken("a run without a commit has a document")
        self._refused(
            lambda: old.commit_position({"number": 1}), "the first commit_position(), under an older epoch", "another run has taken"
        )
        self.holds(None, "after a stale holder tried to commit first")

    def test_a_commit_whose_answer_was_lost_is_recognised(self) -> None:
        """The connection breaks after the store has written: the commit is done, and the next one follows it."""
        persistence = self._holder()
        write = persistence.write_document
        lost: list[str] = []

        def losing(key: str, content: bytes, expected: str | None) -> str | None:
            version = write(key, content, expected)
            if not lost:
                lost.append(key)
                raise StateError("the answer was lost")
            return version

        persistence.write_document = losing  # type: ignore[method-assign]
        for number in (1, 2):
            try:
                persistence.commit_position({"number": number})
            except Exception as error:
                self.broken(f"a commit whose answer was lost makes commit {number} fail: {type(error).__name__}: {error}")
        self.holds({"number": 2}, "after a commit whose answer was lost")

    def test_a_kill_while_the_lease_is_taken_leaves_it_to_others(self) -> None:
        """Killed before any step of taking, renewing and releasing it: the next one gets it, and epochs only rise."""
        before, log = 0, self.folder / "child.log"
        for last in range(1, 200):
            ended = in_child(functools.partial(self._take_and_release, last), log)
            if ended.failed:
                self.broken(f"taking a lease in a child process fails: {ended.reason}")
            lease = self.lease()
            try:
                epoch = lease.acquire(Owner("run-2"), self.ttl)
            except StateError as error:
                self.broken(f"killed before step {last} of taking a lease, nobody gets it any more: {error}")
            if epoch <= before:
                self.broken(f"killed before step {last} of taking a lease, the next one has epoch {epoch}, after {before}")
            before = epoch
            lease.release()
            if not ended.killed:
                return

    def _take_and_release(self, last: int) -> None:
        steps = Steps(last)
        lease = self.lease()
        with steps.watching(self.module):
            lease.acquire(Owner("run-1"), self.ttl)
            lease.name("run-1")
            lease.release()

    def test_a_uri_names_a_run(self) -> None:
        """Where it gives one, `uri_regex` finds the run in it."""
        persistence = self.store()
        uri = persistence.uri("run-1")
        if uri and persistence.options_from_uri(uri)[1] != "run-1":
            self.broken(f"options_from_uri() does not find the run in {uri}, which uri() gives")

    def _key(self, name: str) -> str:
        return f"{lease_key(self.pipeline)}-test/{name}"

    def _holder(self) -> BaseSharedPersistence:
        """One that has just taken the lease from whoever had it."""
        store, key = self.store(), lease_key(self.pipeline)
        self.holders += 1
        documents = Documents(store, self.holders)
        found = documents.read(key)
        facts = {"owner": attrs.asdict(Owner(f"run-{self.holders}")), "ttl": self.ttl, "serial": 1, "released": False}
        documents.write(key, facts, found.version if found is not None else None)
        store.open(attrs.evolve(self.location("run-1"), epoch=self.holders))
        return store

    def _refused(self, call: Any, what: str, words: str) -> None:
        try:
            call()
        except StateError as error:
            if words not in error.message:
                self.broken(f"{what} is refused without saying {words!r}: {error}")
        except Exception as error:
            self.broken(f"{what} raises {type(error).__name__} ({error}) instead of StateError")
        else:
            self.broken(f"{what} is not refused")

    def _at_once(self, work: Any) -> None:
        ready = threading.Barrier(_AT_ONCE)

        def go() -> None:
            ready.wait()
            work()

        threads = [threading.Thread(target=go) for _ in range(_AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def _wait_after_reading(store: Any, barrier: threading.Barrier) -> None:
    """Let the first read of a store end only when all others have read too."""
    read = store.read_document

    def once(key: str) -> Stored | None:
        found: Stored | None = read(key)
        store.read_document = read
        barrier.wait()
        return found

    store.read_document = once
