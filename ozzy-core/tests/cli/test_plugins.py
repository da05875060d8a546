"""`ozzy plugins list` and `ozzy plugins show`."""

import sys
from types import SimpleNamespace

import pytest

from ozzy.cli.plugins import abilities
from ozzy.hookspecs import Module, hookimpl
from ozzy.plan.registry import Broken, Registry

LOGIN = '''
from ozzy import BaseFilter, option, options

@options
class LoginOptions:
    password: str = option(env="LOGIN_PASSWORD", secret=True, help="The way in. " * 10)
    level: int = option(default=3, minimum=1, maximum=5, choices=(1, 3, 5), example=5)
    token: str = option(default="tell-nobody", secret=True)

class Login(BaseFilter):
    """Keeps what
    it may.

    More is not shown.
    """
    Options = LoginOptions
    def filter(self, item):
        return True
'''


@pytest.fixture
def others(monkeypatch, tmp_path):
    """A registry with a plugin that asks for secrets, one that clashes with it, and a broken one."""
    (tmp_path / "login_module.py").write_text(LOGIN)
    monkeypatch.syspath_prepend(str(tmp_path))
    real = Registry.load

    def offers(summary):
        @hookimpl
        def ozzy_filter():
            return {"login": Module("login_module:Login", summary)}

        return SimpleNamespace(ozzy_filter=ozzy_filter)

    def load(*packages):
        registry = real(environ={})
        for package in packages:
            registry.register(offers(f"From {package}."), package=package, version="1.2", entry_name=package)
        registry.broken.append(Broken("bad", "ozzy-bad", "0.1", "ImportError: no such thing"))
        return registry

    def install(*packages):
        monkeypatch.setattr(Registry, "load", lambda **_: load(*packages))

    yield install
    sys.modules.pop("login_module", None)


def test_the_list_has_every_kind_and_name(ozzy):
    told = ozzy("plugins", "list")
    assert told.code == 0
    rows = [line.split()[:2] for line in told.out.splitlines()]
    assert rows[0] == ["kind", "name"]
    assert ["reader", "fs"] in rows
    assert ["writer", "console"] in rows


def test_the_list_of_one_kind(ozzy):
    rows = [line.split()[:2] for line in ozzy("plugins", "list", "--kind", "formatter").out.splitlines()]
    assert rows[0] == ["kind", "name"]
    assert {("formatter", name) for name in ("avro", "csv", "json", "xlsx", "xml")} <= {tuple(row) for row in rows[1:]}
    assert {row[0] for row in rows[1:]} == {"formatter"}


def test_a_kind_without_modules(ozzy):
    assert "Copies files as they are" in ozzy("plugins", "list", "--kind", "bypass").out


def test_an_unknown_kind_is_an_error_that_names_the_known_ones(ozzy):
    told = ozzy("plugins", "list", "--kind", "readers")
    assert told.code in {2, 3}
    assert "reader" in told.err


def test_as_json_each_row_has_five_keys(ozzy):
    rows = ozzy("plugins", "list", "--json").json
    assert {tuple(row) for row in rows} == {("name", "kind", "package", "version", "summary")}
    assert {"name": "console", "kind": "writer", "package": "ozzy-core"}.items() <= next(
        row for row in rows if row["name"] == "console"
    ).items()


def test_a_broken_plugin_is_a_row_with_its_reason(ozzy, others):
    others()
    broken = ozzy("plugins", "list", "--json").json[-1]
    assert broken == {
        "name": "bad",
        "kind": None,
        "package": "ozzy-bad",
        "version": "0.1",
        "summary": "",
        "error": "ImportError: no such thing",
    }
    told = ozzy("plugins", "list")
    assert told.code == 0
    assert told.out.splitlines()[-1] == "broken: bad of ozzy-bad 0.1: ImportError: no such thing"


def test_a_broken_plugin_is_told_where_one_kind_is_listed_and_where_a_module_is_not_found(ozzy, others):
    others()
    told = ozzy("plugins", "list", "--kind", "bypass")
    assert told.out.splitlines()[-1] == "broken: bad of ozzy-bad 0.1: ImportError: no such thing"
    assert "Broken plugins: bad (see `ozzy plugins list`)." in ozzy("plugins", "show", "bad").err


