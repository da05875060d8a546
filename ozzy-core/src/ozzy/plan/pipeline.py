"""The plan: modules built and joined, with everything checked that can be before data moves."""

from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import attrs

from ozzy.contracts.bypass import BaseBypass
from ozzy.contracts.decoder import BaseDecoder, choose
from ozzy.contracts.engine import BaseEngine
from ozzy.contracts.file_writer import BaseNamedFileWriter, FedFiles
from ozzy.contracts.filter import BaseFilter
from ozzy.contracts.filter_chain import FilterChain
from ozzy.contracts.formatter import BaseExportFormatter
from ozzy.contracts.grouper import BaseGrouper
from ozzy.contracts.module import BaseModule, Metadata, blamed_on
from ozzy.contracts.persistence import BasePersistence
from ozzy.contracts.reader import BaseReader, BaseStreamReader
from ozzy.contracts.report import BaseNotifier, BaseStatsManager
from ozzy.contracts.shared_persistence import BaseSharedPersistence
from ozzy.contracts.stage import half_stateful, stateful
from ozzy.contracts.transform import BaseTransform
from ozzy.contracts.writer import BaseWriter, WriterContext, needs_files
from ozzy.errors import ConfigError, DestinationError, OzzyError, PluginError
from ozzy.log import reason
from ozzy.options.option import options_of
from ozzy.options.settings import NotifyWhen, StageErrorSettings
from ozzy.options.structure import Origin, examine
from ozzy.plan.bypasses import hindrance, installed_bypasses
from ozzy.plan.config import Config
from ozzy.plan.registry import Registry
from ozzy.plan.resolution import Resolved, resolve
from ozzy.plan.sections import Section
from ozzy.plan.several_readers import SEVERAL, SeveralReaders
from ozzy.plan.write_buffers import ReservoirOptions, reservoir_of

CHAIN = "chain"
"""What the module of a chain of filters is called."""

DEFAULTS = {"formatter": "json", "engine": "local", "persistence": "file", "stats_manager": "basic"}


@attrs.define(eq=False, repr=False)
class Part:
    """One module in its place: `stage` is its name in the books, `resolved` says what it is and where its options came from."""

    stage: str
    module: Any
    resolved: Resolved


def metadata_of(config: Config, started: datetime | None = None, *, allow_code: bool = False) -> Metadata:
    """What the modules of a config know in common when a run of it starts, or is only looked at."""
    metadata = Metadata(
        configuration=dict(config.raw),
        working_folder=config.working_folder,
        inherited=config.inherited,
        allow_code=allow_code,
        disable_retries=config.exporter_options.disable_retries,
    )
    return metadata if started is None else attrs.evolve(metadata, start_time=started)


