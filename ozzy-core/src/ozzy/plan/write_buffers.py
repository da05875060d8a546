"""Write buffers: what stands between the stages and a writer, as the options of the writer say.

There are two. `default` hands records on as they come; `reservoir_sampling` keeps a sample of each group and hands that on at the end.
"""

from collections.abc import Mapping
from typing import Any

from ozzy.errors import Problem
from ozzy.options.option import option, options
from ozzy.options.structure import examine, nearest
from ozzy.options.values import displayed
from ozzy.plan import inherited

DEFAULT = "default"
RESERVOIR = "reservoir_sampling"


@options
class DefaultBufferOptions:
    """The default buffer has no options."""


@options
class ReservoirOptions:
    """Options of reservoir sampling."""

    sample_size: int = option(default=1000, minimum=1, help="Records in the sample of each group, at the most.")
    seed: int | None = option(default=None, help="The same seed draws the same sample of the same records; unset, each run draws its own.")


BUFFERS: Mapping[str, type] = {DEFAULT: DefaultBufferOptions, RESERVOIR: ReservoirOptions}


def reservoir_of(name: Any, values: Any) -> ReservoirOptions | None:
    """The options of the sample that a writer is to be given, None where it gets everything. They are known to be right."""
    if _known(name) != RESERVOIR:
        return None
    examined = examine(ReservoirOptions, values or {})
    assert isinstance(examined.value, ReservoirOptions)
    return examined.value


def problems_of_buffer(name: Any, values: Any, path: str) -> list[Problem]:
    """What is wrong with `write_buffer` and `write_buffer_options`; `path` is where the writer's options stand."""
    known = _known(name)
    if known is None:
        return [Problem(f"{path}.write_buffer", f"unknown write buffer {displayed(name)}", nearest(str(name), BUFFERS))]
    return examine(BUFFERS[known], values or {}, path=f"{path}.write_buffer_options").problems


def _known(name: Any) -> str | None:
    name = name or DEFAULT
    found = inherited.WRITE_BUFFERS.get(inherited.plain(name) or "", name)
    return found if found in BUFFERS else None
