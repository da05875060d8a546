"""Options are declared once, on an attrs class or in an inherited dict; either gives the other."""

# ruff: noqa: RUF012 - inherited modules declare their options like this

from pathlib import Path
from typing import Any, Literal

import attrs
import pytest

from ozzy.errors import PluginError
from ozzy.options.option import (
    ByteSize,
    Option,
    dict_list,
    fields_of,
    int_list,
    option,
    options,
    options_class,
    options_of,
    str_list,
    supported_options_of,
)


@options
class Base:
    batch_size: int = option(default=10, minimum=1, maximum=99, help="Records in a batch.")


@options
class Full(Base):
    host: str = option(example="db.example.com")
    password: str = option(env="DB_PASSWORD", secret=True)
    mode: str = option(default="a", choices=["a", "b"])
    from_: str | None = option(default=None)
    tags: list[str] = option(default=["x"])
    made: dict[str, int] = option(factory=dict)
    bare: bool = False
    _private: int = option(default=1)
    hidden: int = attrs.field(default=5, init=False)
    writer: str = option(default="fs", kind_of="writer")


class Module:
    Options = Full


def test_a_declaration_says_everything_once():
    found = options_of(Module)
    assert list(found) == ["batch_size", "host", "password", "mode", "from", "tags", "made", "bare", "private", "writer"]
    assert found["batch_size"] == Option(
        name="batch_size", type=int, default=10, minimum=1, maximum=99, help="Records in a batch.", attribute="batch_size"
    )
    assert found["mode"].choices == ("a", "b")
    assert found["host"].example == "db.example.com"
    assert found["writer"].kind_of == "writer"
    assert found["password"].env == "DB_PASSWORD"
    assert (found["from"].attribute, found["from"].type_name) == ("from_", "str or null")
    assert found["private"].attribute == "_private"


def test_required_is_what_has_neither_default_nor_variable():
    found = options_of(Module)
    assert [name for name, one in found.items() if one.required] == ["host"]
    assert [name for name, one in found.items() if not one.has_default] == ["host", "password"]
    assert found["from"].default is None
    assert found["made"].default == {}


def test_mutable_defaults_are_not_shared():
    first, second = Full(host="h", password="p"), Full(host="h", password="p")
    first.tags.append("y")
    assert second.tags == ["x"]
    assert options_of(Module)["tags"].default == ["x"]


def test_options_are_frozen_and_given_by_name():
    made = Full(host="h", password="p")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        made.host = "other"
    with pytest.raises(TypeError):
        Full("h")


def test_a_repr_never_shows_a_secret():
    assert "hunter2" not in repr(Full(host="h", password="hunter2"))
    assert "password=***" in repr(Full(host="h", password="hunter2"))


def test_an_option_called_like_a_secret_is_one_unless_it_says_no():
    @options
    class Named:
        api_key: str = option()
        page_token: str = option(secret=False)
        key: str = option()

    assert {name: one.secret for name, one in options_of(Named).items()} == {"api_key": True, "page_token": False, "key": False}


def test_an_options_class_has_options_itself():
    assert list(options_of(Base)) == ["batch_size"]


def test_types_written_as_text_are_found():
    @options
    class Later:
        a: "list[int]" = option(default=[])

    assert options_of(Later)["a"].type == list[int]


def test_a_type_that_is_nowhere_is_an_error_of_the_plugin():
    @options
    class Lost:
        a: "Nowhere" = option(default=1)  # noqa: F821

    with pytest.raises(PluginError, match=r"Lost: the type of an option is unknown.*Nowhere"):
        options_of(Lost)


def test_a_default_that_needs_the_instance_is_left_to_it():
    @options
    class Derived:
        a: int = option(default=1)
        b: int = attrs.field(default=attrs.Factory(lambda self: self.a + 1, takes_self=True))

    assert options_of(Derived)["b"].has_default
    assert Derived(a=5).b == 6


class OldBase:
    supported_options = {"a": {"type": int}, "b": {"type": str, "default": "x"}}


class Old(OldBase):
    supported_options = {
        "b": {"type": (str, (list, dict)), "default": None, "help": "Words."},
        "key": {"type": str, "env_fallback": "KEY", "secret": True},
        "secret_key": {"type": str, "env_fallback": "SECRET_KEY"},
        "limits": {"default": []},
        "mode": {"type": str, "default": "x", "choices": ["x", "y"], "minimum": 1, "maximum": 9, "example": "y"},
    }


