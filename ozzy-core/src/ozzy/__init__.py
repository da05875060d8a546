"""Ozzy the plumber: moves records from any source to any destination, with nothing lost and nothing twice.

>>> import ozzy
>>> result = ozzy.run("pipeline.json")  # doctest: +SKIP

What stands in `__all__` is the public face; each name is imported when it is first used, so that `import ozzy` costs next to nothing.
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

    from ozzy.api import (
        BasicExporter,
        Listener,
        Pipeline,
        PreviewStage,
        Result,
        Stop,
        Validation,
        explain,
        preview,
        quarantined,
        read,
        replay,
        resume,
        run,
        validate,
        verify,
    )
    from ozzy.contracts.bypass import BaseBypass, BypassContext, Declined
    from ozzy.contracts.decoder import BaseDecoder, DecoderOptions, Range
    from ozzy.contracts.documents import Stored
    from ozzy.contracts.engine import BaseEngine, Task
    from ozzy.contracts.file_writer import BaseFileWriter, BaseNamedFileWriter, FileWriterOptions, NamedFileWriterOptions
    from ozzy.contracts.filter import BaseFilter
    from ozzy.contracts.formatter import BaseExportFormatter
    from ozzy.contracts.grouper import BaseGrouper
    from ozzy.contracts.module import BaseModule, Metadata, RunOutcome
    from ozzy.contracts.persistence import BasePersistence, StateLocation
    from ozzy.contracts.reader import BaseReader, BaseStreamReader, Listed, Split, Stream, StreamReaderOptions
    from ozzy.contracts.report import BaseNotifier, BaseStatsManager, BaseTextNotifier
    from ozzy.contracts.shared_persistence import BaseSharedPersistence, SharedPersistenceOptions
    from ozzy.contracts.transform import BaseTransform
    from ozzy.contracts.writer import BaseWriter, Outcome, Receipt, Staging, WriterContext, WriterOptions
    from ozzy.data.batch import Batch, Rejected
    from ozzy.data.record import BaseRecord
    from ozzy.data.rows import Rows
    from ozzy.errors import (
        BooksError,
        ConfigError,
        DataError,
        DestinationError,
        Interrupted,
        OzzyError,
        PluginError,
        Problem,
        SourceError,
        StateError,
    )
    from ozzy.hookspecs import Module, hookimpl
    from ozzy.options.option import option, options
    from ozzy.options.settings import RetryOptions
    from ozzy.plan.explain import Explanation
    from ozzy.plan.registry import Registry
    from ozzy.retry import Retries, retry_after
    from ozzy.run.quarantined import Quarantined
    from ozzy.run.verify import Verification

    __version__: str

__all__ = [
    "BaseBypass",
    "BaseDecoder",
    "BaseEngine",
    "BaseExportFormatter",
    "BaseFileWriter",
    "BaseFilter",
    "BaseGrouper",
    "BaseModule",
    "BaseNamedFileWriter",
    "BaseNotifier",
    "BasePersistence",
    "BaseReader",
    "BaseRecord",
    "BaseSharedPersistence",
    "BaseStatsManager",
    "BaseStreamReader",
    "BaseTextNotifier",
    "BaseTransform",
    "BaseWriter",
    "BasicExporter",
    "Batch",
    "BooksError",
    "BypassContext",
    "ConfigError",
    "DataError",
    "Declined",
    "DecoderOptions",
    "DestinationError",
    "Explanation",
    "FileWriterOptions",
    "Interrupted",
    "Listed",
    "Listener",
    "Metadata",
    "Module",
    "NamedFileWriterOptions",
    "Outcome",
    "OzzyError",
    "Pipeline",
    "PluginError",
    "PreviewStage",
    "Problem",
    "Quarantined",
    "Range",
    "Receipt",
    "Registry",
    "Rejected",
    "Result",
    "Retries",
    "RetryOptions",
    "Rows",
    "RunOutcome",
    "SharedPersistenceOptions",
    "SourceError",
    "Split",
    "Staging",
    "StateError",
    "StateLocation",
    "Stop",
    "Stored",
    "Stream",
    "StreamReaderOptions",
    "Task",
    "Validation",
    "Verification",
    "WriterContext",
    "WriterOptions",
    "__version__",
    "explain",
    "hookimpl",
    "option",
    "options",
    "preview",
    "quarantined",
    "read",
    "replay",
    "resume",
    "retry_after",
    "run",
    "validate",
    "verify",
]

_HOMES = {
    "ozzy.api": (
        "BasicExporter",
        "Listener",
        "Pipeline",
        "PreviewStage",
        "Result",
        "Stop",
        "Validation",
        "explain",
        "preview",
        "quarantined",
        "read",
        "replay",
        "resume",
        "run",
        "validate",
        "verify",
    ),
    "ozzy.contracts.bypass": ("BaseBypass", "BypassContext", "Declined"),
    "ozzy.contracts.decoder": ("BaseDecoder", "DecoderOptions", "Range"),
    "ozzy.contracts.documents": ("Stored",),
    "ozzy.contracts.engine": ("BaseEngine", "Task"),
    "ozzy.contracts.file_writer": ("BaseFileWriter", "BaseNamedFileWriter", "FileWriterOptions", "NamedFileWriterOptions"),
    "ozzy.contracts.filter": ("BaseFilter",),
    "ozzy.contracts.formatter": ("BaseExportFormatter",),
    "ozzy.contracts.grouper": ("BaseGrouper",),
    "ozzy.contracts.module": ("BaseModule", "Metadata", "RunOutcome"),
    "ozzy.contracts.persistence": ("BasePersistence", "StateLocation"),
    "ozzy.contracts.reader": ("BaseReader", "BaseStreamReader", "Listed", "Split", "Stream", "StreamReaderOptions"),
    "ozzy.contracts.report": ("BaseNotifier", "BaseStatsManager", "BaseTextNotifier"),
    "ozzy.contracts.shared_persistence": ("BaseSharedPersistence", "SharedPersistenceOptions"),
    "ozzy.contracts.transform": ("BaseTransform",),
    "ozzy.contracts.writer": ("BaseWriter", "Outcome", "Receipt", "Staging", "WriterContext", "WriterOptions"),
    "ozzy.data.batch": ("Batch", "Rejected"),
    "ozzy.data.record": ("BaseRecord",),
    "ozzy.data.rows": ("Rows",),
    "ozzy.errors": (
        "BooksError",
        "ConfigError",
        "DataError",
        "DestinationError",
        "Interrupted",
        "OzzyError",
        "PluginError",
        "Problem",
        "SourceError",
        "StateError",
    ),
    "ozzy.hookspecs": ("Module", "hookimpl"),
    "ozzy.options.option": ("option", "options"),
    "ozzy.options.settings": ("RetryOptions",),
    "ozzy.plan.explain": ("Explanation",),
    "ozzy.plan.registry": ("Registry",),
    "ozzy.retry": ("Retries", "retry_after"),
    "ozzy.run.quarantined": ("Quarantined",),
    "ozzy.run.verify": ("Verification",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


if not TYPE_CHECKING:  # pragma: no branch - a type checker knows the names, and is to complain about others

    def __getattr__(name: str) -> Any:
        if name == "__version__":
            from importlib.metadata import version

            value: Any = version("ozzy-core")
        elif name in _HOME_OF:
            from importlib import import_module

            value = getattr(import_module(_HOME_OF[name]), name)
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Face(ModuleType):
    """Keeps public names what they are: `ozzy.run` stays the function when the folder `ozzy/run` is imported."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOME_OF and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


class _InheritedNames:
    """Asked by Python for modules it can't find: looks for inherited ones (`ozzy.readers…`) in the file that knows them."""

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> "ModuleSpec | None":
        if not name.startswith("ozzy.") or name.startswith("ozzy.plan"):
            return None
        from ozzy.plan.inherited import module_spec

        return module_spec(name, _class_of)


def _class_of(kind: str, name: str) -> type:
    from ozzy.plan.registry import Registry

    return Registry.load().resolve(kind, name).cls


sys.modules[__name__].__class__ = _Face
sys.meta_path.append(_InheritedNames)
