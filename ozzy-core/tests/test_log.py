"""Logs go through Python's logging, and nothing that is secret through either."""

import io
import json
import logging
import subprocess
import sys

import pytest

from ozzy import log
from ozzy.log import (
    hidden_by_name,
    is_reference,
    logger,
    masked_value,
    names_a_secret,
    redact,
    remember,
    secrets_by_name,
    set_up,
    without_references,
)


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """Secrets of other tests are forgotten, and logging is left as it was found."""
    monkeypatch.setattr(log, "_secrets", frozenset())
    monkeypatch.setattr(log, "_pattern", None)
    root, ozzy = logging.getLogger(), logging.getLogger("ozzy")
    before = list(root.handlers), root.level, ozzy.level
    yield
    root.handlers[:], _, _ = before
    root.setLevel(before[1])
    ozzy.setLevel(before[2])


class TestRedaction:
    def test_what_is_remembered_is_hidden(self):
        remember("hunter2")
        assert redact("it is hunter2, hunter2!") == "it is ***, ***!"
        assert redact("it is Hunter2") == "it is Hunter2"

    def test_the_longest_is_hidden_first(self):
        remember("abcd")
        remember("abcdefgh")
        assert redact("abcdefgh abcd") == "*** ***"

    @pytest.mark.parametrize("short", ["", "abc", None, True])
    def test_what_is_too_short_is_not_searched_for(self, short):
        remember(short)
        assert redact("abc True") == "abc True"

    def test_short_ones_can_be_named(self):
        assert redact("pin 12", ["12", "", "1"]) == "pin ***"

    def test_every_text_in_a_value_is_remembered(self):
        remember({"a": ["first-one", ("second-one",)], "b": b"third-one", "c": 123456, "d": None})
        assert redact("first-one second-one third-one 123456") == "*** *** *** ***"

    @pytest.mark.parametrize(
        "shown",
        [
            'say "it" \n\\ ñ&/',
            json.dumps('say "it" \n\\ ñ&/')[1:-1],
            json.dumps('say "it" \n\\ ñ&/', ensure_ascii=False)[1:-1],
            repr('say "it" \n\\ ñ&/')[1:-1],
            "say%20%22it%22%20%0A%5C%20%C3%B1%26%2F",
            "say+%22it%22+%0A%5C+%C3%B1%26%2F",
        ],
    )
    def test_the_forms_a_secret_takes_are_hidden(self, shown):
        remember('say "it" \n\\ ñ&/')
        assert redact(f"<{shown}>") == "<***>"

    def test_lines_of_a_key_are_hidden_one_by_one(self):
        remember("-----BEGIN KEY-----\nAAAABBBB\nxx\n")
        assert redact("broken at AAAABBBB xx") == "broken at *** xx"

    def test_lone_surrogates_do_no_harm(self):
        remember("abc\ud800def")
        assert redact("x abc\ud800def") == "x ***"

    def test_passwords_in_urls_are_hidden(self):
        assert redact("postgres://me:pw@host/db and ftp://you:p%20w@b") == "postgres://me:***@host/db and ftp://you:***@b"
        assert redact("https://host:80/a@b") == "https://host:80/a@b"
        assert redact("redis://:pw@host") == "redis://:***@host"

    def test_remembering_again_changes_nothing(self):
        remember("hunter2")
        pattern = log._pattern
        remember("hunter2")
        assert log._pattern is pattern


class TestNames:
    @pytest.mark.parametrize(
        "name",
        [
            "password", "PASSWORD", "db_password", "dbPassword", "passwd", "passphrase", "secret", "client_secret", "clientSecret",
            "client-secret", "token", "access_token", "api_key", "apikey", "API-KEY", "aws_secret_access_key", "account_key", "private_key",
            "credentials", "credential", "Authorization", "cookie", "MY_PASSWORD", "auth_key",
        ],
    )  # fmt: skip
    def test_secret_ones(self, name):
        assert names_a_secret(name)

    @pytest.mark.parametrize(
        "name",
        [
            "key",
            "keys",
            "key_field",
            "primary_key",
            "aws_access_key_id",
            "token_field",
            "passwords_file",
            "secretary",
            "tokens",
            "user",
            "",
        ],
    )
    def test_others(self, name):
        assert not names_a_secret(name)

    def test_values_below_them(self):
        value = {"a": [{"password": {"x": 1}}, "b"], "token": "t"}
        assert list(secrets_by_name(value)) == [{"x": 1}, "t"]
        assert hidden_by_name(value) == {"a": [{"password": "***"}, "b"], "token": "***"}

    def test_null_and_references_hide_nothing(self):
        assert hidden_by_name({"token": "${T}", "password": None, "secret": "${A}x"}) == {
            "token": "${T}",
            "password": None,
            "secret": "***",
        }
        assert masked_value(0) == "***"

    def test_references(self):
        assert [is_reference(one) for one in ("${A}", "${A}${B}", "${A:-x}", "x${A}", "", "$${A}", 5)] == [True, True] + [False] * 5
        assert without_references("a${A}b${B:-x}") == "ab${B:-x}"


