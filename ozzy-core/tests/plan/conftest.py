import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Puts packages where Python finds them, with the metadata that pip writes; their modules are forgotten afterwards."""
    site = tmp_path / "site-packages"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))

    def put(
        name: str,
        *,
        plugin: str | None = None,
        version: str = "1.0",
        modules: Mapping[str, str] | None = None,
        entry_points: str | None = None,
    ) -> Path:
        """`plugin` is the text of `NAME/plugin.py`; `modules` maps further files to their text."""
        package = name.replace("-", "_")
        info = site / f"{package}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        entry = name.removeprefix("ozzy-").replace("-", "_")
        (info / "entry_points.txt").write_text(entry_points or f"[ozzy.plugins]\n{entry} = {package}.plugin\n")
        files = {"__init__.py": "", **({} if plugin is None else {"plugin.py": plugin}), **(modules or {})}
        for file, text in files.items():
            path = site / package / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        importlib.invalidate_caches()
        return site

    yield put
    for module_name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(site)):
            del sys.modules[module_name]


@pytest.fixture
def made() -> Callable[..., str]:
    """The text of a plugin.py with one hook that returns an expression."""

    def text(hook: str, returned: str) -> str:
        return f"from ozzy import Module, hookimpl\n\n@hookimpl\ndef {hook}():\n    return {returned}\n"

    return text
