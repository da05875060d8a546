from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import IntEnum
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ozzy.data.positions import pack, unpack
from ozzy.errors import StateError


def saved(position: Any) -> Any:
    return unpack(msgspec.json.decode(msgspec.json.encode(pack(position))))


def kinds(value: Any) -> Any:
    """A value with the type of every part, since 1 == 1.0 == True."""
    if isinstance(value, dict):
        return [(kinds(key), kinds(one)) for key, one in value.items()]
    return (type(value), [kinds(one) for one in value]) if isinstance(value, (list, tuple)) else (type(value), value)


texts = st.text(st.characters(exclude_categories=["Cs"]))
keys = st.recursive(
    st.none() | st.booleans() | st.integers() | texts | st.binary(), lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=3
)
leaves = keys | st.floats(allow_nan=False, allow_infinity=False) | st.dates() | st.datetimes() | st.datetimes(timezones=st.just(UTC))
positions = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4) | st.lists(inner, max_size=4).map(tuple) | st.dictionaries(keys | st.just("$ozzy:x"), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(positions)
def test_a_position_comes_back_as_it_was(position):
    assert kinds(saved(position)) == kinds(position)


@pytest.mark.parametrize(
    "position",
    [
        None,
        {},
        {"$ozzy:tuple": [1]},
        {"$ozzy:": {"$ozzy:bytes": b""}},
        {1: "a", "1": "b", (1, b"x"): None},
        {"offset": 2**70, "file": "日本/a.jl"},
        datetime(2026, 3, 29, 2, 30, tzinfo=timezone(timedelta(hours=-3, minutes=-30))),
        datetime(2026, 3, 29, 2, 30, 0, 1),
        date(2026, 3, 29),
        {"a": [(), [], {}], "b": b"\0\xff"},
    ],
)
def test_positions_of_every_kind(position):
    assert kinds(saved(position)) == kinds(position)


def test_plain_json_stays_plain():
    assert pack({"file": "a", "rows": [1, 2.5, None, True]}) == {"file": "a", "rows": [1, 2.5, None, True]}


def test_texts_and_numbers_of_a_subclass_are_taken_for_what_they_derive_from():
    class Text(str):
        __slots__ = ()

    class Kind(IntEnum):
        ONE = 1

    class Share(float):
        __slots__ = ()

    assert kinds(saved({Text("a"): [Text("b"), Kind.ONE, Share(0.5)]})) == kinds({"a": ["b", 1, 0.5]})


def test_mutable_bytes_come_back_as_bytes():
    assert saved(bytearray(b"x")) == b"x"


@pytest.mark.parametrize("position", [float("nan"), [float("inf")], {"a": -float("inf")}])
def test_what_would_not_come_back_equal_is_refused(position):
    with pytest.raises(StateError, match="a reader's position does not survive being saved") as caught:
        pack(position)

    assert caught.value.hint == "Positions may hold JSON, tuples, bytes, dates and datetimes."


@pytest.mark.parametrize(
    ("position", "kind"), [({1}, "set"), ([Decimal(1)], "Decimal"), ({"a": object()}, "object"), ({frozenset(): 1}, "frozenset")]
)
def test_what_has_no_form_is_refused(position, kind):
    with pytest.raises(StateError, match=f"a reader's position holds a {kind}, which can't be saved"):
        pack(position)


def test_a_text_that_is_no_unicode_is_refused():
    with pytest.raises(StateError, match=r"a reader's position can't be saved: .*surrogates not allowed"):
        pack({"file": "\ud800"})


def test_a_kind_of_a_newer_version_is_told():
    with pytest.raises(StateError, match="a saved position holds an unknown kind of value, set"):
        unpack({"$ozzy:set": [1]})
