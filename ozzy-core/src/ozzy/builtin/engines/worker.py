"""A worker of the engine `local`: a process that does tasks until its pipe is closed, or whoever started it is gone."""

import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import attrs

from ozzy import OzzyError, PluginError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from ozzy.contracts.engine import Work

_PARENT_DEATH = 1


@attrs.frozen
class Failed:
    """A worker could not get ready, or its work raised."""

    error: Exception


def serve(work: "Work", connection: "Connection", parent: int) -> None:
    """Do tasks that come through the pipe, and send back what became of each. Ctrl-C and SIGTERM are for the parent to see."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    end_with(parent)
    try:
        work.forked()
        do = work.begin()
        while True:
            connection.send(do(connection.recv()))
    except (EOFError, BrokenPipeError):
        return
    except Exception as error:
        connection.send(Failed(as_it_can_be_sent(error)))


def end_with(parent: int) -> None:
    """Let this process be killed when its parent ends, where the system can do that."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PARENT_DEATH, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def as_it_can_be_sent(error: Exception) -> Any:
    """An error as it is, or what it says where it can't be pickled."""
    import pickle

    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  (what was pickled here)
    except Exception:
        return PluginError(f"a worker failed: {type(error).__name__}: {error}")
    return error if isinstance(error, OzzyError) else PluginError(f"a worker failed: {type(error).__name__}: {error}")
