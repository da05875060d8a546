"""The testing persistence that several processes share: it passes its suite, and fails as it is told to."""

from ozzy.testing import SharedPersistence, SharedPersistenceContract


class TestSharedPersistence(SharedPersistenceContract):
    module = SharedPersistence
    options = {"store": "store"}  # noqa: RUF012
