"""What a run remembers of its config: enough to see whether it has changed, and to go on without the file; never a secret."""

from collections.abc import Iterator, Mapping
from typing import Any

from ozzy.options.secrets import masked, without_secrets
from ozzy.plan.config import Config
from ozzy.plan.pipeline import Pipeline

SHOWN = 80


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
    values |= _flat("errors", masked(None, config.errors))
    values |= _flat("checkpoint", masked(None, config.checkpoint))
    return values | ({"bookmark": True} if config.bookmark else {})


def difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What differs between two signatures, a line each: the path, what it was and what it is."""
    paths = sorted({*before, *now})
    return [
        f"{path}: was {_shown(before, path)}, is {_shown(now, path)}"
        for path in paths
        if before.get(path) != now.get(path) or (path in before) != (path in now)
    ]


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


def _shown(values: Mapping[str, Any], path: str) -> str:
    if path not in values:
        return "not there"
    text = repr(values[path])
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
