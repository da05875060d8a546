"""The states of the stages that remember something, as a checkpoint keeps them."""

from collections.abc import Iterable, Mapping
from typing import Any

from ozzy.errors import StateError
from ozzy.run.stages import Stage


def saved_states(stages: Iterable[Stage]) -> dict[str, Any]:
    """The state of each stage that remembers something, by its name: a copy that later batches do not change."""
    return {stage.name: stage.state() for stage in stages if stage.stateful}


def restore_states(stages: Iterable[Stage], states: Mapping[str, Any]) -> None:
    """Let each stage remember what a checkpoint holds of it. Raises StateError where one of the two has no other."""
    remembering = {stage.name: stage for stage in stages if stage.stateful}
    for name, stage in remembering.items():
        if name not in states:
            told = f"the checkpoint holds no state of {name} ({type(stage.module).__name__}), which remembers something"
            raise StateError(told, hint=_CHANGED)
        stage.restore(states[name])
    for name in states:
        if name not in remembering:
            raise StateError(f"the checkpoint holds a state of {name}, which remembers nothing any more", hint=_CHANGED)


_CHANGED = "Its plugin has changed since. Resume with the version that the run began with, or start anew with --fresh."
