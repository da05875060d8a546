"""A lease that is limited in time, with clocks that jump and stores that fail."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import attrs
import pytest

from ozzy import BaseSharedPersistence, StateError, StateLocation
from ozzy.contracts import documents
from ozzy.contracts.documents import Documents
from ozzy.contracts.lease import Owner, TimedLease, steady


class Clock:
    """A clock that only `pause` moves."""

    def __init__(self):
        self.at = 1000.0

    def __call__(self):
        return self.at

    def pause(self, seconds):
        self.at += seconds


pytestmark = pytest.mark.usefixtures("at_once")


@pytest.fixture
def lease(store):
    def make(clock=None):
        clock = clock or Clock()
        return TimedLease(Documents(store), "lease", 60.0, now=clock, pause=clock.pause)

    return make


def test_the_clock_goes_on():
    assert steady() <= steady()


def test_clocks_are_not_compared(lease):
    """The taker's clock is years behind that of the holder, and jumps: only what it sees itself counts."""
    ahead, behind = Clock(), Clock()
    ahead.at, behind.at = 4e9, 5.0
    first, second = lease(ahead), lease(behind)
    first.acquire(Owner("one"), 60.0)
    second.acquire(Owner("two"), 10.0)

    assert behind.at == pytest.approx(65.0)
    assert (first.epoch, second.epoch) == (1, 2)


@pytest.fixture
def ended():
    """The owner of a lease whose process has ended."""
    told = "from ozzy.contracts.lease import Owner; import attrs, json; print(json.dumps(attrs.asdict(Owner('one'))))"
    return Owner(**json.loads(subprocess.run([sys.executable, "-c", told], check=True, capture_output=True).stdout))


@pytest.mark.skipif(not Path("/proc/self/ns/pid").is_symlink(), reason="this system does not tell processes from each other")
def test_one_whose_process_has_ended_is_taken_at_once(lease, ended):
    clock = Clock()
    lease().acquire(ended, 60.0)

    assert lease(clock).acquire(Owner("two"), 60.0) == 2
    assert clock.at == 1000.0


@pytest.mark.parametrize("unknown", [{"space": "another"}, {"space": ""}, {"began": ""}])
def test_one_of_another_machine_or_boot_is_waited_for(lease, ended, unknown):
    clock = Clock()
    lease().acquire(attrs.evolve(ended, **unknown), 60.0)
    lease(clock).acquire(Owner("two"), 60.0)

    assert clock.at == pytest.approx(1060.0)


def test_a_number_that_another_process_has_now_is_no_sign_of_life(ended):
    assert not Owner("alive").gone()
    assert attrs.evolve(Owner("before"), began="1").gone() is bool(Owner("alive").space)


def test_a_process_that_may_not_be_asked_is_taken_for_alive(ended, mocker):
    mocker.patch("os.kill", side_effect=PermissionError)
    assert not ended.gone()


def test_a_document_of_before_names_its_owner(lease, store):
    first = lease()
    first.acquire(Owner("one", "vm", 1, "", ""), 60.0)
    assert first.noted() == {"epoch": 1, "run": "one", "host": "vm", "pid": 1, "held": True}


def test_who_renews_keeps_it(lease):
    first, clock = lease(), Clock()
    first.acquire(Owner("one"), 60.0)
    second = lease(clock)
    pause = clock.pause

    def renewing(seconds):
        pause(seconds)
        if clock.at > 1030:
            first.renew()

    second.pause = renewing
    with pytest.raises(StateError, match="this pipeline is running already: run one, process"):
        second.acquire(Owner("two"), 60.0)
    assert clock.at < 1040
    assert second.epoch == 0


def test_one_that_is_given_back_meanwhile_is_taken_at_once(lease):
    first, clock = lease(), Clock()
    first.acquire(Owner("one"), 60.0)
    second = lease(clock)
    second.pause = lambda seconds: (clock.pause(seconds), first.release())
    assert second.acquire(Owner("two"), 60.0) == 2
    assert clock.at < 1010
    first.release()
    second.check()


def test_who_is_faster_gets_it(lease, store):
    slow, fast = lease(), lease()
    read = store.read_document

    def meanwhile(key):
        store.read_document = read
        found = read(key)
        fast.acquire(Owner("fast"), 60.0)
        return found

    store.read_document = meanwhile
    with pytest.raises(StateError, match="running already: run fast"):
        slow.acquire(Owner("slow"), 60.0)


def test_a_holder_that_was_overtaken_is_refused_once_and_for_all(lease):
    clock = Clock()
    first, second = lease(clock), lease()
    first.acquire(Owner("one"), 60.0)
    second.acquire(Owner("two"), 60.0)
    second.name("two-and-a-half")

    for call in (first.check, first.renew, first.check):
        with pytest.raises(StateError, match="another run has taken over this pipeline: run two-and-a-half, process"):
            call()
    assert first.lost is not None
    first.release()
    second.check()
    assert second.noted()["held"]
    second.release()
    assert not second.noted()["held"]
    with pytest.raises(StateError, match="is not held by this process"):
        second.check()


def test_an_old_sign_of_life_is_renewed_before_it_counts(lease, store):
    clock = Clock()
    first = lease(clock)
    first.acquire(Owner("one"), 60.0)
    version = store.kept["lease"].version
    first.check()
    assert store.kept["lease"].version == version
    clock.pause(21)
    first.check()
    assert store.kept["lease"].version != version


def test_a_store_that_is_down_leaves_nobody_in_the_dark(lease, store):
    first = lease()
    first.acquire(Owner("one"), 60.0)
    store.failing = {"read": 100}
    with pytest.raises(StateError, match="can't read lease"):
        first.check()
    assert first.lost is None
    assert first.holder() == ""
    store.failing = {"write": 100}
    first.release()


def test_the_thread_renews_whatever_the_store_does(store):
    lease = TimedLease(Documents(store), "lease", 0.06)
    lease.take("one")
    store.failing = {"write": 5}
    version = store.count
    for _ in range(200):
        if store.count > version + 2:
            break
        threading.Event().wait(0.01)
    assert store.count > version + 2
    store.kept["lease"] = documents.Stored(store.kept["lease"].content, "another")
    for _ in range(200):
        if lease.lost is not None:
            break
        threading.Event().wait(0.01)
    assert lease.lost is not None
    lease.release()


def test_a_lease_nobody_ever_had(lease):
    assert lease().noted() == {"held": False}
    assert lease().holder() == ""


@pytest.mark.parametrize("method", ["read_document", "write_document", "list_documents", "delete_document"])
def test_a_persistence_says_what_it_lacks(method, tmp_path):
    persistence = BaseSharedPersistence({})
    arguments = {"write_document": ("a", b"", None)}.get(method, ("a",))
    with pytest.raises(NotImplementedError, match=rf"BaseSharedPersistence has no {method}\(\)"):
        getattr(persistence, method)(*arguments)
    persistence.open(StateLocation(tmp_path, "run", "pipeline", 3))
    assert (persistence.address(), persistence.uri("run"), persistence.documents.epoch) == ("BaseSharedPersistence", "", 3)
    with pytest.raises(StateError, match="does not name a run of the persistence BaseSharedPersistence"):
        persistence.options_from_uri("x://y")
