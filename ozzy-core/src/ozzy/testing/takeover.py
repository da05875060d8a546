"""The suite of runs that are taken over: frozen anywhere, gone on with by another process, and woken."""

from typing import ClassVar

import pytest

from ozzy.testing.kill import KillContract

_REFUSED = ("StateError", "DestinationError")


class TakeoverContract(KillContract):
    """What `KillContract` does, with shared state, and beyond: a run that was taken for dead and is not.

        class TestTakeover(TakeoverContract):
            persistence = {"name": "shelf", "options": {"shelf": "state/store", "lease_seconds": 0.5}}

    The run is frozen (SIGSTOP) just before a step; another process waits until its lease has run out, takes the run over, and comes to the
    end; then the frozen one is woken (SIGCONT). It has to find out, and leave the destination as it is. Leases should be short, since each
    kill and each freeze is followed by a wait for one to run out. Where several processes can't share the store by a path below the folder
    of the attempt, put `{attempt}` into the name of the pipeline's place in it.
    """

    freezes: ClassVar[int | str] = 12
    """Before how many steps a run is frozen, a number or `all`."""

    def test_frozen_before_any_step_and_woken_later(self) -> None:
        """What the other run has made of it stays, nothing is lost, and nothing comes twice."""
        if self.persistence is None:
            pytest.skip("without shared state nobody takes a run over while its process lives")
        begun = next((number for number, name in enumerate(self.steps, 1) if "generate_new_job" in name), len(self.steps))
        for step in self.spread_steps(self.freezes, begun):
            attempt = self._new(f"frozen-{step}")
            when = f"frozen before step {step} of {len(self.steps)} ({self.steps[step - 1]}), taken over, and woken"
            frozen = attempt.freeze(step)
            try:
                if not frozen.frozen():
                    frozen.wake()
                    continue
                self._finish(attempt, when.removesuffix(" and woken"))
            except BaseException:
                frozen.kill()
                raise
            ended = frozen.wake()
            if ended.failed and not ended.reason.startswith(_REFUSED):
                self._broken(when, f"the run ends with {ended.reason}")
            self._look(attempt, when)
