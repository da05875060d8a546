"""The persistences of the core keep their contract."""

from ozzy.builtin.persistence.file import FilePersistence
from ozzy.builtin.persistence.pickle import PicklePersistence
from ozzy.testing.persistence import PersistenceContract


class TestFilePersistence(PersistenceContract):
    module = FilePersistence


class TestPicklePersistence(PersistenceContract):
    module = PicklePersistence
