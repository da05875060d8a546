"""What authors of plugins prove their modules with: contract suites to derive from, modules with faults, and kills anywhere.

    from ozzy.testing import ReaderContract

    class TestTap(ReaderContract):
        module = TapReader
        options = {"tap": "kitchen"}

It needs pytest: `pip install ozzy-core[testing]`.
"""

from ozzy.testing.bare import BareWriter
from ozzy.testing.bypass import BypassContract
from ozzy.testing.decoder import DecoderContract
from ozzy.testing.engine import EngineContract
from ozzy.testing.filter import FilterContract, GrouperContract
from ozzy.testing.formatter import FormatterContract
from ozzy.testing.kill import KillContract
from ozzy.testing.ledger import LedgerWriter
from ozzy.testing.memory import MemoryPersistence
from ozzy.testing.module import ModuleContract
from ozzy.testing.modules import registry
from ozzy.testing.persistence import PersistenceContract
from ozzy.testing.reader import ReaderContract
from ozzy.testing.report import NotifierContract, StatsManagerContract
from ozzy.testing.scripted import Abort, Bad, End, Pause, ScriptedReader
from ozzy.testing.shared import SharedPersistence
from ozzy.testing.shared_persistence import SharedPersistenceContract
from ozzy.testing.takeover import TakeoverContract
from ozzy.testing.transform import TransformContract
from ozzy.testing.writer import WriterContract

__all__ = [
    "Abort",
    "Bad",
    "BareWriter",
    "BypassContract",
    "DecoderContract",
    "End",
    "EngineContract",
    "FilterContract",
    "FormatterContract",
    "GrouperContract",
    "KillContract",
    "LedgerWriter",
    "MemoryPersistence",
    "ModuleContract",
    "NotifierContract",
    "Pause",
    "PersistenceContract",
    "ReaderContract",
    "ScriptedReader",
    "SharedPersistence",
    "SharedPersistenceContract",
    "StatsManagerContract",
    "TakeoverContract",
    "TransformContract",
    "WriterContract",
    "registry",
]
