"""The groupers of the core keep their contract."""
# ruff: noqa: RUF012

from zoneinfo import ZoneInfo

from ozzy.builtin.groupers.file_key import FileKeyGrouper
from ozzy.builtin.groupers.no_grouper import NoGrouper
from ozzy.builtin.groupers.python_exp import PythonExpGrouper
from ozzy.builtin.groupers.time import TimeGrouper
from ozzy.testing.filter import GrouperContract


class TestNoGrouper(GrouperContract):
    module = NoGrouper


class TestFileKeyGrouper(GrouperContract):
    module = FileKeyGrouper
    options = {"keys": ["country", "active"]}


class TestFileKeyGrouperByNestedFields(GrouperContract):
    module = FileKeyGrouper
    options = {"keys": ["address.city", "tags"]}


MADRID = ZoneInfo("Europe/Madrid")
"""Rules that are read once, so that making a grouper reads nothing."""


class TestTimeGrouper(GrouperContract):
    module = TimeGrouper
    options = {"field": "order.at", "zone": MADRID.key, "format": ["%Y", "%m-%d %H:%M"]}
    records = [
        {"id": 1, "order": {"at": "2024-03-31T00:59:00Z"}},
        {"id": 2, "order": {"at": "2024-03-31T01:00:00Z"}},
        {"id": 3, "order": {"at": 1711846800}},
        {"id": 4, "order": {"at": None}},
        {"id": 5, "order": {"at": "2024-03-31T01:00:00Z"}},
    ]


class TestTimeGrouperThatRejects(GrouperContract):
    module = TimeGrouper
    options = {"field": "at", "unit": "ms", "missing": "reject"}
    records = [{"id": 1, "at": 0}, {"id": 2, "at": 1711846800000}, {"id": 3, "at": "2024-03-31"}]


class TestPythonExpGrouper(GrouperContract):
    module = PythonExpGrouper
    options = {"python_expressions": ["item.get('country', 'none')[:1]", "item.get('active')"]}
