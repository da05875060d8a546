"""The engines of the core keep their contract."""

from ozzy import BaseEngine
from ozzy.builtin.engines.local import LocalEngine
from ozzy.testing.engine import EngineContract


class TestLocalEngine(EngineContract):
    module = LocalEngine


class TestBaseEngine(EngineContract):
    module = BaseEngine
    processes = False
