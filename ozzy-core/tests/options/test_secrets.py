"""Secrets are hidden in what is printed and left out of what is stored."""

# ruff: noqa: RUF012 - inherited modules declare their options like this

import enum
from pathlib import Path
from typing import Any

import attrs
import pytest

from ozzy.options.option import ByteSize, Text, option, options
from ozzy.options.secrets import json_like, masked, redact, remember, without_secrets
from ozzy.options.structure import structured


class Mode(enum.Enum):
    A = "a"


@options
class Connection:
    host: str = option(default="localhost")
    pin: str | None = option(default=None, secret=True)


@options
class Opts:
    n: int = option(default=1)
    size: ByteSize = option(default=ByteSize(5))
    path: Path = option(default=Path("a"))
    tags: tuple[str, ...] = option(default=())
    url: str = option(default="")
    key: str | None = option(default=None, secret=True)
    page_token: str = option(default="", secret=False)
    connection: Connection = option(factory=Connection)
    others: list[Connection] = option(default=[])
    more: dict[str, Any] = option(default={})
    from_: str = option(default="me")


class Module:
    Options = Opts


class Old:
    supported_options = {
        "brokers": {"type": list},
        "pin": {"type": str, "secret": True, "default": None},
        "ssl_configs": {"type": dict, "default": {}},
        "aws_secret_access_key": {"type": str, "default": None},
    }


@attrs.frozen
class Part:
    """What resolution gives, as far as it is looked at."""

    section: Any
    found: Any
    options: Any


@attrs.frozen
class Place:
    path: str


@attrs.frozen
class Found:
    cls: type


def part(path, cls, values, environ=None):
    return Part(Place(path), Found(cls), structured(cls, values, environ=environ or {}))


class TestJsonLike:
    def test_instances_become_dicts_by_option_name(self):
        found = json_like(Opts(tags=("a",), more={"x": (1, {2})}))
        assert found == {
            "n": 1, "size": 5, "path": "a", "tags": ["a"], "url": "", "key": None, "page_token": "", "more": {"x": [1, [2]]},
            "connection": {"host": "localhost", "pin": None}, "others": [], "from": "me",
        }  # fmt: skip
        assert type(found["size"]) is int

    def test_plain_values(self):
        assert json_like([True, None, 1.5, Text("a"), Mode.A]) == [True, None, 1.5, "a", "Mode.A"]
        assert type(json_like(Text("a"))) is str


class TestMasked:
    def test_declared_and_named_secrets_are_hidden_at_any_depth(self):
        values = {
            "n": 5,
            "key": "kkkkk",
            "page_token": "p1",
            "connection": {"pin": "1234", "host": "h"},
            "others": [{"pin": "1234"}],
            "more": {"password": "x", "list": [{"api_key": "y"}], "null_token": None},
            "url": "https://me:pw@host/",
        }
        assert masked(Module, values) == {
            "n": 5,
            "key": "***",
            "page_token": "p1",
            "connection": {"pin": "***", "host": "h"},
            "others": [{"pin": "***"}],
            "more": {"password": "***", "list": [{"api_key": "***"}], "null_token": None},
            "url": "https://me:***@host/",
        }

    def test_structured_options_are_masked_too(self):
        found = masked(Module, Opts(key="kkkkk", connection=Connection(pin="1234")))
        assert found["key"] == "***"
        assert found["connection"] == {"host": "localhost", "pin": "***"}

    def test_references_and_named_variables_stay(self):
        values = {"key": "${KEY}", "from_env": {"key": "VARIABLE"}}
        assert masked(Module, values) == values

    def test_a_reference_with_a_default_hides_it(self):
        assert masked(Module, {"key": "${KEY:-hunter2}"}) == {"key": "***"}

    def test_inherited_modules(self):
        values = {"brokers": ["a"], "pin": "1", "ssl_configs": {"password": "x", "ca": "y"}, "aws_secret_access_key": "s"}
        assert masked(Old, values) == {
            "brokers": ["a"], "pin": "***", "ssl_configs": {"password": "***", "ca": "y"}, "aws_secret_access_key": "***",
        }  # fmt: skip

    def test_without_a_class_names_tell(self):
        assert masked(None, {"password": "x", "a": {"token": "y", "b": 1}}) == {"password": "***", "a": {"token": "***", "b": 1}}

    def test_what_is_remembered_is_hidden_everywhere(self):
        remember("a-very-own-secret")
        assert masked(None, {"a": "see a-very-own-secret"}) == {"a": "see ***"}
        assert redact("a-very-own-secret") == "***"


