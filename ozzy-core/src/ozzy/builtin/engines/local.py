"""Engine `local`: this process, or several of this machine."""

import math
import os
import sys
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

from ozzy import BaseEngine, PluginError, Task, option, options
from ozzy.builtin.engines.worker import Failed, serve
from ozzy.contracts.engine import Work

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import BaseContext

AT_A_TIME: Final = 2
"""How many tasks a worker is given: the one it does, and the one after that."""

AHEAD: Final = 4
"""How many tasks, for each worker, may be begun before the first one of them is done."""

LOSSES: Final = 3
"""So often a task is begun whose worker is lost each time."""

POLL: Final = 0.2

MOST: Final = 8
"""How many workers are used unasked, at the most."""

QUOTA: Final = Path("/sys/fs/cgroup/cpu.max")
"""Where the system says how much of the processors a container may use: microseconds in so many, or `max`."""


@options
class LocalOptions:
    """Options of the engine `local`."""

    workers: int | None = option(
        default=None,
        minimum=1,
        env="OZZY_WORKERS",
        help="Processes that share the work. Unset, as many as there are cores, up to 8, where the source is large enough and nothing else "
        "comes out by it. A number that a pipeline can't have is an error; from the environment it is a limit.",
        example=4,
    )


@attrs.define(eq=False, repr=False)
class _Worker:
    process: Any
    connection: "Connection"
    tasks: deque[Task] = attrs.field(factory=deque)


class LocalEngine(BaseEngine):
    """Runs a pipeline in one process, or its tasks in several.

    Workers are forked where that is safe: on Linux, in a process without threads of its own. Elsewhere they are new processes of Python,
    only where they are asked for; a program of one's own then has its beginning below `if __name__ == "__main__":`. Unasked, where a module
    has begun threads since, the tasks are done in this process.
    """

    Options = LocalOptions
    options: LocalOptions

    def workers(self) -> int | None:
        return self.options.workers

    def usable(self) -> int:
        from multiprocessing import current_process

        return min(cores(), MOST) if can_fork() and not current_process().daemon else 1

    def run(self, work: Work, tasks: Iterable[Task], workers: int = 1) -> Generator[tuple[Task, Any] | None]:
        if self.options.workers is None and not can_fork():
            yield from super().run(work, tasks)
            return
        team = _Team(work, iter(tasks), workers)
        try:
            yield from team.outcomes()
        finally:
            team.end()


class _Team:
    """The workers of one run, and where its tasks are."""

    def __init__(self, work: Work, tasks: Iterator[Task], size: int) -> None:
        self.work = work
        self.tasks = tasks
        self.size = size
        self.workers: list[_Worker] = []
        self.order: deque[Task] = deque()
        self.again: deque[Task] = deque()
        self.done: dict[int, Any] = {}
        self.losses: Counter[int] = Counter()

    def outcomes(self) -> Iterator[tuple[Task, Any] | None]:
        """What became of each task, in their order."""
        while True:
            self._hand_out()
            if not self.order:
                return
            first = self.order[0]
            if first.number in self.done:
                self.order.popleft()
                yield first, self.done.pop(first.number)
            elif not self._receive():
                yield None

    def end(self) -> None:
        """End all workers at once: what they are at is worth nothing any more."""
        for worker in self.workers:
            worker.process.kill()
        for worker in self.workers:
            worker.process.join()
            worker.connection.close()
        self.workers = []

    def _hand_out(self) -> None:
        """Let every worker have as many tasks as it may, the least busy one first; a new one where all are busy and there is room."""
        while True:
            least = min(self.workers, key=lambda one: len(one.tasks), default=None)
            full = len(self.workers) >= self.size
            if full and least is not None and len(least.tasks) >= AT_A_TIME:
                return
            task = self._next()
            if task is None:
                return
            worker = least if least is not None and (full or not least.tasks) else self._hire()
            worker.tasks.append(task)
            try:
                worker.connection.send(task)
            except OSError:
                self._lose(worker)

    def _next(self) -> Task | None:
        if self.again:
            return self.again.popleft()
        if len(self.order) >= self.size * AHEAD:
            return None
        task = next(self.tasks, None)
        if task is not None:
            self.order.append(task)
        return task

    def _hire(self) -> _Worker:
        context = _context()
        ours, theirs = context.Pipe()
        process = context.Process(  # type: ignore[attr-defined]
            target=serve, args=(self.work, theirs, os.getpid()), name="ozzy worker", daemon=True
        )
        process.start()
        theirs.close()
        worker = _Worker(process, ours)
        self.workers.append(worker)
        return worker

    def _receive(self) -> bool:
        """Take what is ready; False where that is nothing."""
        from multiprocessing.connection import wait

        ready = wait([worker.connection for worker in self.workers], POLL)
        for worker in [worker for worker in self.workers if worker.connection in ready]:
            try:
                outcome = worker.connection.recv()
            except (EOFError, OSError):
                self._lose(worker)
                continue
            if isinstance(outcome, Failed):
                raise outcome.error
            self.done[worker.tasks.popleft().number] = outcome
        return bool(ready)

    def _lose(self, worker: _Worker) -> None:
        """A worker has ended before its tasks: they are done again. Raises PluginError where one was lost too often."""
        self.workers.remove(worker)
        worker.process.join()
        worker.connection.close()
        if worker.tasks:
            task = worker.tasks[0]
            self.losses[task.number] += 1
            how = _ended(worker.process.exitcode)
            if self.losses[task.number] >= LOSSES:
                raise PluginError(
                    f"{_told(task)}: the worker that had it was lost {LOSSES} times, the last one {how}",
                    hint="Nothing that was committed is lost. Where memory is short, use fewer workers or smaller batches; one worker "
                    "(engine.options.workers: 1) shows what ends it. Then go on with --resume.",
                )
        self.again = deque(sorted([*self.again, *worker.tasks], key=lambda task: task.number))


def _told(task: Task) -> str:
    return task.split.id if task.part is None else f"{task.split.id}, bytes {task.part.start} to {task.part.end}"


def _ended(code: int | None) -> str:
    return f"by signal {-code}" if code is not None and code < 0 else f"with exit code {code}"


def cores() -> int:
    """The cores that this process may use, by its affinity and by the quota of its container."""
    known = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(known, _quota(known))


def _quota(otherwise: int) -> int:
    try:
        quota, period = QUOTA.read_text(encoding="ascii").split()
        return max(1, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError):
        return otherwise


def can_fork() -> bool:
    """Whether a copy of this process is safe: a thread that is at work could leave it a lock that nobody opens."""
    import threading

    return sys.platform == "linux" and threading.active_count() == 1


def _context() -> "BaseContext":
    from multiprocessing import get_context

    return get_context("fork" if can_fork() else "spawn")
