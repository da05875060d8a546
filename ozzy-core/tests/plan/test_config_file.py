"""Config files are read strictly, and what is wrong with one is told with its line."""

import json
import math
import os
from datetime import date, datetime, time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozzy.errors import ConfigError
from ozzy.options.option import Text
from ozzy.plan.config_file import json_like, read_config_file


@pytest.fixture
def put(tmp_path, monkeypatch):
    """Writes a file in the current folder and gives its path."""
    monkeypatch.chdir(tmp_path)

    def write(name, content):
        path = Path(name)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def failure(path):
    with pytest.raises(ConfigError) as raised:
        read_config_file(path)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None
    return str(raised.value)


EXPECTED = {"name": "p", "reader": {"name": "random", "options": {"number_of_items": 10, "words": ["ñ", None, True, 1.5]}}}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("c.json", json.dumps(EXPECTED)),
        ("c.JSON", json.dumps(EXPECTED)),
        ("c.json", b"\xef\xbb\xbf" + json.dumps(EXPECTED).encode()),
        ("c.yaml", "name: p\nreader:\n  name: random\n  options: {number_of_items: 10, words: [ñ, null, true, 1.5]}\n"),
        ("c.yml", "name: p\nreader: {name: random, options: {number_of_items: 10, words: [ñ, ~, true, 1.5]}}\n"),
        ("c.conf", json.dumps(EXPECTED)),
        ("config", "name: p\nreader: {name: random, options: {number_of_items: 10, words: [ñ, ~, true, 1.5]}}\n"),
        ("c.txt", "{name: p, reader: {name: random, options: {number_of_items: 10, words: [ñ, ~, true, 1.5]}}}"),
    ],
)
def test_each_format_gives_the_same(put, name, content):
    assert read_config_file(put(name, content)) == EXPECTED


def test_toml(put):
    path = put("c.toml", 'name = "p"\n[reader]\nname = "random"\noptions = {number_of_items = 10, day = 2024-05-01, at = 10:00:00}\n')
    assert read_config_file(path) == {
        "name": "p",
        "reader": {"name": "random", "options": {"number_of_items": 10, "day": "2024-05-01", "at": "10:00:00"}},
    }


def test_yaml_dates_stay_texts_and_anchors_and_merges_work(put):
    path = put("c.yaml", "base: &b {a: 1, b: 2}\nmore: {<<: *b, b: 3}\nagain: {<<: *b}\nday: 2024-05-01\nat: 2024-05-01T10:00:00Z\n")
    assert read_config_file(path) == {
        "base": {"a": 1, "b": 2},
        "more": {"a": 1, "b": 3},
        "again": {"a": 1, "b": 2},
        "day": "2024-05-01",
        "at": "2024-05-01T10:00:00Z",
    }