class TestWithoutSecrets:
    def test_literal_secrets_are_left_out_and_named(self):
        options_ = {"key": "kkkkk", "n": 2, "connection": {"pin": "1234", "host": "h"}, "others": [{}, {"pin": "1234"}]}
        raw = {"name": "p", "reader": {"name": "m", "options": options_}, "writer": "console"}
        assert without_secrets(raw, [part("reader", Module, options_)]) == (
            {
                "name": "p",
                "reader": {"name": "m", "options": {"n": 2, "connection": {"host": "h"}, "others": [{}, {}]}},
                "writer": "console",
            },
            ["reader.options.key", "reader.options.connection.pin", "reader.options.others.1.pin"],
        )

    def test_references_stay_unresolved(self):
        raw = {"reader": {"name": "m", "options": {"key": "${KEY}", "url": "s3://${A}:${B}@host", "from_env": {"key": "V"}}}}
        found, left_out = without_secrets(raw, [part("reader", Module, {"key": "k", "url": "u"})])
        assert (found, left_out) == (raw, [])

    @pytest.mark.parametrize("written", ["${KEY:-hunter2}", "hunter${N}", "$${KEY}"])
    def test_a_secret_that_is_partly_written_out_is_left_out(self, written):
        raw = {"reader": {"name": "m", "options": {"key": written}}}
        found, left_out = without_secrets(raw, [part("reader", Module, {"key": "k"})])
        assert (found, left_out) == ({"reader": {"name": "m", "options": {}}}, ["reader.options.key"])

    def test_passwords_in_urls_are_secrets(self):
        values = {"url": "postgres://me:pw@host", "tags": ["ftp://a:b@c"], "more": {"a": "${X:-ftp://a:b@c}"}}
        raw = {"reader": {"name": "m", "options": values}}
        found, left_out = without_secrets(raw, [part("reader", Module, values)])
        assert found == {"reader": {"name": "m", "options": {"more": {}}}}
        assert left_out == ["reader.options.url", "reader.options.tags", "reader.options.more.a"]

    def test_an_option_that_says_it_is_no_secret_stays(self):
        raw = {"reader": {"name": "m", "options": {"page_token": "next"}}}
        assert without_secrets(raw, [part("reader", Module, {"page_token": "next"})]) == (raw, [])

    def test_unknown_parts_are_judged_by_name(self):
        raw = {
            "label": {"password": "x"},
            "exporter_options": {"formatter": {"name": "json"}},
            "transform": [{"name": "a", "options": None}],
        }
        found, left_out = without_secrets(raw, [])
        assert found == {**raw, "label": {}}
        assert left_out == ["label.password"]

    def test_lists_of_modules_have_their_places(self):
        raw = {"writer": [{"name": "a", "options": {}}, {"name": "b", "options": {"pin": "1"}}]}
        resolved = [part("writer.1", Old, {"brokers": [], "pin": "1"})]
        assert without_secrets(raw, resolved) == (
            {"writer": [{"name": "a", "options": {}}, {"name": "b", "options": {}}]},
            ["writer.1.options.pin"],
        )

    def test_the_original_is_left_alone(self):
        raw = {"reader": {"name": "m", "options": {"key": "kkkkk"}}}
        without_secrets(raw, [part("reader", Module, {"key": "kkkkk"})])
        assert raw == {"reader": {"name": "m", "options": {"key": "kkkkk"}}}

    def test_what_was_set_is_stored_in_its_type(self):
        options_ = {
            "n": Text("5", "--set"),
            "size": Text("1 KiB", "--set"),
            "tags": Text("a,b", "--set"),
            "connection": Text('{"host": "h", "pin": "1234"}', "--set"),
            "others": [{"host": Text("h2", "--set")}],
            "more": {"deep": [Text("1", "--set")]},
            "path": Text("${HOME}/x", "--set"),
            "key": Text("kkkkk", "--set"),
        }
        raw = {"name": Text("5", "--set"), "reader": {"name": Text("m", "--set"), "options": options_}}
        found, left_out = without_secrets(raw, [part("reader", Module, options_)])
        assert found == {
            "name": "5",
            "reader": {
                "name": "m",
                "options": {
                    "n": 5,
                    "size": 1024,
                    "tags": ["a", "b"],
                    "connection": {"host": "h"},
                    "others": [{"host": "h2"}],
                    "more": {"deep": ["1"]},
                    "path": "${HOME}/x",
                },
            },
        }
        assert left_out == ["reader.options.connection.pin", "reader.options.key"]

    def test_settings_that_were_set_are_stored_in_their_type(self):
        raw = {
            "checkpoint": {
                "every_records": Text("5"),
                "every_bytes": Text("1 MiB"),
                "full_every": {"records": Text("7")},
                "none": Text("x"),
            },
            "errors": Text("skip"),
            "exporter_options": {"threaded": Text("true"), "formatter": {"name": Text("json"), "options": {"a": Text("1")}}},
        }
        found, _ = without_secrets(raw, [])
        assert found == {
            "checkpoint": {"every_records": 5, "every_bytes": 2**20, "full_every": {"records": 7}, "none": "x"},
            "errors": "skip",
            "exporter_options": {"threaded": True, "formatter": {"name": "json", "options": {"a": "1"}}},
        }

    def test_a_setting_that_makes_no_sense_stays_a_text(self):
        assert without_secrets({"checkpoint": {"every_records": Text("many")}}, [])[0] == {"checkpoint": {"every_records": "many"}}

    def test_a_text_that_stands_where_nothing_is_structured_stays_a_text(self):
        raw = {"reader": {"name": "m", "options": {"tags": [Text("x")], "unknown": Text("y"), "n": {"a": Text("z")}}}}
        found, _ = without_secrets(raw, [part("reader", Module, {})])
        assert found["reader"]["options"] == {"tags": ["x"], "unknown": "y", "n": {"a": "z"}}