def test_modules_that_clash_are_marked_in_the_list(ozzy, others):
    others("ozzy-one", "ozzy-two")
    rows = [row for row in ozzy("plugins", "list", "--json").json if row["name"] == "login"]
    assert [row["package"] for row in rows] == ["ozzy-one", "ozzy-two"]
    assert all("error" in row for row in rows)


def test_listing_imports_no_module(ozzy, others):
    others("ozzy-one")
    ozzy("plugins", "list")
    assert "login_module" not in sys.modules


def test_show_tells_all_about_the_options(ozzy, others):
    others("ozzy-one")
    told = ozzy("plugins", "show", "login")
    assert told.code == 0
    assert told.out.splitlines() == [
        "login (filter, ozzy-one 1.2)",
        "Keeps what it may.",
        "",
        "options",
        "  password  str; required, unless env LOGIN_PASSWORD is set; secret",
        "      The way in. The way in. The way in. The way in. The way in. The way in.",
        "      The way in. The way in. The way in. The way in.",
        "  level  int; default 3; one of 1, 3, 5; at least 1; at most 5; for example 5",
        "  token  str; default null; secret",
        "",
        "class login_module:Login",
    ]


def test_show_tells_the_fields_of_an_option_too(ozzy):
    told = ozzy("plugins", "show", "key_value").out.splitlines()
    assert '      name  str; required; for example "address.city"' in told
    assert "      value  anything" in told
    assert any(line.startswith('      operator  str; default "=="; one of ==, !=, >') for line in told)

    [keys, _] = ozzy("plugins", "show", "key_value", "--json").json[0]["options"]
    assert [field["name"] for field in keys["fields"]] == ["name", "value", "operator"]
    assert "default" not in keys["fields"][1]


def test_show_as_json_hides_the_default_of_a_secret(ozzy, others):
    others("ozzy-one")
    told = ozzy("plugins", "show", "login", "--json")
    (found,) = told.json
    assert (found["kind"], found["class"], found["description"]) == ("filter", "login_module:Login", "Keeps what it may.")
    assert {option["name"]: (option["required"], option["default"], option["env"], option["secret"]) for option in found["options"]} == {
        "password": (False, None, "LOGIN_PASSWORD", True),
        "level": (False, 3, None, False),
        "token": (False, None, None, True),
    }
    assert "tell-nobody" not in told.out


def test_show_of_a_name_of_several_kinds_shows_them_all(ozzy):
    told = ozzy("plugins", "show", "fs")
    assert [line for line in told.out.splitlines() if line.startswith("fs (")] == [
        f"fs ({kind}, {whose()})" for kind in ("reader", "writer")
    ]
    assert "filebase  str; required; for example" in " ".join(told.out.split()).replace("filebase str", "filebase  str")


def whose():
    from importlib.metadata import version

    return f"ozzy-core {version('ozzy-core')}"


def test_show_of_one_kind(ozzy):
    assert [one["kind"] for one in ozzy("plugins", "show", "fs", "--kind", "writer", "--json").json] == ["writer"]


def test_show_tells_abilities(ozzy):
    (found,) = ozzy("plugins", "show", "console", "--json").json
    assert found["abilities"] == {"staging": "none", "prints": True}
    assert 'abilities\n  staging: "none"\n  prints: true\n' in ozzy("plugins", "show", "console").out


def test_abilities_are_what_a_class_declares():
    class Made:
        one_to_one = True

        @property
        def resumable(self):
            return True

    assert abilities(Made) == {"one_to_one": True}


def test_show_of_a_module_that_two_packages_offer_names_both(ozzy, others):
    others("ozzy-one", "ozzy-two")
    told = ozzy("plugins", "show", "login")
    assert told.code == 3
    assert "ozzy-one" in told.err
    assert "ozzy-two" in told.err
    assert ozzy("plugins", "show", "ozzy-two/login").out.startswith("login (filter, ozzy-two 1.2)\n")


@pytest.mark.parametrize(("name", "hint"), [("consle", "Did you mean console?"), ("qqqq", "`ozzy plugins list` shows all there are.")])
def test_show_of_an_unknown_module_is_a_plugin_error(ozzy, name, hint):
    told = ozzy("plugins", "show", name)
    assert told.code == 3
    assert told.err == f"error: there is no module '{name}'\n{hint}\n"


def test_a_module_without_options_shows_none(ozzy):
    told = ozzy("plugins", "show", "no_transform")
    assert "options" not in told.out
    assert "one_to_one: true" in told.out