def test_a_merged_mapping_may_be_merged_again(put):
    path = put("c.yaml", "a: &a {x: 1}\nb: &b {<<: *a, x: 2}\nc: {<<: *b, x: 3}\nd: *b\n")
    assert read_config_file(path) == {"a": {"x": 1}, "b": {"x": 2}, "c": {"x": 3}, "d": {"x": 2}}


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("c.json", '{"a": 1,}', "c.json is not valid JSON: "),
        ("c.json", '{"a": [}', "c.json is not valid JSON: Expecting value, line 1, column 8"),
        ("c.json", '{"a": NaN}', "c.json is not valid JSON: NaN is no number of JSON"),
        ("c.json", '{\n "a": 1,\n "a": 2}', "c.json has the key 'a' twice in one mapping\nKeep one of them."),
        ("c.json", "[" * 100_000, "c.json is nested too deeply"),
        ("c.json", '{"a": ' + "9" * 5000 + "}", "c.json is not valid JSON: Exceeds the limit"),
        ("c.conf", '{"a": [}', "c.conf is not valid JSON: Expecting value, line 1, column 8"),
        ("c.conf", "a: [", "c.conf is not valid YAML: "),
        ("c.yaml", "a: 1\nb: 2\na: 3\n", "c.yaml is not valid YAML: the key 'a' stands twice in one mapping, line 3, column 1"),
        ("c.yaml", "x:\n  - {b: 1, b: 2}\n", "c.yaml is not valid YAML: the key 'b' stands twice in one mapping, line 2, column 12"),
        ("c.yaml", "a: [1\nb: 2\n", "c.yaml is not valid YAML: while parsing a flow sequence: expected ',' or ']', but got ':', line 2"),
        ("c.yaml", "a: b: c", "c.yaml is not valid YAML: mapping values are not allowed here, line 1, column 5"),
        ("c.yaml", "\ta: b", "c.yaml is not valid YAML: while scanning for the next token: found character '\\t' that cannot"),
        ("c.yaml", "a: 1\n---\nb: 2\n", "c.yaml is not valid YAML: expected a single document in the stream"),
        ("c.yaml", "a: *nowhere\n", "c.yaml is not valid YAML: found undefined alias 'nowhere', line 1, column 4"),
        ("c.yaml", "a: \x01b", "c.yaml is not valid YAML: special characters are not allowed"),
        ("c.yaml", "? [a]\n: 1\n", "c.yaml is not valid YAML: while constructing a mapping: found unhashable key, line 1, column 3"),
        ("c.yaml", "a: !!int x\n", "c.yaml is not valid YAML: a value can't be what its form or tag says"),
        ("c.yaml", "[" * 3000, "c.yaml is nested too deeply"),
        (
            "c.yaml",
            "a: 1\nb: !!python/object/apply:os.system ['ls']\n",
            "c.yaml has the YAML tag !!python/object/apply:os.system, which is not allowed, line 2, column 4\nA config",
        ),
        ("c.yaml", "a: !custom x\n", "c.yaml has the YAML tag !custom, which is not allowed, line 1, column 4"),
        ("c.toml", "a = \n", "c.toml is not valid TOML: invalid value, line 1, column 5"),
        ("c.toml", "a = 1\na = 2\n", "c.toml is not valid TOML: cannot overwrite a value, line 2, column 6"),
        ("c.toml", "a = " + "[" * 100_000, "c.toml is nested too deeply"),
        ("c.json", "[1]", "c.json holds a list, not a mapping\nIts top level has keys: name, reader, writer, …"),
        ("c.yaml", "words", "c.yaml holds a text, not a mapping"),
        ("c.yaml", "# nothing\n", "c.yaml holds nothing, not a mapping"),
        ("c.json", "5", "c.json holds one value, not a mapping"),
        ("c.json", "", "c.json is empty\nA config has at least a reader and a writer."),
        ("c.yaml", " \n\t\n", "c.yaml is empty"),
        ("c.yaml", b"a: \xff", "c.yaml is not UTF-8: byte 3 can't be read\nSave it as UTF-8."),
        ("c.yaml", "1: a\n", "c.yaml holds what a config can't\n  1: keys are texts, and this one is of type int (write it in quotes)"),
        ("c.yaml", "a: {b: !!binary 'aGk='}\n", "c.yaml holds what a config can't\n  a.b: a config holds texts, numbers,"),
        ("c.yaml", "a: &x [*x]\n", "c.yaml holds what a config can't\n  a.0.0.0"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(put, name, content, expected):
    assert failure(put(name, content)).startswith(expected)


def test_a_few_lines_that_unfold_into_very_many_values_are_refused(put):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    assert "a config holds at most 1000000 values" in failure(put("c.yaml", "\n".join(lines)))


def test_a_file_that_is_not_there(put):
    put("config.yaml", "a: 1")
    assert failure(Path("confg.yaml")) == "there is no config file confg.yaml\nDid you mean config.yaml?"
    assert failure(Path("zzz")) == "there is no config file zzz"
    assert failure(Path("no/such.yaml")) == "there is no config file no/such.yaml\nThere is no folder no."


def test_a_folder(tmp_path):
    assert failure(tmp_path) == f"{tmp_path} is a folder, not a config file\nName a file in it."


def test_a_file_that_may_not_be_read(put, monkeypatch):
    path = put("c.yaml", "a: 1")

    def denied(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", denied)
    assert failure(path) == "there is no permission to read c.yaml"


def test_a_disk_that_fails(put, monkeypatch):
    path = put("c.yaml", "a: 1")

    def broken(_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "read_bytes", broken)
    assert failure(path) == "c.yaml can't be read: Input/output error"


def test_a_name_that_can_not_be(put):
    assert failure(Path("a\0b")) == "a\0b can't be read: embedded null byte"


def test_an_error_never_quotes_the_file(put):
    for name, content in [
        ("c.json", '{"password": "hunter2" oops}'),
        ("c.yaml", "password: hunter2: x"),
        ("c.toml", 'password = "hunter2\n'),
    ]:
        assert "hunter2" not in failure(put(name, content))


class TestJsonLike:
    def copied(self, value):
        problems = []
        return json_like(value, problems), [str(problem) for problem in problems]

    def test_dates_and_paths_become_texts(self):
        value = {"a": date(2024, 1, 2), "b": datetime(2024, 1, 2, 3), "c": time(4), "d": Path("x/y")}
        assert self.copied(value) == ({"a": "2024-01-02", "b": "2024-01-02T03:00:00", "c": "04:00:00", "d": str(Path("x/y"))}, [])

    def test_texts_from_outside_and_tuples_stay(self):
        value, problems = self.copied({"a": (Text("x", "--set"), 1)})
        assert (value, problems) == ({"a": ("x", 1)}, [])
        assert value["a"][0].origin == "--set"

    def test_everything_else_is_a_problem(self):
        value, problems = self.copied({"a": [object()], "b": {1: 2}, "c": b"x", "d": len})
        assert value == {"a": [None], "b": {"1": 2}, "c": None, "d": None}
        told = "a config holds texts, numbers, booleans, null, lists and mappings; this is a"
        assert problems == [
            f"a.0: {told} object",
            "b.1: keys are texts, and this one is of type int (write it in quotes)",
            f"c: {told} bytes",
            f"d: {told} builtin_function_or_method",
        ]

    def test_a_path_in_bytes_is_a_problem(self):
        class Raw:
            def __fspath__(self):
                return b"x"

        assert self.copied({"a": Raw()})[1] == ["a: a config holds texts, numbers, booleans, null, lists and mappings; this is a Raw"]

    @settings(max_examples=50)
    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
            lambda one: st.lists(one) | st.dictionaries(st.text(), one),
        )
    )
    def test_plain_values_are_copied_exactly(self, value):
        assert self.copied(value) == (value, [])

    def test_numbers_that_json_has_not_stay(self):
        (value, problems) = self.copied([math.inf])
        assert (value, problems) == ([math.inf], [])


def test_a_pipe_is_refused_before_anybody_waits_for_it(tmp_path):
    os.mkfifo(tmp_path / "c.json")

    assert failure(tmp_path / "c.json") == (
        f"{tmp_path / 'c.json'} is a pipe, not a config file\nSave the config in a file: a resumed run is to find it again."
    )
