"""A store of documents that fails when it is told to."""

import pytest

from ozzy import Stored
from ozzy.contracts import documents


class Store:
    """A store in memory; `failing` makes so many calls of a method raise."""

    def __init__(self):
        self.kept = {}
        self.count = 0
        self.failing = {}
        self.after = {}

    def meet(self, method):
        if self.failing.get(method, 0):
            self.failing[method] -= 1
            raise OSError("the line is cut")

    def read_document(self, key):
        self.meet("read")
        return self.kept.get(key)

    def write_document(self, key, content, expected):
        self.meet("write")
        found = self.kept.get(key)
        if (found.version if found else None) != expected:
            return None
        self.count += 1
        self.kept[key] = Stored(content, str(self.count))
        for change in self.after.pop(key, ()):
            change()
        self.meet("answer")
        return str(self.count)

    def list_documents(self, prefix):
        self.meet("list")
        return [key for key in self.kept if key.startswith(prefix)]

    def delete_document(self, key):
        self.meet("delete")
        self.kept.pop(key, None)


@pytest.fixture
def at_once(monkeypatch):
    """Attempts follow each other without a pause."""
    monkeypatch.setattr(documents, "PAUSES", (0.0, 0.0, 0.0))


@pytest.fixture
def store():
    return Store()
