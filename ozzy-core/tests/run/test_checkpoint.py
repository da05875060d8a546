"""The protocol, with destinations that are simple enough to be trusted: whatever ends a process at any step, each row comes once."""

import json
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozzy.contracts.persistence import BasePersistence
from ozzy.contracts.writer import BaseWriter, Outcome, Staging
from ozzy.errors import BooksError, DestinationError, StateError
from ozzy.run.checkpoint import FORMAT, Checkpoints, published_files

ROWS = 9


class Killed(BaseException):
    """Stands for kill -9: nothing in the process handles it."""


@attrs.define
class World:
    """What outlives a process. `step` is called before whatever changes it, and ends the process when its number comes."""

    kill_at: int = -1
    steps: int = 0
    document: str | None = None
    staged: dict[str, dict[str, list[int]]] = attrs.field(factory=dict)
    published: dict[str, dict[str, list[int]]] = attrs.field(factory=dict)
    rows: dict[str, list[int]] = attrs.field(factory=dict)
    numbers: dict[str, int] = attrs.field(factory=dict)
    log: list[str] = attrs.field(factory=list)

    def step(self, what: str) -> None:
        if self.steps == self.kill_at:
            raise Killed(what)
        self.steps += 1
        self.log.append(what)

    def restart(self, kill_at: int = -1) -> None:
        self.steps, self.kill_at = 0, kill_at

    def lose_staged(self) -> None:
        """The run goes on on another machine, where nothing is staged."""
        for files in self.staged.values():
            files.clear()


