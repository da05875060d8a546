"""The suite of engines."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import attrs

from ozzy import BaseEngine, OzzyError, PluginError, SourceError, Split, Task
from ozzy.testing.module import ModuleContract
from ozzy.testing.process import Ended, in_child
from ozzy.testing.verdict import shown

_TASKS = 23


class EngineContract(ModuleContract):
    """What an engine promises: each task is done, and told in the order of the tasks, whatever becomes of workers.

        class TestCluster(EngineContract):
            module = ClusterEngine
            options = {"address": "localhost"}

    Its workers reach the files of `self.folder`. `processes` is False where it has none but that of the run.
    """

    speaks_with = (PluginError, SourceError)
    processes: bool = True

    def exercise(self, module: Any) -> Any:
        return [one for one in module.run(Doing(), tasks(3), 1) if one is not None] if not self.processes else None

    def go(self, check: Callable[[BaseEngine], None]) -> None:
        """Use a new engine in a process of its own, as a run is one."""
        ended: Ended = in_child(lambda: check(self.make()), self.folder / "log", seconds=120)
        if ended.status:
            self.broken(ended.reason)

    def test_every_task_is_told_in_order(self) -> None:
        """Those of one worker, of several, of more than there are tasks; of no task at all; some take longer than others."""

        def check(engine: BaseEngine) -> None:
            for workers, count in ((1, 3), (2, _TASKS), (3, 2), (2, 0)):
                told = [one for one in engine.run(Doing(slow=4), tasks(count), workers) if one is not None]
                wanted = [(number, f"part {number}") for number in range(count)]
                found = [(task.number, done) for task, done in told]
                assert found == wanted, f"of {count} tasks for {workers} workers it tells {shown(found)}"

        self.go(check)

    def test_only_a_few_tasks_are_taken_ahead(self) -> None:
        """What is there to do may be endless: an engine holds some tasks for each worker, and no more."""

        def check(engine: BaseEngine) -> None:
            taken = 0

            def endless() -> Iterator[Task]:
                nonlocal taken
                for task in tasks(100_000):
                    taken += 1
                    yield task

            outcomes = engine.run(Doing(), endless(), 2)
            first = next(one for one in outcomes if one is not None)
            outcomes.close()
            assert first[0].number == 0
            assert taken <= 50, f"for 2 workers it took {taken} tasks before it told of the first"

        self.go(check)

    def test_it_can_be_stopped_while_it_waits(self) -> None:
        """Nothing is ready for a while: it says so within a second or two, and closing it ends what is under way."""

        def check(engine: BaseEngine) -> None:
            outcomes = engine.run(Doing(slow=0, seconds=20.0), tasks(2), 2)
            began = time.monotonic()
            assert next(outcomes) is None, "it tells of a task that can't be done yet"
            outcomes.close()
            assert time.monotonic() - began < 10, "it waits for its workers when it is closed"

        if self.processes:
            self.go(check)

    def test_what_a_worker_raises_ends_it(self) -> None:
        """An error of the work, or of getting ready, is raised as an OzzyError that says what happened."""

        def check(engine: BaseEngine) -> None:
            for work, words in ((Doing(fails=5), "task 5 fails"), (Doing(fails=-1), "not ready")):
                told = ended_by(engine.run(work, tasks(9), 2))
                assert words in told, f"where a worker fails ({words}) it says {told!r}"

        if self.processes:
            self.go(check)

    def test_a_lost_worker_loses_nothing(self) -> None:
        """Workers are killed in the middle of a task: it is done again, and told once, in its turn."""
        folder = self.folder

        def check(engine: BaseEngine) -> None:
            work = Doing(dies=(0, 7, 8, 22), folder=folder)
            told = [one for one in engine.run(work, tasks(_TASKS), 2) if one is not None]
            assert [task.number for task, _ in told] == list(range(_TASKS)), f"it tells {shown([task.number for task, _ in told])}"

        if self.processes:
            self.go(check)

    def test_a_task_that_ends_every_worker_ends_the_run(self) -> None:
        """A worker is lost each time it does this task: there is an error that names it, at some time."""

        def check(engine: BaseEngine) -> None:
            told = ended_by(engine.run(Doing(dies=(3,)), tasks(9), 2))
            assert "part 3" in told, f"a worker is lost again and again at part 3, and it says {told!r}"

        if self.processes:
            self.go(check)


@attrs.frozen
class Doing:
    """Work that says which part it had; every `slow`th task takes longer (0: each), task `fails` fails (-1: getting ready does).

    Tasks in `dies` end their worker without a word: once each where there is a `folder` to note that in, else each time.
    """

    slow: int = 0
    seconds: float = 0.02
    fails: int | None = None
    dies: tuple[int, ...] = ()
    folder: Path | None = None

    def forked(self) -> None:
        """Nothing was shared."""

    def begin(self) -> Callable[[Task], str]:
        """Ready at once."""
        if self.fails == -1:
            raise SourceError("not ready")
        return self.do

    def do(self, task: Task) -> str:
        """One task."""
        if task.number in self.dies:
            self._die(task)
        if self.fails == task.number:
            raise SourceError(f"task {task.number} fails")
        if (self.slow and task.number % self.slow == 0) or self.seconds > 1:
            time.sleep(self.seconds)
        return task.split.id

    def _die(self, task: Task) -> None:
        if self.folder is not None:
            note = self.folder / f"died-{task.number}"
            if note.exists():
                return
            note.touch()
        os._exit(7)


def ended_by(outcomes: Iterable[Any]) -> str:
    """What the error says that ends this, nothing where there is none."""
    try:
        for _ in outcomes:
            pass
    except OzzyError as error:
        return str(error)
    return ""


def tasks(count: int) -> Iterator[Task]:
    """So many tasks, each a split."""
    return (Task(number, number, Split(f"part {number}")) for number in range(count))