@attrs.define(eq=False, repr=False)
class Pipeline:
    """What a config describes, built: every module made, nothing connected.

    A stage that the config leaves out is left out here too. `writers` maps labels to writers, `formatters` to the formatter of each,
    `routes` to the filter that decides which records a writer gets, where there is one, `samples` to the options of the sample that one
    gets instead of everything. `resolved` is what was found of each section. `bypasses` maps the names of those to be tried to them, in
    their order; `registry` is where all was found. `engine_origin` says where the number of workers came from.
    """

    config: Config
    metadata: Metadata
    parts: list[Part]
    reader: BaseReader
    filter_before: BaseFilter | None
    transforms: list[BaseTransform]
    filter_after: BaseFilter | None
    grouper: BaseGrouper | None
    writers: dict[str, BaseWriter]
    formatters: dict[str, BaseExportFormatter]
    engine: BaseEngine
    persistence: BasePersistence
    stats_manager: BaseStatsManager
    notifiers: list[BaseNotifier]
    told_when: list[NotifyWhen | None]
    routes: dict[str, BaseFilter] = attrs.field(factory=dict)
    samples: dict[str, ReservoirOptions] = attrs.field(factory=dict)
    resolved: list[Resolved] = attrs.field(factory=list)
    bypasses: dict[str, BaseBypass] = attrs.field(factory=dict)
    engine_origin: str = "default"
    registry: Registry = attrs.field(factory=Registry)

    @property
    def reader_name(self) -> str:
        """What the reader's module is called; `several` where there are several."""
        return SEVERAL if self.config.several_readers else self.part("reader").resolved.found.name

    @property
    def stateful(self) -> list[str]:
        """The stages that remember something from batch to batch."""
        return [part.stage for part in self.parts if stateful(part.module)]

    @property
    def stage_errors(self) -> dict[str, StageErrorSettings]:
        """What is done with bad records in the stages that say so themselves."""
        own = {part.stage: part.resolved.section.errors for part in self.parts}
        return {stage: errors for stage, errors in own.items() if errors is not None}

    @property
    def quarantines(self) -> bool:
        """Whether any stage puts bad records into quarantine."""
        return "quarantine" in {self.config.errors.policy, *(errors.policy for errors in self.stage_errors.values())}

    def part(self, stage: str) -> Part:
        """The part of this name."""
        return next(part for part in self.parts if part.stage == stage)

    def reader_stage(self, split: str) -> str:
        """The place in the config of the reader that a part of the source belongs to: `reader`, or `reader.0` where there are several."""
        if not self.config.several_readers:
            return "reader"
        label = split.partition("/")[0]
        return next((section.path for section in self.config.readers if label in {section.label, section.path}), "reader")

    def module_of(self, stage: str, split: str = "") -> tuple[str, str, str]:
        """The name, package and version of the module of a stage; `split` tells one of several readers. A chain of filters is `chain`."""
        place = self.reader_stage(split) if stage == "reader" else stage
        found = next((part for part in self.parts if part.stage == place), None)
        if found is not None:
            offered = found.resolved.found
            return offered.name, offered.package, offered.version
        name = SEVERAL if stage == "reader" else CHAIN
        return name, "ozzy-core", version("ozzy-core")

    def start_writers(
        self, run_id: str, started: datetime, folder: Path, *, dry_run: bool = False, beside: bool = False, epoch: int = 0
    ) -> None:
        """Tell each writer of the run it works for; with `beside`, its files get names that are free."""
        for label, writer in self.writers.items():
            writer.start(
                WriterContext(
                    run_id=run_id,
                    label=label,
                    started=started,
                    staging_folder=folder / "staged" / label,
                    formatter=self.formatters[label],
                    grouped=self.grouper is not None,
                    inherited=self.config.inherited,
                    dry_run=dry_run,
                    beside=beside,
                    epoch=epoch,
                    contested=isinstance(self.persistence, BaseSharedPersistence),
                )
            )

    def give_state_folders(self, folder: Path | None) -> None:
        """Tell each stage that remembers something where it may keep that on disk; None where the run leaves no trace."""
        for part in self.parts:
            if stateful(part.module):
                part.module.state_folder = folder / part.stage if folder is not None else None

    def fence(self, epoch: int) -> None:
        """Let each started writer shut out whoever works under an older epoch."""
        for label, writer in self.writers.items():
            with blamed_on(label, writer, DestinationError):
                writer.fence(epoch)

    def keep_writers_apart(self) -> None:
        """Refuse two started writers that give their files the same names: one would overwrite the other's. Raises ConfigError."""
        seen: dict[tuple[type, str], str] = {}
        for label, writer in self.writers.items() if len(self.writers) > 1 else ():
            place = writer.example() if isinstance(writer, BaseNamedFileWriter) else getattr(writer, "example", str)()
            other = seen.setdefault((type(writer), place), label)
            if place and other != label:
                raise ConfigError(
                    f"the writers {other} and {label} would write files of the same names", hint="Give each a filebase of its own."
                )

    def close(self) -> None:
        """Close every module, whatever one of them raises; the first error is raised at the end."""
        failed: Exception | None = None
        stages = (self.reader, self.filter_before, *self.transforms, self.filter_after, self.grouper, *self.routes.values())
        ends = (
            *self.bypasses.values(),
            *self.writers.values(),
            *self.formatters.values(),
            self.engine,
            self.persistence,
            self.stats_manager,
            *self.notifiers,
        )
        for module in filter(None, (*stages, *ends)):
            try:
                module.close()
            except Exception as error:
                failed = failed or error
        if failed is not None:
            raise failed


def build(config: Config, registry: Registry, metadata: Metadata, *, needs_writer: bool = True) -> Pipeline:
    """Resolve, check and make every module of a config. Raises ConfigError or PluginError with all that is wrong."""
    return _Builder(config, registry, metadata, resolve(config, registry, needs_writer=needs_writer)).pipeline()


