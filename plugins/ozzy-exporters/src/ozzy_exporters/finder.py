"""Finds `exporters.…`: the core's own finder of inherited modules, with the names of this package, and a warning for each module."""

import sys
import warnings
from collections.abc import Callable
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from ozzy.plan.inherited import module_spec
from ozzy_exporters.names import GONE, INSTEAD, MORE

ROOT = "exporters"


class InheritedModules:
    """Asked by Python for modules it can't find. Nothing behind a module is imported before a name of it is used."""

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        if not name.startswith(f"{ROOT}."):
            return None
        gone = GONE.get(name.split(".")[1])
        if gone is not None:
            raise ModuleNotFoundError(f"{name} has no counterpart in ozzy: {gone}", name=name)
        spec = module_spec(name, _class_of, MORE)
        if spec is not None:
            assert spec.loader is not None
            spec.loader = _Warning(spec.loader)
        return spec


class _Warning(Loader):
    """Loads a module whose first use is told."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> None:
        """Python makes the module."""

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        warn_of(module)


def install(name: str) -> None:
    """Make the package of this name find its modules, and its own names, below."""
    package = sys.modules[name]
    spec = module_spec(name, _class_of, MORE)
    assert spec is not None
    assert spec.loader is not None
    documentation = package.__doc__
    spec.loader.exec_module(package)
    package.__doc__ = documentation
    warn_of(package)
    if InheritedModules not in sys.meta_path:
        sys.meta_path.append(InheritedModules)


def warn_of(module: ModuleType) -> None:
    """Let a module warn when the first of its names is used, and give classes that can be driven by hand too."""
    look_up: Callable[[str], Any] = vars(module)["__getattr__"]
    warned = False

    def __getattr__(name: str) -> Any:  # noqa: N807
        from ozzy_exporters.by_hand import hand_driven

        nonlocal warned
        value = look_up(name)
        if not warned:
            warnings.warn(_told(module.__name__), DeprecationWarning, stacklevel=2)
            warned = True
        return hand_driven(value) if isinstance(value, type) else value

    vars(module)["__getattr__"] = __getattr__


def _told(name: str) -> str:
    module = name.partition(".")[2]
    return f"{name} is an inherited spelling; use {INSTEAD.get(module) or f'ozzy.{module}'}"


def _class_of(kind: str, name: str) -> type:
    from ozzy.plan.registry import Registry

    return Registry.load().resolve(kind, name).cls
