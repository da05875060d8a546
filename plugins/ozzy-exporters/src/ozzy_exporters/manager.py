"""Exporters: a config as an object that runs it, with its modules as attributes. Programs of the inherited form start and extend them."""

import traceback
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, ClassVar, Self

import attrs

import ozzy
from ozzy import Listener, Pipeline, Registry, Result
from ozzy.contracts.module import blamed_on
from ozzy.log import logger, redact
from ozzy.plan.config_file import read_config_file
from ozzy.plan.pipeline import build, metadata_of
from ozzy.run.reporting import Reporting
from ozzy.run.start import Start
from ozzy_exporters.config import ExporterConfig, FileConfiguration, loaded
from ozzy_exporters.meta import ExportMeta
from ozzy_exporters.resuming import StoredRun, run_behind
from ozzy_exporters.retries import disabled_retries


class BaseExporter(ozzy.BasicExporter):
    """Runs a config, a dict or a path. Subclass it to change what an export is.

    Making one checks the config and makes every module; nothing is connected. The modules are attributes: `reader`, `filter_before`,
    `transform`, `filter_after`, `grouper`, `export_formatter`, `writer`, `persistence`, `stats_manager`, `notifiers`; None where the config
    leaves a stage out, the first where there are several. `config` holds the sections, `metadata` what the modules keep, `result` what
    became of the run. Raises ConfigError, or PluginError, with all that is wrong.
    """

    bypass_cases: ClassVar[Sequence[Any]] = ()
    """Classes with `meets_conditions`, `execute` and `close`: the first that takes a config does its export instead of the pipeline."""

    def __init__(self, configuration: Any, *, allow_code: bool = False) -> None:
        super().__init__(configuration, allow_code=allow_code)
        self._registry = Registry.load()
        self._loaded = loaded(configuration)
        self.config = ExporterConfig(self._loaded, self._registry)
        self.pipeline: Pipeline = build(self._loaded, self._registry, ExportMeta.of(metadata_of(self._loaded, allow_code=allow_code)))
        self._unused = True
        self._resumes: StoredRun | None = None
        self.logger = logger(type(self).__module__, module=type(self).__name__)

    @classmethod
    def from_file_configuration(cls, filepath: str | Path, *, allow_code: bool = False) -> Self:
        """An exporter for a config file."""
        path = Path(filepath)
        return cls(FileConfiguration(read_config_file(path), path.resolve()), **_allowing(allow_code=allow_code))

    @classmethod
    def from_persistence_configuration(cls, persistence_uri: str, *, allow_code: bool = False) -> Self:
        """An exporter that goes on with a run: by a URI that a persistence knows, or by the id of a run, or the beginning of one."""
        found = run_behind(persistence_uri)
        exporter = cls(found.configuration, **_allowing(allow_code=allow_code))
        exporter._resumes = found
        return exporter

    def export(self) -> Result:
        """Run it, or go on with it. Raises OzzyError."""
        with disabled_retries() if self.config.disable_retries else nullcontext():
            self.result = self._bypassed() or self._run()
        return self.result

    @property
    def metadata(self) -> ExportMeta:
        """What the modules share and keep, as it stands."""
        metadata = self.pipeline.metadata
        return metadata if isinstance(metadata, ExportMeta) else ExportMeta.of(metadata)

    @property
    def reader(self) -> Any:
        """The reader."""
        return self.pipeline.reader

    @property
    def filter_before(self) -> Any:
        """The filter before the transform."""
        return self.pipeline.filter_before

    @property
    def transform(self) -> Any:
        """The transform."""
        return next(iter(self.pipeline.transforms), None)

    @property
    def filter_after(self) -> Any:
        """The filter after the transform."""
        return self.pipeline.filter_after

    @property
    def grouper(self) -> Any:
        """The grouper."""
        return self.pipeline.grouper

    @property
    def export_formatter(self) -> Any:
        """The formatter."""
        return self.pipeline.part("formatter").module

    @property
    def writer(self) -> Any:
        """The writer."""
        writer = next(iter(self.pipeline.writers.values()))
        return getattr(writer, "writer", writer)

    @property
    def persistence(self) -> Any:
        """The persistence."""
        return self.pipeline.persistence

    @property
    def stats_manager(self) -> Any:
        """The stats manager."""
        return self.pipeline.stats_manager

    @property
    def notifiers(self) -> list[Any]:
        """The notifiers."""
        return self.pipeline.notifiers

    def _run(self) -> Result:
        listener = _Adopting(self)
        options = self._loaded.exporter_options
        if self._resumes is not None:
            return ozzy.resume(
                self._resumes.run, config=self._resumes.secrets, allow_code=self.allow_code, listener=listener, registry=self._registry
            )
        if options.resume and options.persistence_state_id:
            run = str(options.persistence_state_id)
            return ozzy.resume(run, config=self.configuration, allow_code=self.allow_code, listener=listener, registry=self._registry)
        start = Start(
            config=self._loaded,
            overrides=getattr(self.configuration, "overrides", {}),
            state_dir=None,
            limit=None,
            listener=listener,
            stop=None,
            registry=self._registry,
            allow_code=self.allow_code,
            built=self.pipeline if self._unused else None,
        )
        return start.go(options.resume)

    def _bypassed(self) -> Result | None:
        """What became of an export that a bypass has done, None where none does it."""
        if self.config.prevent_bypass or self._resumes:
            return None
        for case in self.bypass_cases:
            with blamed_on("asking a bypass", case, ozzy.PluginError):
                wanted = case.meets_conditions(self.config)
            if wanted:
                return self._bypass(case)
            self.logger.debug("bypass skipped", bypass=case.__name__)
        return None

    def _bypass(self, case: Any) -> Result:
        pipeline, metadata = self.pipeline, self.metadata
        reporting = Reporting(pipeline.stats_manager, list(zip(pipeline.notifiers, pipeline.told_when, strict=True)), metadata)
        outcome = ozzy.RunOutcome(pipeline=self._loaded.name or str(self._loaded.file or "unnamed"), state="failed")
        self._unused = False
        metadata.bypassed_pipeline = True
        reporting.started()
        try:
            script = self._executed(case, metadata)
            metadata.accurate_items_count = bool(script.valid_total_count)
            metadata.per_module.setdefault("writer", {})["items_count"] = script.total_items
            reporting.completed(attrs.evolve(outcome, state="bypassed", records_written=script.total_items))
        except Exception as error:
            reporting.failed(redact(str(error)), redact("".join(traceback.format_exception(error))), outcome)
            raise
        finally:
            pipeline.close()
        return Result(run_id="", pipeline=outcome.pipeline, state="bypassed", records_written=script.total_items, notices=reporting.notices)

    def _executed(self, case: Any, metadata: ExportMeta) -> Any:
        """A bypass that has done its work, and is closed."""
        with blamed_on("bypass", case, ozzy.DestinationError):
            script = case(self.config, metadata)
            try:
                script.execute()
            finally:
                script.close()
        return script


def _allowing(*, allow_code: bool) -> dict[str, bool]:
    """What a constructor is given beside its config; an inherited one of a subclass takes nothing more."""
    return {"allow_code": True} if allow_code else {}


class BasicExporter(BaseExporter):
    """The exporter that the command `export.py` is made of."""


class _Adopting(Listener):
    """Gives an exporter the modules that its run works with."""

    def __init__(self, exporter: BaseExporter) -> None:
        self.exporter = exporter

    def pipeline_built(self, pipeline: Any) -> None:
        self.exporter.pipeline = pipeline
        self.exporter._unused = False  # noqa: SLF001 - the exporter made it
