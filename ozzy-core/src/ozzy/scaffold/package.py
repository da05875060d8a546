"""The files of a new plugin: what stands in each, and how they come to their place."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template

from ozzy.errors import DestinationError, PluginError
from ozzy.hookspecs import KINDS
from ozzy.plan.registry import Registry
from ozzy.scaffold.kinds import Sample
from ozzy.scaffold.names import Names

_ALWAYS = {
    ".github/workflows/ci.yml": "ci.yml",
    ".gitignore": "gitignore",
    "CHANGELOG.md": "CHANGELOG.md",
    "README.md": "README.md",
    "noxfile.py": "noxfile.py",
    "pyproject.toml": "pyproject.toml",
    "tests/test_readme.py": "test_readme.py",
}
"""Files of every package, each with its template."""


def package_files(names: Names, samples: Sequence[Sample], version: str) -> dict[str, str]:
    """Every file of the package: path to text. `version` is the oldest ozzy-core that it works with."""
    words = _words(names, samples, version)
    made = {path: _filled(f"package/{template}", words) for path, template in _ALWAYS.items()}
    source = f"src/{names.module}"
    made |= {
        f"{source}/__init__.py": f'"""{names.title} for ozzy."""\n',
        f"{source}/plugin.py": _filled("package/plugin.py", words),
        f"{source}/py.typed": "",
    }
    if words["mounted"]:
        made |= {
            f"{source}/client.py": _filled("package/client.py", words),
            "tests/conftest.py": _filled("package/conftest.py", words),
            "tests/server.py": _filled("package/server.py", words),
            "tests/service.py": _filled("package/service.py", words),
        }
    for sample in samples:
        made |= {
            f"{source}/{sample.file}.py": _filled(f"{sample.kind}/module.py", words),
            f"tests/test_contract_{sample.file}.py": _filled(f"{sample.kind}/test_contract.py", words),
            f"tests/test_{sample.file}.py": _filled(f"{sample.kind}/test_module.py", words),
        }
    return dict(sorted(made.items()))


def refuse_taken_names(names: Names, samples: Sequence[Sample], registry: Registry) -> None:
    """Raise PluginError where another package offers a module of the same kind and short name."""
    wanted = {sample.kind for sample in samples}
    for row in registry.rows():
        if row.kind in wanted and row.name == names.short and row.package != names.package:
            raise PluginError(f"there is a {row.kind} {row.name} already, of {row.package}", hint="Choose another name.")


def write_package(made: Mapping[str, str], folder: Path) -> None:
    """Put the files into a new folder, all or none. Raises DestinationError, also where there is anything of that name."""
    if folder.exists() or folder.is_symlink():
        raise DestinationError(f"{folder} exists already", hint="Nothing was changed. Move it away, or choose another name or --directory.")
    if not folder.parent.is_dir():
        raise DestinationError(f"there is no folder {folder.parent}", hint="Make it first, or choose another --directory.")
    try:
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as begun:
            whole = Path(begun) / folder.name
            for path, text in made.items():
                (whole / path).parent.mkdir(parents=True, exist_ok=True)
                (whole / path).write_text(text, encoding="utf-8", newline="\n")
            whole.rename(folder)
    except OSError as error:
        raise DestinationError(f"{folder} can't be made: {error}") from error


def _words(names: Names, samples: Sequence[Sample], version: str) -> dict[str, str]:
    """What templates are filled with."""
    words = {
        "host": names.host,
        "module": names.module,
        "package": names.package,
        "short": names.short,
        "title": names.title,
        "variable": names.variable,
        "version": version,
        "offered": _listed([f"a {sample.kind.replace('_', ' ')}" for sample in samples]),
    }
    parts = list(dict.fromkeys(sample.server for sample in samples if sample.server is not None))
    words["mounted"] = ", ".join(f'"{part}": {part.capitalize()}()' for part in parts)
    words["parts"] = "\n\n\n".join(_filled(f"service/{part}.py", words).rstrip() for part in parts)
    words["hooks"] = "\n\n\n".join(_hooks(words, samples))
    words["sections"] = "\n".join(_sections(words, samples)).rstrip()
    words["added"] = "\n".join(f"- The {sample.kind} `{names.short}`." for sample in samples)
    return words


def _hooks(words: Mapping[str, str], samples: Sequence[Sample]) -> Iterator[str]:
    for sample in samples:
        more = {"hook": KINDS[sample.kind], "file": sample.file, "cls": words["title"] + sample.cls, "summary": sample.summary}
        yield _filled("package/hook.py", {**words, **more}).rstrip()


def _sections(words: Mapping[str, str], samples: Sequence[Sample]) -> Iterator[str]:
    for sample in samples:
        yield f"## The {sample.kind} `{words['short']}`\n"
        yield _filled(f"{sample.kind}/README.md", words)


def _filled(template: str, words: Mapping[str, str]) -> str:
    text = files("ozzy.scaffold").joinpath("templates", f"{template}.txt").read_text(encoding="utf-8")
    return Template(text).substitute(words)


def _listed(words: Sequence[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
