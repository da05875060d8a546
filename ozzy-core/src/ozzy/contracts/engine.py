"""Engines: where the stages of a run do their work, and in how many processes.

A run whose pipeline allows it is done in tasks: splits, or ranges of them, of a size that does not depend on the number of workers. An
engine gives tasks to workers and hands back what became of each, in the order of the tasks. All that has to happen once (the lease,
checkpoints, the limits of bad records, the files of the run) stays with the run, which asks the engine.
"""

from collections.abc import Callable, Generator, Iterable
from typing import Any, ClassVar, Protocol

import attrs

from ozzy.contracts.decoder import Range
from ozzy.contracts.module import BaseModule
from ozzy.contracts.reader import Split


@attrs.frozen
class Task:
    """A part of the source that one worker does at a time.

    `number` counts the tasks of this process from 0, `place` is the number of the split in its run; `part` is the range of the split, None
    for all of it; `last` says that no other task of this split follows.
    """

    number: int
    place: int
    split: Split
    part: Range | None = None
    last: bool = True


class Work(Protocol):
    """What workers do. It can be pickled wherever a worker is no fork of the process that runs the pipeline."""

    def forked(self) -> None:
        """Called first in each worker that is a process of its own."""

    def begin(self) -> Callable[[Task], Any]:
        """Get ready, once in each worker; what it returns does one task at a time, and gives small results that can be pickled.

        Doing the same task again, in the same or another worker, does no harm.
        """


class BaseEngine(BaseModule):
    """Does the tasks of a run.

    Write `run(work, tasks, workers)`, `workers()` and `usable()`. The base does one task after the other, in its own process.

    >>> class Echo:
    ...     def begin(self):
    ...         return lambda task: task.split.id
    >>> [(task.number, done) for task, done in BaseEngine().run(Echo(), [Task(0, 0, Split("a")), Task(1, 1, Split("b"))])]
    [(0, 'a'), (1, 'b')]
    """

    kind: ClassVar[str] = "engine"

    def workers(self) -> int | None:
        """How many workers were asked for; None where the run is to decide, 1 for no others than its own process."""
        return 1

    def usable(self) -> int:
        """How many workers may be used at once without being asked for: the cores, where others cost nothing and can do no harm; else 1."""
        return 1

    def run(self, work: Work, tasks: Iterable[Task], workers: int = 1) -> Generator[tuple[Task, Any] | None]:
        """Do all tasks with so many workers; yields each with what came of it, in the order of the tasks, and None while nothing is ready.

        Called once. Yields within a second, so that a run can be stopped; takes tasks from the iterator only a few ahead. A task whose
        worker is lost is done again. Raises OzzyError; closing the iterator ends all workers.
        """
        do = work.begin()
        for task in tasks:
            yield task, do(task)
