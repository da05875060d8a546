"""The inherited package, as ozzy has it: its modules are found by name, and are made of those of ozzy.

>>> from exporters.readers.base_reader import BaseReader  # doctest: +SKIP

Each of its modules warns once, with a DeprecationWarning, and names the spelling of today.
"""

from typing import TYPE_CHECKING

from ozzy_exporters.finder import install

if TYPE_CHECKING:
    from ozzy_exporters.manager import BasicExporter  # noqa: TC004 - found by name at run time, as all else

__all__ = ["BasicExporter"]

install(__name__)
