"""Types of options beyond Python's own, and how types and values are told to people."""

import copy
import pickle
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, ForwardRef, Literal, Optional, Union

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozzy.options.option import option, options
from ozzy.options.values import (
    ByteSize,
    Text,
    dict_list,
    displayed,
    int_list,
    is_list,
    is_mapping,
    is_union,
    kind_word,
    members,
    shown,
    str_list,
    type_name,
)


@options
class Nested:
    a: int = option()


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class TestText:
    def test_is_the_text_it_holds(self):
        assert Text("abc", "--set") == "abc"
        assert hash(Text("abc")) == hash("abc")

    def test_knows_where_it_came_from(self):
        assert Text("abc", "env A").origin == "env A"
        assert Text("abc").origin == ""

    @pytest.mark.parametrize("copied", [copy.deepcopy, copy.copy, lambda text: pickle.loads(pickle.dumps(text))])
    def test_keeps_its_origin_when_copied(self, copied):
        again = copied(Text("ü", "--set"))
        assert (type(again), again, again.origin) == (Text, "ü", "--set")


class TestByteSize:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("0", 0),
            ("17", 17),
            ("17 B", 17),
            ("64 MiB", 64 * 2**20),
            ("64mib", 64 * 2**20),
            ("4 GiB", 4 * 2**30),
            ("1 TiB", 2**40),
            ("3 KiB", 3 * 2**10),
            ("2 kB", 2000),
            ("1.5 GB", 1_500_000_000),
            ("1.5 KiB", 1536),
            ("2 TB", 2 * 10**12),
            ("7 MB", 7 * 10**6),
            (" 5 ", 5),
            ("99999999999999999999999", 99999999999999999999999),
        ],
    )
    def test_reads_units(self, text, expected):
        assert ByteSize.parse(text) == expected

    @pytest.mark.parametrize("text", ["", " ", "MiB", "-1", "1 XB", "1,5 GB", "1 MiB 2", "1e3", "٣", "0x10", "1.5.2 GB"])
    def test_refuses_what_is_no_size(self, text):
        with pytest.raises(ValueError, match="not a size"):
            ByteSize.parse(text)

    @settings(max_examples=50)
    @given(st.integers(min_value=0, max_value=10**15))
    def test_a_whole_number_is_itself(self, number):
        assert ByteSize.parse(str(number)) == number


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (int, "int"),
        (str, "str"),
        (bool, "bool"),
        (float, "float"),
        (Any, "anything"),
        (object, "anything"),
        (None, "null"),
        (type(None), "null"),
        (Path, "path"),
        (ByteSize, "size in bytes"),
        (list, "list"),
        (list[Any], "list"),
        (list[str], "list of str"),
        (list[list[int]], "list of list of int"),
        (tuple[int, ...], "list of int"),
        (tuple, "list"),
        (set[str], "list of str"),
        (dict, "dict"),
        (dict[str, Any], "dict"),
        (dict[str, int], "dict of int"),
        (Nested, "dict"),
        (list[Nested], "list of dict"),
        (str | None, "str or null"),
        (None | str, "str or null"),
        (Optional[list[str]], "list of str or null"),  # noqa: UP045
        (Union[str, dict[str, Any], list[str]], "str, dict or list of str"),  # noqa: UP007
        (str | Literal["a"], 'str or one of "a"'),
        ((str, list), "str or list"),
        ((str,), "str"),
        ((list, dict, Nested), "list or dict"),
        (str_list, "list of str"),
        (int_list, "list of int"),
        (dict_list, "list of dict"),
        (Literal["a", 1, None, True], 'one of "a", 1, null, true'),
        (Colour, 'one of "red", "blue"'),
        (Annotated[int, "words"], "int"),
        (ForwardRef("Somewhere"), "ForwardRef('Somewhere')"),
        ("Somewhere", "Somewhere"),
        (complex, "complex"),
    ],
)
def test_types_are_told_in_words(kind, expected):
    assert type_name(kind) == expected


@pytest.mark.parametrize(
    ("kind", "a_list", "a_mapping", "a_union"),
    [
        (list[str], True, False, False),
        (tuple, True, False, False),
        (frozenset[int], True, False, False),
        (str, False, False, False),
        (bytes, False, False, False),
        (dict[str, int], False, True, False),
        (Nested, False, True, False),
        (int | None, False, False, True),
        ((int, str), False, False, True),
        (Any, False, False, False),
        (Literal["a"], False, False, False),
    ],
)
def test_shapes_of_types(kind, a_list, a_mapping, a_union):
    assert (is_list(kind), is_mapping(kind), is_union(kind)) == (a_list, a_mapping, a_union)


def test_a_type_that_is_no_union_is_its_only_member():
    assert members(int) == (int,)
    assert members(int | None) == (int, type(None))
    assert members((int, str)) == (int, str)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "null"),
        (True, "true (bool)"),
        (3, "3 (int)"),
        (3.5, "3.5 (float)"),
        ("ñ", '"ñ" (str)'),
        (Text("a", "--set"), '"a" (str)'),
        ("", '"" (str)'),
        ([], "[] (list)"),
        ((1,), "[1] (tuple)"),
        ({"a": [1, None]}, '{"a": [1, null]} (dict)'),
        (ByteSize(3), "3 (int)"),
        (Path("/a"), f'"{Path("/a")}" ({type(Path("/a")).__name__})'),
        ({("a",): 1}, "a dict"),
    ],
)
def test_values_are_shown_with_their_type(value, expected):
    assert shown(value) == expected


def test_long_values_are_shown_shortened():
    assert shown("x" * 1000) == '"' + "x" * 58 + "… (str)"
    assert len(shown(list(range(10_000)))) < 80


def test_a_value_inside_itself_is_told_by_its_type():
    loop: list[Any] = []
    loop.append(loop)
    assert shown(loop) == "a list"


def test_the_type_of_a_value_in_a_word():
    assert [kind_word(one) for one in (None, {}, b"", Text("a"), True)] == ["null", "dict", "bytes", "str", "bool"]


def test_what_is_displayed_hides_keys_that_are_called_like_secrets():
    assert displayed({"password": "hunter2", "url": "ftp://me:hunter2@host"}) == '{"password": "***", "url": "ftp://me:***@host"} (dict)'
