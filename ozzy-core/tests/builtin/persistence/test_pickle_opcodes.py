"""Pickles are read as far as they are plain values, and nothing in them is run."""

import contextlib
import pickle
import pickletools
import subprocess
from collections import OrderedDict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ozzy.builtin.persistence import pickle_opcodes
from ozzy.builtin.persistence.pickle_opcodes import plain_value
from ozzy.errors import StateError

NUMBERS = st.integers(min_value=-(2**80), max_value=2**80)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.tuples(inner, inner, inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@settings(max_examples=100, deadline=None)
@given(VALUES, st.sampled_from([0, 1, 2]))
def test_plain_values_come_back(value, protocol):
    assert plain_value(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"(dp0\nS'path'\np1\nS'/d\\xc3\\xbc'\np2\nsS'n'\nI10\nsS'yes'\nI01\ns.", {"path": "/dü", "n": 10, "yes": True}),
        (b"\x80\x02}q\x00(U\x04pathq\x01U\x04/d\xc3\xbcq\x02U\x01nK\nU\x03yes\x88u.", {"path": "/dü", "n": 10, "yes": True}),
        (b"L12345678901234567890L\n.", 12345678901234567890),
        (b'S"it\'s"\n.', "it's"),
        (b"V\\u00f1\n.", "ñ"),
        (b"T\x02\x00\x00\x00\xff\xfe.", "\udcff\udcfe"),
        (b"I3\n(I1\nI2\n1.", 3),
        (b"I1\nI2\n0.", 1),
        (b"]I1\n2a.", None),
        (b"(lp0\ng0\n0.", []),
        (b"]r\x05\x00\x00\x00j\x05\x00\x00\x000.", []),
        (b"F1.5\n.", 1.5),
    ],
)  # fmt: skip
def test_pickles_as_python_2_wrote_them(content, value):
    if value is None:
        with pytest.raises(StateError):
            plain_value(content)
    else:
        assert plain_value(content) == value


class Evil:
    def __reduce__(self):
        return (subprocess.check_call, (["touch", "evil"],))


@pytest.mark.parametrize("protocol", [0, 1, 2])
@pytest.mark.parametrize("value", [Evil(), OrderedDict(a=1), {1, 2}, object(), 1j, b"bytes", [{"deep": Evil()}]])
def test_whatever_would_run_is_refused_unexecuted(value, protocol, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content = pickle.dumps(value, protocol)
    assert "GLOBAL" in {opcode.name for opcode, _, _ in pickletools.genops(content)}

    with pytest.raises(StateError, match="is refused: a state is made of plain values"):
        plain_value(content)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("code", sorted(pickle_opcodes.REFUSED))
def test_each_operation_that_leads_outside_is_refused(code):
    with pytest.raises(StateError, match="refused"):
        plain_value(b"(" + code + b"os\nsystem\n.")


def test_every_operation_there_is_is_known_or_refused():
    """The table of Python is the measure: what protocols 0 to 2 have is either done or refused by name."""
    codes = {opcode.name: opcode.code.encode("latin-1") for opcode in pickletools.opcodes if opcode.proto <= 2}
    known = {*pickle_opcodes.REFUSED, *pickle_opcodes._OPERATIONS}

    assert {name for name, code in codes.items() if code not in known} == {"STOP"}


@pytest.mark.parametrize(
    "content",
    [
        b"", b".", b"I1\n", b"I1\nI2\n.", b"x", b"t.", b"a.", b"]I1\n", b"(I1\nd.", b"N}s.", b"h\x07.", b"p0\n.", b"S'open\n.", b"Sx\n.",
        b"X\xff\xff\xff\xffabc.", b"T\xff\xff\xff\xffabc.", b"\x8b\xff\xff\xff\x7fabc.", b"r\xff\xff\xff\x7f.", b"(0.", b"]]s.", b"}]]s.",
        b"L" + b"9" * 5000 + b"L\n.", b"I" + b"9" * 5000 + b"\n.", b"(.", b"I1", b"(2.",
    ],
)  # fmt: skip
def test_damaged_ones_are_an_error(content):
    with pytest.raises(StateError, match="no pickle of the inherited system, or it is damaged"):
        plain_value(content)


def test_one_of_python_3_is_told_so():
    with pytest.raises(StateError, match="written by Python 3"):
        plain_value(pickle.dumps({"a": 1}, 4))


def test_a_huge_one_is_not_read(monkeypatch):
    monkeypatch.setattr(pickle_opcodes, "LIMIT", 10)
    with pytest.raises(StateError, match="it has 11 bytes"):
        plain_value(b"x" * 11)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_a_value_or_an_error(content):
    with contextlib.suppress(StateError):
        plain_value(content)
