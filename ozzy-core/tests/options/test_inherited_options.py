"""Modules that declare `supported_options`: types as isinstance has them, values raw, variables parsed."""

import copy
import pickle
from typing import Any

import pytest

from ozzy.options.option import Text, dict_list, int_list, str_list
from ozzy.options.structure import Origin, examine, structured


def old(**supported):
    return type("Old", (), {"supported_options": supported})


class TestInheritedModules:
    @pytest.mark.parametrize(
        ("declared", "value"),
        [
            ({"type": str}, "a"),
            ({"type": int}, 5),
            ({"type": float}, 5),
            ({"type": bool}, True),
            ({"type": list}, ["a", 1]),
            ({"type": dict}, {"a": 1}),
            ({"type": tuple}, ["a"]),
            ({"type": object}, 3.5),
            ({"type": object}, True),
            ({"type": Any}, True),
            ({}, None),
            ({"type": (str, list, dict)}, {"a": 1}),
            ({"type": (str, list, tuple), "default": None}, None),
            ({"type": int, "default": None}, None),
            ({"type": dict, "default": []}, []),
            ({"type": str_list}, ["a", 1, None]),
            ({"type": int_list}, ["1", 2.5]),
            ({"type": dict_list}, [{}, [("a", 1)]]),
            ({"type": (str, str_list)}, ["a"]),
            ({"type": (str, str_list)}, "a"),
        ],
    )
    def test_values_stay_raw(self, declared, value):
        assert structured(old(x=declared), {"x": value}, environ={}) == {"x": value}

    @pytest.mark.parametrize(
        ("declared", "value", "expected"),
        [
            ({"type": str}, 5, "expected str, given 5 (int)"),
            ({"type": int}, "5", 'expected int, given "5" (str)'),
            ({"type": int}, True, "expected int, given true (bool)"),
            ({"type": int}, 3.7, "expected int, given 3.7 (float)"),
            ({"type": bool}, 1, "expected bool, given 1 (int)"),
            ({"type": float}, False, "expected float, given false (bool)"),
            ({"type": list}, "abc", 'expected list, given "abc" (str)'),
            ({"type": dict}, [], "expected dict, given [] (list)"),
            ({"type": str}, None, "expected str, given null"),
            ({"type": int, "default": 1}, True, "expected int, given true (bool)"),
            ({"type": (str, list)}, 5, "expected str or list, given 5 (int)"),
            ({"type": str_list}, "abc", 'expected list of str, given "abc" (str)'),
            ({"type": str, "choices": ["a"]}, "b", 'expected one of "a", given "b" (str)'),
            ({"type": int, "minimum": 1}, 0, "expected int of at least 1, given 0 (int)"),
            ({"type": str, "secret": True}, 5, "expected str, given a value of type int, not shown because it is secret"),
        ],
    )
    def test_other_types_are_refused(self, declared, value, expected):
        assert [str(one) for one in examine(old(x=declared), {"x": value}, environ={}).problems] == [f"options.x: {expected}"]

    def test_each_member_that_can_not_be_cast_is_told(self):
        found = examine(old(x={"type": int_list}), {"x": [1, "a", None]}, environ={})
        assert [str(one) for one in found.problems] == [
            'options.x.1: expected something that can be cast to int, given "a" (str)',
            "options.x.2: expected something that can be cast to int, given null",
        ]

    @pytest.mark.parametrize(
        ("kind", "text", "expected"),
        [
            (str, "5", "5"),
            (int, "5", 5),
            (float, "1.5", 1.5),
            (bool, "true", True),
            (list, "a,b", ["a", "b"]),
            (list, '[1, "a"]', [1, "a"]),
            (dict, '{"a": 1}', {"a": 1}),
            (object, "5", "5"),
            ((int, str), "5", "5"),
            ((object, str), "5", "5"),
            ((str, dict), '{"a": 1}', {"a": 1}),
            ((int, float), "1.5", 1.5),
            (str_list, "a,b", ["a", "b"]),
            (int_list, "1,2", [1, 2]),
            (dict_list, '[{"a": 1}]', [{"a": 1}]),
        ],
    )
    def test_a_variable_is_parsed(self, kind, text, expected):
        found = examine(old(x={"type": kind, "env_fallback": "X"}), {}, environ={"X": text})
        assert found.problems == []
        assert found.value == {"x": expected}
        assert type(found.value.x) is type(expected)
        assert found.origins == {"x": Origin("env X")}

    @pytest.mark.parametrize(
        ("kind", "text", "expected"),
        [
            (int, "abc", 'options.x: expected int, given "abc" (str) from env X'),
            ((int, float), "abc", 'options.x: expected int or float, given "abc" (str) from env X'),
            (int_list, "1,a", 'options.x.1: expected something that can be cast to int, given "a" (str) from env X'),
        ],
    )
    def test_a_variable_that_can_not_be_parsed_is_told(self, kind, text, expected):
        found = examine(old(x={"type": kind, "env_fallback": "X"}), {}, environ={"X": text})
        assert [str(one) for one in found.problems] == [expected]

    def test_required_and_unknown_options(self):
        found = examine(old(a={"type": int}, b={"type": str, "env_fallback": "B"}, c={"default": 1}), {"aa": 1}, environ={})
        assert [str(one) for one in found.problems] == [
            "options.aa: unknown option (did you mean a?)",
            "options.a: missing; expected int",
            "options.b: missing; expected str (give it here or set the environment variable B)",
        ]

    def test_defaults_are_not_shared(self):
        module = old(a={"type": list, "default": []})
        structured(module, {}, environ={})["a"].append(1)
        assert structured(module, {}, environ={}) == {"a": []}

    def test_options_are_attributes_too(self):
        found = structured(old(a={"type": int}), {"a": 1}, environ={})
        assert found.a == 1
        with pytest.raises(AttributeError):
            _ = found.b
        assert repr(found) == "Values(a)"
        assert copy.deepcopy(found) == pickle.loads(pickle.dumps(found)) == found

    def test_structured_options_can_be_structured_again(self):
        module = old(a={"type": int_list}, b={"type": dict, "default": None}, c={"type": str, "default": "x"})
        once = structured(module, {"a": Text("1,2")}, environ={})
        assert structured(module, once, environ={}) == once
