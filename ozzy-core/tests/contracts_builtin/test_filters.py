"""The filters of the core keep their contract."""
# ruff: noqa: RUF012

from ozzy.builtin.filters.dupe import DupeFilter
from ozzy.builtin.filters.key_value import KeyValueFilter, KeyValueRegexFilter
from ozzy.builtin.filters.no_filter import NoFilter
from ozzy.builtin.filters.python_exp import PythonExpFilter
from ozzy.testing.filter import FilterContract


class TestNoFilter(FilterContract):
    module = NoFilter


class TestKeyValueFilter(FilterContract):
    module = KeyValueFilter
    options = {
        "keys": [
            {"name": "country", "value": ["es", "España"], "operator": "in"},
            {"name": "active", "value": True},
        ]
    }


class TestKeyValueFilterOnNestedFields(FilterContract):
    module = KeyValueFilter
    options = {"keys": [{"name": "address/city", "value": "City 1"}], "nested_field_separator": "/"}


class TestKeyValueRegexFilter(FilterContract):
    module = KeyValueRegexFilter
    options = {"keys": [{"name": "name", "value": "näme [3-8]"}]}


class TestKeyValueFilterThatCompares(FilterContract):
    module = KeyValueFilter
    options = {
        "keys": [
            {"name": "id", "value": 2, "operator": ">="},
            {"name": "name", "value": "näme 5", "operator": "!="},
            {"name": "country", "value": ["uk"], "operator": "not_in"},
            {"name": "nothing", "value": False, "operator": "exists"},
        ]
    }


class TestDupeFilter(FilterContract):
    module = DupeFilter
    options = {"key_field": "country"}


class TestDupeFilterOfSeveralFields(FilterContract):
    module = DupeFilter
    options = {"keys": ["country", "address.city"], "memory": "64 KiB"}


class TestPythonExpFilter(FilterContract):
    module = PythonExpFilter
    options = {"python_expression": "item.get('country') == 'es' or 'name' in item and len(str(item['name'])) % 2"}


class TestPythonExpFilterThatChangesWhatItSees(FilterContract):
    module = PythonExpFilter
    options = {"python_expression": "item.pop('country', None) == 'es' or item.update(country='uk') or len(item) > 3"}


class TestPythonExpFilterThatDraws(FilterContract):
    module = PythonExpFilter
    options = {"python_expression": "random.random() < 0.5"}