class TestLibrary:
    def test_lines_go_to_the_hosts_logging(self, caplog):
        with caplog.at_level(logging.INFO, "ozzy"):
            logger("somewhere.else", module="Reader").info("read %s of %d", "a", 2, rows=5)
        (record,) = caplog.records
        assert (record.name, record.levelname, record.getMessage()) == ("ozzy.somewhere.else", "INFO", "read a of 2 module=Reader rows=5")

    def test_names_of_ozzy_stay(self, caplog):
        logger("ozzy.data.batch").warning("one")
        logger("ozzy").warning("two")
        assert [record.name for record in caplog.records] == ["ozzy.data.batch", "ozzy"]

    def test_levels_are_the_hosts(self, caplog):
        with caplog.at_level(logging.WARNING, "ozzy"):
            logger("x").info("nothing")
        assert caplog.records == []

    def test_secrets_are_hidden(self, caplog):
        remember("hunter2")
        logger("x").warning("with hunter2", password="pw", more={"token": "t", "hunter2": ["hunter2", 5]}, n=5)
        (record,) = caplog.records
        assert "hunter2" not in record.getMessage()
        assert record.ozzy == {"event": "with ***", "password": "***", "more": {"token": "***", "***": ["***", 5]}, "n": 5}

    def test_without_set_up_nothing_is_printed_but_warnings_to_stderr(self):
        code = "from ozzy.log import logger; logger('x').info('quiet'); logger('x').warning('loud', a=1)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert (done.stdout, done.stderr.strip()) == ("", "loud a=1")

    def test_what_is_below_its_level_imports_nothing_and_is_not_shown(self):
        code = "import sys; from ozzy.log import logger; logger('x').debug('quiet', a=1); print('structlog' in sys.modules)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert (done.stdout.strip(), done.stderr) == ("False", "")

    def test_what_is_bound_goes_with_each_line(self, caplog):
        logger("x", a=1).bind(b=2).warning("with both")
        assert caplog.records[0].ozzy == {"event": "with both", "a": 1, "b": 2}

    def test_importing_it_is_cheap(self):
        code = "import sys, ozzy.log; print([one for one in ('structlog', 'attrs', 'yaml') if one in sys.modules])"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]"


class TestSetUp:
    def lines(self, format, level="INFO"):
        stream = io.StringIO()
        set_up(level, format, stream)
        return stream

    def test_json_is_one_object_a_line(self):
        stream = self.lines("json")
        logger("x", module="Reader").info("read", rows=5, path="ü")
        (line,) = [json.loads(one) for one in stream.getvalue().splitlines()]
        timestamp = line.pop("timestamp")
        assert len(timestamp) == len("2024-01-01T00:00:00+0000")
        assert line == {"level": "info", "logger": "ozzy.x", "module": "Reader", "rows": 5, "path": "ü", "event": "read"}

    def test_keywords_do_not_overwrite_what_a_line_is(self):
        stream = self.lines("json")
        logger("x").info("read", level="mine", logger="mine")
        line = json.loads(stream.getvalue())
        assert (line["level"], line["logger"]) == ("info", "ozzy.x")

    def test_people_get_a_line_of_words(self):
        stream = self.lines("people")
        logger("x").warning("bad record", row=5, where="a.jl")
        line = stream.getvalue()
        assert "[warning  ] bad record" in line
        assert "row=5" in line
        assert "where=a.jl" in line
        assert line.count("\n") == 1
        assert "\x1b" not in line

    @pytest.mark.parametrize("format", ["people", "json"])
    def test_secrets_and_stack_traces_are_redacted(self, format):
        remember("hunter2")
        stream = self.lines(format)
        try:
            raise ValueError("no hunter2 here")
        except ValueError:
            logger("x").exception("failed with hunter2", password="pw")
        assert "hunter2" not in stream.getvalue()
        assert "pw" not in stream.getvalue().replace("raise", "")
        assert "ValueError: no *** here" in stream.getvalue()

    def test_other_libraries_are_redacted_and_speak_from_warning_on(self):
        remember("hunter2")
        stream = self.lines("json")
        logging.getLogger("client").info("chatter")
        logging.getLogger("client").warning("saw %s", "hunter2")
        (line,) = [json.loads(one) for one in stream.getvalue().splitlines()]
        assert (line["event"], line["logger"], line["level"]) == ("saw ***", "client", "warning")

    @pytest.mark.parametrize(
        ("level", "expected"),
        [
            ("DEBUG", ["ozzy debug", "ozzy info", "ozzy warning", "client debug", "client warning"]),
            ("info", ["ozzy info", "ozzy warning", "client warning"]),
            ("ERROR", ["client warning"]),
        ],
    )
    def test_levels(self, level, expected):
        stream = self.lines("json", level)
        for one in ("debug", "info", "warning"):
            getattr(logger("x"), one)(f"ozzy {one}")
        logging.getLogger("client").debug("client debug")
        logging.getLogger("client").warning("client warning")
        assert [json.loads(one)["event"] for one in stream.getvalue().splitlines()] == expected

    def test_setting_up_again_replaces(self):
        first = self.lines("json")
        second = self.lines("json")
        logger("x").info("once")
        assert first.getvalue() == ""
        assert second.getvalue().count("once") == 1

    def test_it_goes_to_stderr_by_default(self, capsys):
        set_up(format="json")
        logger("x").info("here")
        captured = capsys.readouterr()
        assert captured.out == ""
        assert json.loads(captured.err)["event"] == "here"

    @pytest.mark.parametrize(("level", "format"), [("LOUD", "json"), ("INFO", "xml")])
    def test_anything_else_is_refused(self, level, format):
        with pytest.raises(ValueError, match="expected one of DEBUG"):
            set_up(level, format)