class Slot(BasePersistence):
    """One slot of state."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    def get_last_position(self):
        return None if self.world.document is None else json.loads(self.world.document)

    def commit_position(self, last_position):
        self.world.step(f"save {last_position['kind']} {last_position['number']} {last_position['phase']}")
        self.world.document = json.dumps(last_position)


class Pile(BaseWriter):
    """Durable: an open file of rows, finished at a full checkpoint, moved at publishing."""

    staging = Staging.DURABLE

    def __init__(self, world: World, label: str) -> None:
        super().__init__()
        self.world, self.label = world, label
        self.staged = world.staged.setdefault(label, {})
        self.published = world.published.setdefault(label, {})
        self.open: list[int] = []
        self.number = 0

    def write_batch(self, batch, group_key=None):
        self.open += batch

    def prepare(self, final):
        self.world.step(f"{self.label} stages")
        self.staged[f"file-{self.number}"] = list(self.open)
        receipt = {
            "final": final,
            "file": f"file-{self.number}",
            "rows": list(self.open) if final else len(self.open),
            "number": self.number,
        }
        if final:
            self.open, self.number = [], self.number + 1
        return receipt

    def publish(self, receipt):
        file = receipt["file"]
        if file in self.staged:
            self.world.step(f"{self.label} publishes {file}")
            assert self.published.get(file, receipt["rows"]) == receipt["rows"], "published over something else"
            self.published[file] = receipt["rows"]
            self.world.step(f"{self.label} unstages {file}")
            del self.staged[file]
        assert self.published[file] == receipt["rows"]

    def recover(self, receipt):
        staged = self.staged.get(receipt["file"])
        if not receipt["final"]:
            return Outcome.STAGED if staged is not None and len(staged) >= receipt["rows"] else Outcome.GONE
        if staged == receipt["rows"]:
            return Outcome.STAGED
        return Outcome.PUBLISHED if self.published.get(receipt["file"]) == receipt["rows"] else Outcome.GONE

    def discard(self, receipt):
        self.world.step(f"{self.label} takes back {receipt['file']}")
        self.published.pop(receipt["file"], None)
        self.staged.pop(receipt["file"], None)

    def resume(self, state):
        self.number = 0 if state is None else state["number"] + state["final"]
        self.open = self.staged[state["file"]][: state["rows"]] if state is not None and not state["final"] else []
        keep = {f"file-{self.number}"} if self.open else set()
        for file in set(self.staged) - keep:
            del self.staged[file]

    def outcome(self) -> list[int]:
        return [row for file in sorted(self.published, key=lambda name: int(name[5:])) for row in self.published[file]]


class Bank(BaseWriter):
    """A transaction: dies with the process; the destination keeps the number of the checkpoint that was committed last."""

    staging = Staging.TRANSACTION

    def __init__(self, world: World, label: str) -> None:
        super().__init__()
        self.world, self.label = world, label
        self.rows = world.rows.setdefault(label, [])
        self.open: list[int] = []

    def write_batch(self, batch, group_key=None):
        self.open += batch

    def prepare(self, final):
        assert final
        return {"number": self.world.numbers.get(self.label, 0) + 1}

    def publish(self, receipt):
        if self.world.numbers.get(self.label, 0) == receipt["number"] - 1:
            self.world.step(f"{self.label} commits {receipt['number']}")
            self.rows += self.open
            self.world.numbers[self.label] = receipt["number"]
        self.open = []

    def recover(self, receipt):
        return Outcome.PUBLISHED if self.world.numbers.get(self.label, 0) >= receipt["number"] else Outcome.GONE

    def resume(self, state):
        assert self.world.numbers.get(self.label, 0) == (state["number"] if state is not None else 0)

    def discard(self, receipt):
        raise AssertionError("a transaction that is gone needs no taking back, and one that is committed can't be")

    def outcome(self) -> list[int]:
        return self.rows


class Post(BaseWriter):
    """No staging: what is written is there."""

    def __init__(self, world: World, label: str) -> None:
        super().__init__()
        self.rows = world.rows.setdefault(label, [])

    def write_batch(self, batch, group_key=None):
        self.rows += batch

    def outcome(self) -> list[int]:
        return self.rows


Kinds = dict[str, Callable[[World, str], Any]]
PILE: Kinds = {"pile": Pile}
PILES: Kinds = {"one": Pile, "two": Pile}
BANK: Kinds = {"bank": Bank}
BOTH: Kinds = {"pile": Pile, "bank": Bank}
THREE: Kinds = {"one": Pile, "bank": Bank, "two": Pile}
EXACT = [PILE, PILES, BANK, BOTH, THREE]
NAMES = ["pile", "piles", "bank", "both", "three"]
PLANS = ["........F", "...F..F.F", "L.L.L.L.F", ".L.F.L.FF", "LLFLLFLLF", "FFFFFFFFF"]


def process(world: World, kinds: Kinds, plan: str) -> dict[str, list[int]]:
    """One process: recovers, reads what is left, takes the checkpoints of the plan; returns what the destinations hold."""
    writers = {label: kind(world, label) for label, kind in kinds.items()}
    checkpoints = Checkpoints(Slot(world), writers, lambda: None)
    document = checkpoints.recover()
    at = 0 if document is None else document["at"]
    while at < len(plan):
        for writer in writers.values():
            writer.write_batch([at])
        kind, at = plan[at], at + 1
        if kind == "L" and not checkpoints.light_possible:
            kind = "F"
        if kind in "LF":
            checkpoints.take({"L": "light", "F": "full"}[kind], lambda receipts, at=at: {"at": at})
    return {label: writer.outcome() for label, writer in writers.items()}


def once(kinds: Kinds) -> dict[str, list[int]]:
    return {label: list(range(ROWS)) for label in kinds}


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("kinds", EXACT, ids=NAMES)
def test_each_row_comes_once_in_a_run_that_nothing_disturbs(kinds, plan):
    world = World()

    assert process(world, kinds, plan) == once(kinds)
    assert process(world, kinds, plan) == once(kinds)
    assert json.loads(world.document)["phase"] == "committed"


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("kinds", EXACT, ids=NAMES)
def test_each_row_comes_once_whatever_step_the_process_ends_at(kinds, plan):
    step, ended = 0, False
    while not ended:
        for second in (0, 1, 3):
            world = World(kill_at=step)
            ended = finished(world, kinds, plan)
            world.restart(kill_at=second)
            finished(world, kinds, plan)
            world.restart()
            assert process(world, kinds, plan) == once(kinds), f"ended at step {step}, then {second}: {world.log}"
        step += 1
    assert step > 3


def finished(world: World, kinds: Kinds, plan: str) -> bool:
    try:
        process(world, kinds, plan)
    except Killed:
        return False
    return True


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("kinds", [PILE, PILES], ids=["pile", "piles"])
def test_each_row_comes_once_when_what_was_staged_is_gone(kinds, plan):
    step, ended = 0, False
    while not ended:
        world = World(kill_at=step)
        ended = finished(world, kinds, plan)
        world.lose_staged()
        world.restart(kill_at=2)
        finished(world, kinds, plan)
        world.restart()
        assert process(world, kinds, plan) == once(kinds), f"ended at step {step}: {world.log}"
        step += 1


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("kinds", [BOTH, THREE], ids=["both", "three"])
def test_what_is_staged_is_gone_beside_a_transaction(kinds, plan):
    """Where the transaction is committed, nobody can make the rest of it good, and that is said."""
    step, ended, refused = 0, False, 0
    while not ended:
        world = World(kill_at=step)
        ended = finished(world, kinds, plan)
        committed = {label: list(rows) for label, rows in world.rows.items()}
        world.lose_staged()
        world.restart()
        try:
            outcome = process(world, kinds, plan)
        except StateError as error:
            refused += 1
            told = str(error)
        else:
            assert outcome == once(kinds)
            continue
        finally:
            step += 1
        assert "is gone, and the same records are committed at bank" in told
        assert "Bring the staging folder back" in told
        assert world.rows == committed
    assert refused > 0


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(EXACT),
    st.text("LF.", min_size=ROWS - 1, max_size=ROWS - 1),
    st.lists(st.tuples(st.integers(0, 25), st.booleans()), max_size=6),
)
def test_each_row_comes_once_through_any_storm(kinds, plan, kills):
    world = World()
    for kill_at, lose in kills:
        world.restart(kill_at)
        finished(world, kinds, plan + "F")
        if lose and Bank not in kinds.values():
            world.lose_staged()
    world.restart()

    assert process(world, kinds, plan + "F") == once(kinds)


@pytest.mark.parametrize("plan", PLANS)
def test_without_staging_nothing_is_lost(plan):
    step, ended = 0, False
    while not ended:
        world = World(kill_at=step)
        ended = finished(world, {"post": Post}, plan)
        world.restart()
        assert sorted({*process(world, {"post": Post}, plan)["post"]}) == list(range(ROWS))
        step += 1


def test_two_transactions_lose_nothing():
    class Loose(Bank):
        """One that does not mind being behind its destination: with two of them a run is at least once."""

        def resume(self, state):
            pass

    for step in range(12):
        world = World(kill_at=step)
        finished(world, {"one": Loose, "two": Loose}, "..F..F..F")
        world.restart()
        outcome = process(world, {"one": Loose, "two": Loose}, "..F..F..F")
        assert [sorted({*rows}) for rows in outcome.values()] == [list(range(ROWS))] * 2


# the order of steps


def test_transactions_are_published_first_and_nothing_before_the_document_says_prepared():
    world = World()
    process(world, THREE, "F")

    assert world.log == [
        "one stages",
        "two stages",
        "save full 1 prepared",
        "bank commits 1",
        "one publishes file-0",
        "one unstages file-0",
        "two publishes file-0",
        "two unstages file-0",
        "save full 1 committed",
    ]


@pytest.mark.parametrize("kinds", [PILE, BOTH], ids=["pile", "both"])
def test_what_is_published_but_not_committed_is_published_again_by_the_next_process(kinds, monkeypatch):
    """The one that was killed may not have put it on disk; a transaction always has."""
    world, published = World(), []
    world.kill_at = len(["pile stages", "prepared", *(["commits"] if kinds is BOTH else []), "publishes", "unstages"])
    assert not finished(world, kinds, "F")
    publish = {kind: kind.publish for kind in (Pile, Bank)}
    for kind, original in publish.items():
        monkeypatch.setattr(
            kind, "publish", lambda self, receipt, original=original: published.append(self.label) or original(self, receipt)
        )
    world.restart()
    taking = checkpoints(world, kinds)

    assert taking.recover()["phase"] == "committed"
    assert published == ["pile"]
    assert set(taking.recover()) & {"previous", "last_full"} == set()


def test_a_light_checkpoint_publishes_nothing():
    world = World()
    process(world, PILE, "LLF")

    assert world.log[:4] == ["pile stages", "save light 0 committed", "pile stages", "save light 0 committed"]
    assert [line for line in world.log if "publishes" in line] == ["pile publishes file-0"]


def test_without_staging_there_is_nothing_to_prepare():
    world = World()
    process(world, {"post": Post}, "F.F")

    assert world.log == ["save full 1 committed", "save full 2 committed"]


# the document


def checkpoints(world: World, kinds: Kinds, still_ours: Callable[[], None] = lambda: None) -> Checkpoints:
    return Checkpoints(Slot(world), {label: kind(world, label) for label, kind in kinds.items()}, still_ours)


def recovered(taking: Checkpoints) -> Checkpoints:
    taking.recover()
    return taking


def facts(receipts: dict[str, Any]) -> dict[str, Any]:
    return {"at": 0}


def test_a_document_carries_what_it_may_fall_back_to_and_no_more():
    world, seen = World(), []
    taking = checkpoints(world, PILE)
    taking.recover()
    commit = Slot.commit_position

    def watched(self: Slot, document: dict[str, Any]) -> None:
        seen.append(json.loads(json.dumps(document)))
        commit(self, document)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Slot, "commit_position", watched)
        for kind in ("light", "full", "light", "light", "full"):
            taking.take(kind, facts)

    short = [
        [
            document["kind"],
            document["phase"],
            document["number"],
            *(
                f"{key}: {document[key] and [document[key]['kind'], document[key]['number']]}"
                for key in ("previous", "last_full")
                if key in document
            ),
        ]
        for document in seen
    ]
    assert short == [
        ["light", "committed", 0, "last_full: None"],
        ["full", "prepared", 1, "previous: ['light', 0]", "last_full: None"],
        ["full", "committed", 1],
        ["light", "committed", 1, "last_full: ['full', 1]"],
        ["light", "committed", 1, "last_full: ['full', 1]"],
        ["full", "prepared", 2, "previous: ['light', 1]", "last_full: ['full', 1]"],
        ["full", "committed", 2],
    ]
    assert all(
        "previous" not in document[key] and "last_full" not in document[key]
        for document in seen
        for key in ("previous", "last_full")
        if document.get(key)
    )
    assert taking.taken == {"light": 3, "full": 2}
    assert taking.seconds > 0


def test_numbers_go_on_after_a_restart():
    world = World()
    process(world, BOTH, "FF")
    taking = checkpoints(world, BOTH)
    taking.recover()

    assert taking.take("full", facts)["number"] == 3


def test_a_run_that_never_saved_anything_starts_from_the_start():
    taking = checkpoints(World(), PILE)

    assert taking.recover() is None
    assert (taking.committed, taking.last_full, taking.number) == (None, None, 0)


def test_a_document_of_another_format_is_refused():
    world = World(document=json.dumps({"format": FORMAT + 1}))
    with pytest.raises(StateError, match=r"the checkpoint has format 2, this version of ozzy knows 1") as caught:
        checkpoints(world, PILE).recover()

    assert caught.value.hint == "Resume with the version that wrote it."


def test_books_that_do_not_balance_publish_nothing():
    def unbalanced(receipts: dict[str, Any]) -> dict[str, Any]:
        raise BooksError("one is missing")

    world = World()
    taking = checkpoints(world, BOTH)
    taking.recover()
    with pytest.raises(BooksError):
        taking.take("full", unbalanced)

    assert (world.log, world.document) == (["pile stages"], None)


def test_only_resumable_writers_make_light_ones_possible():
    assert [checkpoints(World(), kinds).light_possible for kinds in EXACT] == [True, True, False, False, False]


class Named(Pile):
    """Says what a receipt has made visible."""

    def results(self, receipt):
        return [
            {"name": f"old-{receipt['number']}"},
            *([{"name": receipt["file"], "path": f"/out/{receipt['file']}"}] if receipt["final"] else []),
        ]


@pytest.mark.parametrize(
    ("kill_at", "files"), [(0, []), (1, []), (2, ["old-0"]), (4, ["old-0", "/out/file-0"]), (9, ["old-0", "/out/file-0"])]
)
def test_what_a_run_has_published_is_known_without_going_on(kill_at, files):
    world = World(kill_at=kill_at)
    finished(world, {"named": Named}, "F")
    world.restart()
    document = None if world.document is None else json.loads(world.document)

    assert published_files(document, {"named": Named(world, "named")}) == files
    assert world.log.count("named takes back file-0") == 0


# the lease


@pytest.mark.parametrize("allowed", range(5))
def test_nothing_is_prepared_saved_or_published_without_the_lease(allowed):
    world, asked = World(), 0

    def still_ours() -> None:
        nonlocal asked
        asked += 1
        if asked > allowed:
            raise StateError("taken over")

    taking = checkpoints(world, PILE, still_ours)
    taking.recover()
    if allowed == 4:
        taking.take("full", facts)
        return
    with pytest.raises(StateError, match="taken over"):
        taking.take("full", facts)
    done = [[], ["pile stages"], ["pile stages", "save full 1 prepared"]]
    published = [*done[2], "pile publishes file-0", "pile unstages file-0"]
    assert world.log == [*done, published][allowed]


def test_nothing_is_made_good_without_the_lease():
    def refuse() -> None:
        raise StateError("taken over")

    world = World(kill_at=2)
    assert not finished(world, PILE, "F")
    world.restart()
    world.log.clear()
    with pytest.raises(StateError, match="taken over"):
        checkpoints(world, PILE, refuse).recover()

    assert world.log == []


# blame


@pytest.mark.parametrize("method", ["prepare", "publish", "resume"])
def test_what_a_writer_raises_is_blamed_on_it(method, monkeypatch):
    def fail(self: Any, *args: Any, **named: Any) -> None:
        raise ConnectionError("line is down")

    monkeypatch.setattr(Pile, method, fail)
    taking = checkpoints(World(), PILE)
    with pytest.raises(DestinationError, match=r"^pile \(Pile\) failed: ConnectionError: line is down$"):
        recovered(taking).take("full", facts)


@pytest.mark.parametrize("method", ["recover", "discard"])
def test_what_a_writer_raises_in_recovery_is_blamed_on_it(method, monkeypatch):
    def fail(self: Any, *args: Any) -> None:
        raise ConnectionError("line is down")

    world = World(kill_at=2)
    finished(world, PILE, "F")
    world.lose_staged()
    world.restart()
    monkeypatch.setattr(Pile, method, fail)
    with pytest.raises(DestinationError, match=r"^pile \(Pile\) failed: ConnectionError: line is down$"):
        checkpoints(world, PILE).recover()


@pytest.mark.parametrize("method", ["get_last_position", "commit_position"])
def test_what_a_persistence_raises_is_an_error_of_the_state(method, monkeypatch):
    def fail(self: Any, *args: Any) -> None:
        raise TimeoutError("no answer")

    monkeypatch.setattr(Slot, method, fail)
    taking = checkpoints(World(), PILE)
    with pytest.raises(StateError, match=r"^persistence \(Slot\) failed: TimeoutError: no answer$"):
        recovered(taking).take("light", facts)
