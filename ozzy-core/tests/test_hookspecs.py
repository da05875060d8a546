"""The hooks are the table of contents: one for each kind, each with a page's worth of meaning in its docstring."""

import inspect

import pytest
from pluggy import PluginManager

from ozzy import Module, hookimpl, hookspecs
from ozzy.hookspecs import KINDS

HOOKS = [name for name in vars(hookspecs) if name.startswith("ozzy_")]


def test_the_nine_verbs_and_decode_and_stats_are_there_in_the_order_of_the_data():
    verbs = ["read", "decode", "filter", "transform", "group", "format", "write", "persist", "stats", "notify", "bypass", "engine"]
    assert [f"ozzy_{verb}" for verb in verbs] == HOOKS


def test_each_kind_has_its_hook_in_the_same_order():
    assert list(KINDS.values()) == HOOKS


def test_the_kinds_are_the_words_of_a_config():
    assert list(KINDS) == [
        "reader",
        "deserializer",
        "filter",
        "transform",
        "grouper",
        "formatter",
        "writer",
        "persistence",
        "stats_manager",
        "notifications",
        "bypass",
        "engine",
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_hook_says_its_kind_and_what_its_modules_are(kind):
    text = inspect.getdoc(getattr(hookspecs, KINDS[kind])) or ""
    assert f"kind `{kind}`" in text
    assert "subclasses of `Base" in text


def test_no_two_hooks_say_the_same():
    assert len({getattr(hookspecs, hook).__doc__ for hook in HOOKS}) == len(HOOKS)


def test_the_specs_are_typed_and_take_nothing():
    for hook in HOOKS:
        signature = inspect.signature(getattr(hookspecs, hook))
        assert (list(signature.parameters), signature.return_annotation) == ([], hookspecs.Modules)


def test_pluggy_knows_every_hook():
    manager = PluginManager("ozzy")
    manager.add_hookspecs(hookspecs)
    assert sorted(vars(manager.hook)) == sorted(HOOKS)


def test_hookimpl_marks_a_function_and_leaves_it_callable():
    @hookimpl
    def ozzy_read():
        return {"tap": "a:B"}

    assert ozzy_read() == {"tap": "a:B"}
    assert ozzy_read.ozzy_impl["wrapper"] is False


def test_a_module_is_a_value():
    module = Module("a.b:C", summary="Reads.", aliases=("x",))
    assert module == Module("a.b:C", "Reads.", ("x",))
    assert Module("a.b:C") == Module("a.b:C", "", ())
    with pytest.raises(AttributeError):
        module.path = "x:Y"
