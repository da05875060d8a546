"""Persistences for shared state that are wrong, each in one way."""
# ruff: noqa: E501, RUF012

import re
import time

from ozzy import BaseSharedPersistence, SharedPersistenceOptions, StateError, Stored, option, options
from ozzy.testing import SharedPersistence, SharedPersistenceContract


@options
class ShelfOptions(SharedPersistenceOptions):
    shelf: str = option(default="shelf", help="The folder of the store.")


class Shelf(BaseSharedPersistence):
    """A folder with a file for each document: looks at the version, then writes, and others may come between."""

    Options = ShelfOptions

    def file(self, key):
        return self.path(self.options.shelf) / key.replace("/", "~")

    def read_document(self, key):
        if not self.file(key).exists():
            return None
        version, _, content = self.file(key).read_bytes().partition(b"\n")
        return Stored(content, version.decode())

    def write_document(self, key, content, expected):
        found = self.read_document(key)
        if (found.version if found else None) != expected:
            return None
        version = str(int(found.version) + 1 if found else 1)
        time.sleep(0.002)
        self.file(key).parent.mkdir(exist_ok=True)
        new = self.file(key).with_name(f"{time.monotonic_ns()}.new")
        new.write_bytes(version.encode() + b"\n" + content)
        new.replace(self.file(key))
        return version

    def list_documents(self, prefix):
        shelf = self.path(self.options.shelf)
        found = [path.name.replace("~", "/") for path in shelf.iterdir()] if shelf.exists() else []
        return [key for key in found if key.startswith(prefix)]

    def delete_document(self, key):
        self.file(key).unlink(missing_ok=True)


class TestShelf(SharedPersistenceContract):
    module = Shelf
    says = {
        "test_of_several_writes_at_once_each_counts_once": r"Shelf: 30 steps of counting, written where the version was the expected one, come to",
        "test_a_version_never_comes_back": r"Shelf: versions come back: \[\"1\", \"2\", \"3\", \"1\"\]",
    }


class NeverAsks(Shelf):
    """Writes whatever the version."""

    def write_document(self, key, content, expected):
        found = self.read_document(key)
        return super().write_document(key, content, found.version if found else None)


class TestNeverAsks(SharedPersistenceContract):
    module = NeverAsks
    says = {
        "test_a_write_counts_only_where_the_version_is_the_expected_one": r"write_document\(\) writes where it expects a version and there is no document",
        "test_of_several_at_once_one_gets_the_lease": r"of 6 who take a lease at once \d get it",
        "test_a_stale_holder_commits_nothing": r"commit_position\(\) under an older epoch is not refused",
    }


class OnlyAsksWhereThereIsOne(SharedPersistence):
    """Two who write where there is nothing both succeed."""

    def write_document(self, key, content, expected):
        if expected is None:
            found = self.read_document(key)
            expected = found.version if found else None
        return super().write_document(key, content, expected)


class TestOnlyAsksWhereThereIsOne(SharedPersistenceContract):
    module = OnlyAsksWhereThereIsOne
    options = {"store": "store"}
    says = {
        "test_a_write_counts_only_where_the_version_is_the_expected_one": r"accepts a write that expects no document where there is a newer one",
    }


class WildCards(SharedPersistence):
    """Lists by a pattern in which case does not count, nor what `_` stands for."""

    def list_documents(self, prefix):
        pattern = re.escape(prefix).replace("_", ".")
        return [key for key in super().list_documents("") if re.match(pattern, key, re.IGNORECASE)]


class TestWildCards(SharedPersistenceContract):
    module = WildCards
    options = {"store": "store"}
    says = {"test_documents_are_listed_by_the_beginning_of_their_keys": r"list_documents\(\) of '.*a/' gives .*/A/1"}


class AsText(SharedPersistence):
    """Keeps texts."""

    def write_document(self, key, content, expected):
        return super().write_document(key, content.decode(errors="replace").encode(), expected)


class TestAsText(SharedPersistenceContract):
    module = AsText
    options = {"store": "store"}
    says = {"test_a_document_is_what_was_written": r"another object does not read what was written under the key"}


class NothingThere(SharedPersistence):
    """Takes a store that fails for an empty one."""

    def read_document(self, key):
        try:
            return super().read_document(key)
        except StateError:
            return None

    def list_documents(self, prefix):
        return []


class TestNothingThere(SharedPersistenceContract):
    module = NothingThere
    options = {"store": "store"}
    says = {"test_documents_are_listed_by_the_beginning_of_their_keys": r"list_documents\(\) of .* gives \[\]"}


class UnfencedCommits(SharedPersistence):
    """Commits by a way of its own, whatever the epoch."""

    def commit_position(self, last_position):
        self.documents.epoch = 0
        super().commit_position(last_position)


class TestUnfencedCommits(SharedPersistenceContract):
    module = UnfencedCommits
    options = {"store": "store"}
    says = {"test_a_stale_holder_commits_nothing": r"commit_position\(\) under an older epoch is not refused"}


@options
class KeyedOptions(SharedPersistenceOptions):
    store: str = option(default="store", help="The store.")
    password: str = option(help="The password.")


class TellsItsPassword(SharedPersistence):
    """Names its password in its address."""

    Options = KeyedOptions

    def address(self):
        return f"store with {self.options.password}"


class TestTellsItsPassword(SharedPersistenceContract):
    module = TellsItsPassword
    options = {"password": "a secret one"}
    says = {"test_secrets_are_never_told": r"password"}


class WithoutItsRun(SharedPersistence):
    """Gives a URI that leads nowhere."""

    uri_regex = r"other://(?P<run>.+)"


class TestWithoutItsRun(SharedPersistenceContract):
    module = WithoutItsRun
    options = {"store": "store"}
    says = {"test_a_uri_names_a_run": r"does not name a run of the persistence WithoutItsRun"}
