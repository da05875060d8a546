"""What a run remembers of its config: enough to see whether it has changed, and to go on without the file; never a secret."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from ozzy.options.secrets import masked, without_secrets
from ozzy.plan.config import Config
from ozzy.plan.pipeline import Pipeline

SHOWN = 80

HARMLESS = ("checkpoint.every_", "engine.", "notifications.", "stats_manager.")
"""Paths of a signature that begin so say when a run is safe, who works and who is told of it, not what comes out."""

HARMLESS_OPTIONS = (".options.check_consistency",)
"""Options of any module that only look."""


def stored(config: Config, pipeline: Pipeline) -> tuple[dict[str, Any], list[str]]:
    """The config as written, `${…}` unresolved and literal secrets left out, and the paths of what was left out."""
    return without_secrets(config.raw, [part.resolved for part in pipeline.parts])


def signature(config: Config, pipeline: Pipeline) -> dict[str, Any]:
    """Every value that makes a pipeline what it is, by its path; secrets are masked, so that a new password is no change."""
    values: dict[str, Any] = {}
    for part in pipeline.parts:
        resolved = part.resolved
        values[f"{part.stage}.name"] = resolved.found.name
        values |= _flat(f"{part.stage}.options", masked(resolved.found.cls, resolved.options))
        if resolved.section.errors is not None:
            values |= _flat(f"{part.stage}.errors", masked(None, resolved.section.errors))
    own = [one for section in config.readers for one in (section.deserializer, section.decompressor)]
    for section in (*own, config.deserializer, config.decompressor):
        if section is not None:
            values |= _flat(section.path, masked(None, {"name": section.name, "options": section.options}))
    values |= {f"{section.path}.label": section.label for section in config.readers if section.label is not None}
    values |= _flat("errors", masked(None, config.errors))
    values |= _flat("checkpoint", masked(None, config.checkpoint))
    return values | ({"bookmark": True} if config.bookmark else {})


def versions(pipeline: Pipeline) -> dict[str, str]:
    """The version of each package that has a module in a pipeline, by its name; one that has no version is left out."""
    found = {part.resolved.found.package: part.resolved.found.version for part in pipeline.parts}
    return {package: version for package, version in sorted(found.items()) if version}


def config_hash(config: Config, pipeline: Pipeline) -> str:
    """The same for two configs that make the same of the same source, whatever their secrets and what is harmless."""
    values = {path: value for path, value in signature(config, pipeline).items() if not harmless(path)}
    return hashlib.sha256(json.dumps(values, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()


def harmless(path: str) -> bool:
    """Whether the value at a path of a signature can't change what comes out of a pipeline."""
    return path.startswith(HARMLESS) or path.endswith(HARMLESS_OPTIONS)


def _flat(path: str, value: Any) -> dict[str, Any]:
    return dict(_walk(path, value))


def _walk(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, one in value.items():
            yield from _walk(f"{path}.{key}", one)
    elif isinstance(value, (list, tuple)) and value:
        for index, one in enumerate(value):
            yield from _walk(f"{path}.{index}", one)
    else:
        yield path, value if value is None or isinstance(value, (bool, int, float)) else str(value)


def shown(values: Mapping[str, Any], path: str) -> str:
    """A value for people, cut where it is long."""
    if path not in values:
        return "not there"
    text = repr(values[path])
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
