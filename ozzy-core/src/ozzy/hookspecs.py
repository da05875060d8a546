# mypy: disable-error-code="empty-body"
"""The table of contents of the system: one hook for each kind of module, in the order in which records meet them.

A plugin implements any of these functions. Each returns the modules of its kind, short name to module: a class,
`"package.module:Class"`, or `Module("package.module:Class", summary=…, aliases=(…))`. What stands behind a text is not imported before
a config uses it, so a `plugin.py` imports nothing but this:

>>> from ozzy import Module, hookimpl
>>> @hookimpl
... def ozzy_read():
...     return {"tap": Module("ozzy_tap.reader:TapReader", summary="Reads from a tap.")}

A hook takes no arguments, is called once when the plugins of an environment are collected, and must be quick. One that raises, or
returns anything else, makes its plugin a broken one, which is reported and harms no other.
"""

from collections.abc import Mapping
from typing import NamedTuple

from pluggy import HookimplMarker, HookspecMarker

hookspec = HookspecMarker("ozzy")
hookimpl = HookimplMarker("ozzy")


class Module(NamedTuple):
    """Names a module without importing it.

    `path` is `"package.module:Class"`; `summary` one line for `ozzy plugins list`; `aliases` are other names a config may use for it.
    `between` is for a bypass: the short names of the reader and the writer that it copies between. Other pipelines do not load it, unless
    their configs name it.
    """

    path: str
    summary: str = ""
    aliases: tuple[str, ...] = ()
    between: tuple[str, str] | None = None


Modules = Mapping[str, "type | str | Module"]

# In: from a source to records


@hookspec
def ozzy_read() -> Modules:
    """Readers, kind `reader`: subclasses of `BaseReader`, which yield records in batches and know where they stand."""


@hookspec
def ozzy_decode() -> Modules:
    """Decoders, kind `deserializer`: subclasses of `BaseDecoder`, which turn a stream of decompressed bytes into batches."""


# Between: what happens to records


@hookspec
def ozzy_filter() -> Modules:
    """Filters, kind `filter`: subclasses of `BaseFilter`, which say of each record whether it goes on, before or after the transforms."""


@hookspec
def ozzy_transform() -> Modules:
    """Transforms, kind `transform`: subclasses of `BaseTransform`, which change records, drop them, or make several of one."""


@hookspec
def ozzy_group() -> Modules:
    """Groupers, kind `grouper`: subclasses of `BaseGrouper`, which give each record the values that decide its output file."""


# Out: from records to a destination


@hookspec
def ozzy_format() -> Modules:
    """Formatters, kind `formatter`: subclasses of `BaseExportFormatter`, which turn records into the bytes of a file."""


@hookspec
def ozzy_write() -> Modules:
    """Writers, kind `writer`: subclasses of `BaseWriter`, which stage what they are given and make it visible when it is published."""


# Around: what keeps, reports and shortens a run


@hookspec
def ozzy_persist() -> Modules:
    """Persistences, kind `persistence`: subclasses of `BasePersistence`, which keep a run's checkpoint and its pipeline's lease."""


@hookspec
def ozzy_stats() -> Modules:
    """Stats managers, kind `stats_manager`: subclasses of `BaseStatsManager`, which are given the times and counts of a run."""


@hookspec
def ozzy_notify() -> Modules:
    """Notifiers, kind `notifications`: subclasses of `BaseNotifier`, which tell people or programs how a run went."""


@hookspec
def ozzy_bypass() -> Modules:
    """Bypasses, kind `bypass`: subclasses of `BaseBypass`, which do a split's job without moving its records through the process."""


@hookspec
def ozzy_engine() -> Modules:
    """Engines, kind `engine`: subclasses of `BaseEngine`, which do the work of a run in one process or several."""


KINDS: Mapping[str, str] = {
    "reader": "ozzy_read",
    "deserializer": "ozzy_decode",
    "filter": "ozzy_filter",
    "transform": "ozzy_transform",
    "grouper": "ozzy_group",
    "formatter": "ozzy_format",
    "writer": "ozzy_write",
    "persistence": "ozzy_persist",
    "stats_manager": "ozzy_stats",
    "notifications": "ozzy_notify",
    "bypass": "ozzy_bypass",
    "engine": "ozzy_engine",
}
"""The kinds of modules in the words of a config, each with its hook, in the order in which records meet them."""
