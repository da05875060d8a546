"""The persistences of the core keep their contract."""

from ozzy.builtin.persistence.file import FilePersistence
from ozzy.testing.persistence import PersistenceContract


class TestFilePersistence(PersistenceContract):
    module = FilePersistence
