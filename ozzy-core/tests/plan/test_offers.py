"""A plugin is asked by itself, and what it answers is checked before any of it counts."""

from types import ModuleType

import pytest

from ozzy import BaseReader, Module, PluginError, Registry, hookimpl

HERE = "ozzy.contracts.reader:BaseReader"


class Tap(BaseReader):
    """Reads from a tap.

    And more.
    """


def plugin(name: str = "tap_plugin", **functions) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(functions)
    return module


def reading(given) -> ModuleType:
    @hookimpl
    def ozzy_read():
        return given

    return plugin(ozzy_read=ozzy_read)


def refused(one) -> str:
    registry = Registry()
    with pytest.raises(PluginError) as caught:
        registry.register(one, package="ozzy-tap", version="1", entry_name="tap")
    assert registry.rows() == []
    return caught.value.message


@pytest.mark.parametrize("given", [Tap, HERE, Module(HERE, "Reads from a tap.")])
def test_a_module_is_a_class_a_text_or_a_module(given):
    registry = Registry()
    registry.register(reading({"tap": given}), package="ozzy-tap", version="1")
    (row,) = registry.rows()
    assert (row.name, row.kind, row.package, row.version) == ("tap", "reader", "ozzy-tap", "1")
    assert row.summary == ("" if isinstance(given, str) else "Reads from a tap.")


def test_a_class_without_a_docstring_has_no_summary():
    registry = Registry()
    registry.register(reading({"tap": type("Quiet", (BaseReader,), {"__doc__": None})}))
    assert registry.rows()[0].summary == ""


def test_a_plugin_registered_by_hand_is_named_after_itself():
    registry = Registry()
    registry.register(reading({"tap": Tap}))
    assert registry.rows()[0].package == "tap_plugin"


def test_aliases_may_be_a_list():
    registry = Registry()
    registry.register(reading({"tap": Module(HERE, aliases=["faucet"])}))
    assert registry.resolve("reader", "faucet").module.aliases == ("faucet",)


@pytest.mark.parametrize("name", ["a", "s3", "kafka_scanner", "a_1", "x9_"])
def test_a_short_name_is_made_of_small_letters_digits_and_underscores(name):
    registry = Registry()
    registry.register(reading({name: Tap}))
    assert registry.rows()[0].name == name


@pytest.mark.parametrize("name", ["", "S3", "3s", "_tap", "ta-p", "t/p", "t.p", "täp", "tap ", "tap\n", 5, None])
def test_any_other_name_is_refused(name):
    assert refused(reading({name: Tap})) == (
        f"its ozzy_read() has the name {name!r}: a short name is made of a-z, 0-9 and _, and begins with a letter"
    )


@pytest.mark.parametrize("path", ["", "tap", "tap.Tap", "tap:", ":Tap", "t-p:Tap", "tap:Tap()", "a..b:C", "a:B:C", 5, None])
def test_a_path_that_is_none_is_refused(path):
    given = Module(path)
    assert refused(reading({"tap": given})) == f"its ozzy_read() gives 'tap' the path {path!r}: it must look like \"package.module:Class\""


def test_a_nested_class_has_a_path():
    registry = Registry()
    registry.register(reading({"tap": "a.b:Outer.Inner"}))
    assert registry.rows()[0].name == "tap"


@pytest.mark.parametrize("given", [5, None, Tap(), ("a:B",), {"path": "a:B"}])
def test_anything_else_than_a_module_is_refused(given):
    assert refused(reading({"tap": given})) == (
        f"its ozzy_read() gives 'tap' as {type(given).__name__}: it must be a class, a text or a Module"
    )


@pytest.mark.parametrize("aliases", ["faucet", None, 5, (5,)])
def test_aliases_that_are_no_tuple_of_texts_are_refused(aliases):
    assert refused(reading({"tap": Module("a:B", aliases=aliases)})) == (
        f"its ozzy_read() gives 'tap' the aliases {aliases!r}: they must be a tuple of texts"
    )


def test_a_summary_that_is_no_text_is_refused():
    assert refused(reading({"tap": Module("a:B", ("faucet",))})) == "its ozzy_read() gives 'tap' a summary that is tuple: it must be a text"


