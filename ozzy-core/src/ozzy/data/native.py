"""The extension, where it is there: how lines are read many at a time, with the outcome that Python alone would have.

It is built with the package where that can be done, and everything works without it. `OZZY_PURE_PYTHON=1` leaves it aside.
"""

import os

__all__ = ["AVAILABLE", "native"]

try:
    if os.environ.get("OZZY_PURE_PYTHON"):
        raise ImportError
    from ozzy.data import _native as native

    AVAILABLE = True
except ImportError:
    native = None  # type: ignore[assignment]
    AVAILABLE = False