class _Builder:
    def __init__(self, config: Config, registry: Registry, metadata: Metadata, resolved: list[Resolved]) -> None:
        self.config = config
        self.registry = registry
        self.metadata = metadata
        self.resolved = {one.section.path: one for one in resolved}
        self.parts: list[Part] = []

    def pipeline(self) -> Pipeline:
        config = self.config
        reader = self.several_readers() if config.several_readers else self.only_reader()
        filter_before = self.make_filter(config.filter_before, "filter_before")
        several = len(config.transforms) > 1
        transforms = [self.make(section, f"transform.{i}" if several else "transform") for i, section in enumerate(config.transforms)]
        filter_after = self.make_filter(config.filter_after, "filter_after")
        grouper = self.make(config.grouper, "grouper")
        writers, formatters, routes, samples = {}, {}, {}, {}
        for section in config.writers:
            label = section.label or "writer"
            formatters[label] = self.make(config.formatter, "formatter")
            if section.when is not None:
                routes[label] = self.make_filter(section.when, f"{label}.when")
            made = self.make(section, label)
            made.check_formatter(formatters[label])
            if config.inherited and isinstance(made, BaseNamedFileWriter) and made.read_option("if_exists") is None:
                config.notices.append(
                    f"{section.path}: existing files are overwritten, as the inherited system did; set if_exists to say what you want"
                )
            if sample := reservoir_of(made.read_option("write_buffer"), made.read_option("write_buffer_options")):
                samples[label] = sample
            writers[label] = FedFiles(made) if needs_files(type(made)) else made
        if not writers:
            self.make(config.formatter, "formatter")
        engine, origin = self.engine()
        pipeline = Pipeline(
            config=config,
            metadata=self.metadata,
            parts=self.parts,
            reader=reader,
            filter_before=filter_before,
            transforms=transforms,
            filter_after=filter_after,
            grouper=grouper,
            writers=writers,
            formatters=formatters,
            routes=routes,
            samples=samples,
            resolved=list(self.resolved.values()),
            engine=engine,
            engine_origin=origin,
            persistence=self.make(config.persistence, "persistence"),
            stats_manager=self.make(config.stats_manager, "stats_manager"),
            notifiers=[self.make(section, f"notifications.{i}") for i, section in enumerate(config.notifications)],
            registry=self.registry,
            told_when=[section.told_when for section in config.notifications],
        )
        pipeline.bypasses = self.bypasses(pipeline)
        return pipeline

    def bypasses(self, pipeline: Pipeline) -> dict[str, BaseBypass]:
        """The bypasses to try: those the config names, else those that are installed, where the pipeline leaves room for one."""
        asked = self.config.bypasses
        if asked is None:
            if hindrance(pipeline):
                return {}
            [reader], [writer] = self.config.readers, self.config.writers
            ends = self.resolved[reader.path].found.name, self.resolved[writer.path].found.name
            return installed_bypasses(self.registry, self.metadata, self.config.notices, ends)
        several = len(asked) > 1
        return {
            self.resolved[section.path].found.name: self.make(section, f"bypass.{i}" if several else "bypass")
            for i, section in enumerate(asked)
        }

    def engine(self) -> tuple[BaseEngine, str]:
        """The engine, and where its number of workers came from; unasked the usual one, where this registry has it."""
        section = self.config.engine
        if section is None:
            if not any(row.name == DEFAULTS["engine"] for row in self.registry.rows("engine")):
                return BaseEngine(None, self.metadata), "default"
            section = Section("engine", "engine", DEFAULTS["engine"])
            cls = self.registry.resolve("engine", section.name).cls
            examined = examine(cls, {}, path="engine.options", environ=self.config.environ)
            if examined.problems:
                raise ConfigError(f"{self.config.where} has a problem", problems=examined.problems)
            return cls({"name": section.name, "options": examined.value}, self.metadata), _origin(examined.origins)
        return self.make(section, "engine"), _origin(self.resolved[section.path].origins)

    def make_filter(self, section: Section | None, stage: str) -> Any:
        """A filter, or a chain with each of its members in a place of its own."""
        if section is None or not section.members:
            return self.make(section, stage)
        places = [(member.path.removeprefix(f"{section.path}."), member) for member in section.members]
        members = [(place, self.make_filter(member, f"{stage}.{place}")) for place, member in places]
        return FilterChain(section.name, members, self.metadata)

    def make(self, section: Any, stage: str) -> Any:
        if section is None:
            return None
        resolved = self.resolved[section.path]
        try:
            module = resolved.found.cls({"name": section.name, "options": resolved.options}, self.metadata)
        except OzzyError:
            raise
        except (Exception, SystemExit) as error:
            raise PluginError(
                f"{section.path} ({resolved.found.name} of {resolved.found.package}) can't be made: {reason(error)}",
                hint="Its constructor takes (options, metadata), and connects to nothing.",
            ) from error
        if not isinstance(module, BaseModule) or not hasattr(module, "options"):
            raise PluginError(f"{section.path}: {resolved.found.cls.__name__}.__init__ must call super().__init__(options, metadata)")
        if missing := half_stateful(module):
            raise PluginError(
                f"{section.path}: {resolved.found.cls.__name__} has no {missing}()",
                hint="A module that remembers something has both get_state() and set_state(state).",
            )
        if stage not in {part.stage for part in self.parts}:
            self.parts.append(Part(stage, module, resolved))
        return module

    def only_reader(self) -> BaseReader:
        """The reader, with its decoders: by the top-level sections, else by its own options."""
        [section] = self.config.readers
        reader: BaseReader = self.make(section, "reader")
        deserializer, decompressor = self.config.deserializer, self.config.decompressor
        _refuse_unused(type(reader), isinstance(reader, BaseStreamReader), deserializer, decompressor)
        if isinstance(reader, BaseStreamReader):
            self.give_decoders(reader, deserializer, decompressor)
        return reader

    def several_readers(self) -> BaseReader:
        """Several readers as one. What an entry of the list, or its options, leave open is decided by the top-level sections."""
        made: dict[str, BaseReader] = {}
        names = {}
        config = self.config
        for section in config.readers:
            label = section.label or section.path
            made[label] = reader = self.make(section, section.path)
            names[label] = self.resolved[section.path].found.name
            streams = isinstance(reader, BaseStreamReader)
            _refuse_unused(type(reader), streams, section.deserializer, section.decompressor)
            if isinstance(reader, BaseStreamReader):
                deserializer = config.deserializer if reader.read_option("deserializer") == "auto" else None
                decompressor = config.decompressor if reader.read_option("decompressor") == "auto" else None
                self.give_decoders(reader, section.deserializer or deserializer, section.decompressor or decompressor)
        streams = any(isinstance(reader, BaseStreamReader) for reader in made.values())
        _refuse_unused(SeveralReaders, streams, config.deserializer, config.decompressor)
        return SeveralReaders(made, names, self.metadata)

    def give_decoders(self, reader: BaseStreamReader, deserializer: Section | None, decompressor: Section | None) -> None:
        """Give a reader of streams its decoders: by these sections, else by its own options.

        A `batch_size` that the reader does not ask for is left to the decoder: columns go best in larger batches than lines.
        """
        size_option = options_of(type(reader)).get("batch_size")
        usual = size_option.default if size_option is not None else None

        def decoders(asked: str, name: str, head: bytes, batch_size: int) -> BaseDecoder:
            options: dict[str, Any] = {}
            if deserializer is not None:
                asked, options = deserializer.name, dict(deserializer.options)
            chosen = choose(name, head) if asked == "auto" else asked
            if batch_size != usual:
                options.setdefault("batch_size", batch_size)
            made: BaseDecoder = self.registry.resolve("deserializer", chosen).cls({"name": chosen, "options": options}, self.metadata)
            return made

        reader.decoders = decoders
        if decompressor is not None:
            reader.compression = decompressor.name


def _origin(origins: Mapping[str, Origin]) -> str:
    return str(origins.get("workers", "default"))


def _refuse_unused(reader: type, streams: bool, *sections: Section | None) -> None:
    """Refuse sections on decoding where no stream of bytes is read. Raises ConfigError."""
    for section in sections:
        if section is not None and not streams:
            raise ConfigError(f"{section.path}: the reader {reader.__name__} does not read streams of bytes, so there is nothing to decode")