@pytest.mark.parametrize("given", [None, [], ["tap"], "tap", Tap])
def test_a_hook_that_returns_no_mapping_is_refused(given):
    assert refused(reading(given)) == f"its ozzy_read() must return a mapping from short name to module, not {type(given).__name__}"


def test_an_empty_mapping_is_an_answer():
    registry = Registry()
    registry.register(reading({}))
    assert registry.rows() == []


def test_one_bad_hook_and_nothing_of_the_plugin_counts():
    @hookimpl
    def ozzy_read():
        return {"tap": Tap}

    @hookimpl
    def ozzy_write():
        raise SystemExit("no pump")

    assert refused(plugin(ozzy_read=ozzy_read, ozzy_write=ozzy_write)) == "its ozzy_write() failed: SystemExit: no pump"


def test_a_refused_plugin_can_be_registered_once_it_is_right():
    registry = Registry()
    one = reading(5)
    with pytest.raises(PluginError):
        registry.register(one)
    one.ozzy_read = reading({"tap": Tap}).ozzy_read
    registry.register(one)
    assert [row.name for row in registry.rows()] == ["tap"]


def test_a_misspelt_hook_makes_it_a_plugin_for_another_ozzy():
    @hookimpl
    def ozzy_reed():
        return {}

    assert refused(plugin(ozzy_reed=ozzy_reed)) == (
        "it was made for another ozzy: this one knows no hook ozzy_reed (did its author mean ozzy_read?)"
    )


def test_a_hook_of_a_later_ozzy_makes_it_a_plugin_for_another_ozzy():
    @hookimpl
    def teleport_records():
        return {}

    assert refused(plugin(teleport_records=teleport_records)) == "it was made for another ozzy: this one knows no hook teleport_records"


def test_a_hook_marked_as_optional_may_be_unknown():
    @hookimpl(optionalhook=True)
    def teleport_records():
        return {}

    registry = Registry()
    registry.register(plugin(teleport_records=teleport_records, ozzy_read=reading({"tap": Tap}).ozzy_read))
    assert [row.name for row in registry.rows()] == ["tap"]


def test_a_hook_with_another_function_name_is_found():
    @hookimpl(specname="ozzy_read")
    def readers():
        return {"tap": Tap}

    registry = Registry()
    registry.register(plugin(readers=readers))
    assert registry.resolve("reader", "tap").cls is Tap


def test_a_hook_that_wants_arguments_is_refused():
    @hookimpl
    def ozzy_read(config):
        return {}

    message = refused(plugin(ozzy_read=ozzy_read))
    assert "ozzy_read" in message
    assert "config" in message
    assert "\n" not in message


def test_a_hook_without_its_mark_is_named():
    assert refused(plugin(ozzy_read=lambda: {"tap": Tap})) == "its ozzy_read() is not marked with @hookimpl"


def test_a_method_without_its_mark_is_named():
    class Hooks:
        @staticmethod
        def ozzy_read():
            return {"tap": Tap}

    assert refused(Hooks()) == "its ozzy_read() is not marked with @hookimpl"


def test_a_static_method_is_a_hook():
    class Hooks:
        @staticmethod
        @hookimpl
        def ozzy_read():
            return {"tap": Tap}

    registry = Registry()
    registry.register(Hooks())
    assert registry.rows()[0].package == "Hooks"


def test_a_plugin_without_hooks_says_so():
    assert refused(plugin()) == "it has no hooks"


def test_none_is_no_plugin():
    assert refused(None) == "its entry point leads to None, not to a module with hooks"


def test_a_plugin_is_registered_once():
    registry = Registry()
    one = reading({"tap": Tap})
    registry.register(one, package="ozzy-tap")
    with pytest.raises(PluginError, match="it is the plugin of ozzy-tap:ozzy-tap under a second name"):
        registry.register(one, package="ozzy-faucet")
    assert len(registry.rows()) == 1


def test_two_plugins_of_one_package_need_two_names():
    registry = Registry()
    registry.register(reading({"tap": Tap}), package="ozzy-tap", entry_name="tap")
    with pytest.raises(PluginError, match="ozzy-tap has a plugin called tap already"):
        registry.register(reading({"tip": Tap}), package="ozzy-tap", entry_name="tap")