class TestInheritedDeclarations:
    def test_are_merged_over_the_bases(self):
        found = options_of(Old)
        assert list(found) == ["a", "b", "key", "secret_key", "limits", "mode"]
        assert found["b"].type == (str, list, dict)
        assert found["b"].help == "Words."
        assert found["a"].required
        assert not found["key"].required
        assert (found["key"].env, found["key"].secret, found["secret_key"].secret) == ("KEY", True, True)
        assert found["limits"].type is object
        assert (found["mode"].choices, found["mode"].minimum, found["mode"].maximum) == (("x", "y"), 1, 9)

    def test_a_default_is_the_declarations_own(self):
        options_of(Old)["limits"].default.append(1)
        assert Old.supported_options["limits"]["default"] == []

    def test_below_a_class_with_options_take_those_too(self):
        class Mixed(Module):
            supported_options = {"extra": {"type": int}}

        assert options_class(Mixed) is None
        assert "host" in options_of(Mixed)
        assert options_of(Mixed)["extra"].required

    def test_above_a_class_with_options_are_left_behind(self):
        class New(Old):
            Options = Base

        assert list(options_of(New)) == ["batch_size"]

    def test_none_at_all(self):
        class Empty:
            pass

        assert options_of(Empty) == {}
        assert options_class(Empty) is None

    def test_an_option_that_is_no_dict_is_an_error_of_the_plugin(self):
        class Wrong:
            supported_options = {"a": int}

        with pytest.raises(PluginError, match=r"Wrong: supported_options\['a'\] is no dict"):
            options_of(Wrong)

    @pytest.mark.parametrize("kind", ["str", 5, (str, "list"), None])
    def test_a_type_that_is_none_is_an_error_of_the_plugin(self, kind):
        class Wrong:
            supported_options = {"a": {"type": kind}}

        with pytest.raises(PluginError, match="has a type that is none"):
            options_of(Wrong)


@options
class ForOld:
    a: int = option()
    b: bool = option(default=True)
    c: float = option(default=1.5)
    d: str | None = option(default=None, env="D", help="Words.")
    e: list[str] = option(default=[])
    f: list[int] = option(default=[])
    g: list[dict[str, Any]] = option(default=[])
    h: list[float] = option(default=[])
    i: tuple[float, ...] = option(default=())
    j: dict[str, int] = option(default={})
    k: Path = option(default=Path("x"))
    m: ByteSize = option(default=ByteSize(1))
    n: Literal["a"] = option(default="a")
    o: Any = option(default=None)
    p: str | list[str] = option(default="", choices=("",))
    q: Base = option(factory=Base)
    r: str_list = option(default=[])
    s: str = option(default="x", secret=True)


def test_the_inherited_form_is_derived():
    found = supported_options_of(ForOld)
    types = {name: one["type"] for name, one in found.items()}
    assert types == {
        "a": int, "b": bool, "c": float, "d": str, "e": str_list, "f": int_list, "g": dict_list, "h": list, "i": tuple, "j": dict,
        "k": str, "m": int, "n": str, "o": object, "p": (str, str_list), "q": dict, "r": str_list, "s": str,
    }  # fmt: skip
    assert found["a"] == {"type": int}
    assert found["d"] == {"type": str, "default": None, "env_fallback": "D", "help": "Words."}
    assert found["s"] == {"type": str, "default": "x", "secret": True}
    assert found["p"]["choices"] == ("",)


def test_an_inherited_declaration_comes_back_as_it_is():
    assert supported_options_of(Old)["b"] == {"type": (str, list, dict), "default": None, "help": "Words."}
    assert supported_options_of(Old)["a"] == {"type": int}


def test_the_fields_of_an_option():
    @options
    class Holds:
        one: Full = option()
        many: list[Full] | None = option(default=None)
        named: dict[str, Base] = option()
        plain: dict[str, str] = option()
        texts: list[str] = option()

    assert {name: list(fields_of(one)) for name, one in options_of(Holds).items()} == {
        "one": list(options_of(Full)),
        "many": list(options_of(Full)),
        "named": ["batch_size"],
        "plain": [],
        "texts": [],
    }
