"""The groupers of the core keep their contract."""
# ruff: noqa: RUF012

from ozzy.builtin.groupers.file_key import FileKeyGrouper
from ozzy.builtin.groupers.no_grouper import NoGrouper
from ozzy.testing.filter import GrouperContract


class TestNoGrouper(GrouperContract):
    module = NoGrouper


class TestFileKeyGrouper(GrouperContract):
    module = FileKeyGrouper
    options = {"keys": ["country", "active"]}


class TestFileKeyGrouperByNestedFields(GrouperContract):
    module = FileKeyGrouper
    options = {"keys": ["address.city", "tags"]}
