"""What is installed becomes a registry, and whatever is wrong with one plugin stays with that plugin."""

import os
import subprocess
import sys

import pytest

from ozzy import Registry
from ozzy.plan.discovery import installed_plugins
from ozzy.plan.registry import Broken, Row

READER = "from ozzy import BaseReader\nclass Tap(BaseReader):\n    finished = True\n"


def broken(registry: Registry) -> dict[str, str]:
    return {one.name: one.reason for one in registry.broken}


def test_an_installed_plugin_is_listed_with_its_package_and_version(install, made):
    install("ozzy-tap", version="2.1", plugin=made("ozzy_read", "{'tap': Module('ozzy_tap.reader:Tap', 'Reads from a tap.')}"))
    assert Row("tap", "reader", "ozzy-tap", "2.1", "Reads from a tap.") in Registry.load().rows()


def test_the_built_in_modules_come_the_same_way():
    assert ("fs", "reader", "ozzy-core") in {(row.name, row.kind, row.package) for row in Registry.load().rows()}


def test_loading_and_listing_import_nothing_behind_a_text(install, made):
    install("ozzy-tap", plugin=made("ozzy_read", "{'tap': 'ozzy_tap.reader:Tap'}"), modules={"reader.py": READER})
    Registry.load().rows()
    assert "ozzy_tap.plugin" in sys.modules
    assert "ozzy_tap.reader" not in sys.modules


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("import no_such_client", "No module named 'no_such_client'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("raise SystemExit", "SystemExit"),
        ("assert 1 == 2, 'sums'", "AssertionError: sums"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("raise BaseException('two\\n  lines')", "BaseException: two lines"),
        ("x = (", "SyntaxError: '(' was never closed (plugin.py, line 1)"),
        ("from ozzy import no_such_name", "cannot import name 'no_such_name' from 'ozzy'"),
    ],
)
def test_a_plugin_that_fails_to_import_is_broken_and_the_rest_work(install, made, line, why):
    install("ozzy-bad", plugin=line, version="0.9")
    install("ozzy-tap", plugin=made("ozzy_read", "{'tap': 'ozzy_tap.reader:Tap'}"), modules={"reader.py": READER})
    registry = Registry.load()
    (bad,) = registry.broken
    assert (bad.name, bad.package, bad.version) == ("bad", "ozzy-bad", "0.9")
    assert bad.reason.startswith(why)
    assert registry.rows()[-1] == Row("bad", None, "ozzy-bad", "0.9", "", bad.reason)
    assert registry.resolve("reader", "tap").cls.__name__ == "Tap"


def test_a_key_pressed_while_plugins_load_is_obeyed(install):
    install("ozzy-bad", plugin="raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        Registry.load()


def test_a_key_pressed_while_a_hook_runs_is_obeyed(install, made):
    install("ozzy-bad", plugin=made("ozzy_read", "1 / 0").replace("return 1 / 0", "raise KeyboardInterrupt"))
    with pytest.raises(KeyboardInterrupt):
        Registry.load()


def test_an_entry_point_that_leads_nowhere_is_broken(install):
    install("ozzy-bad", entry_points="[ozzy.plugins]\nbad = ozzy_bad.plugin:missing\ngone = ozzy_bad.gone\n", plugin="")
    assert broken(Registry.load()) == {
        "bad": "AttributeError: module 'ozzy_bad.plugin' has no attribute 'missing'",
        "gone": "No module named 'ozzy_bad.gone'",
    }


def test_a_plugin_that_fails_when_it_is_looked_at_is_broken(install):
    text = "class Sly:\n    def __dir__(self):\n        raise SystemExit('not here')\nsly = Sly()\n"
    install("ozzy-bad", entry_points="[ozzy.plugins]\nbad = ozzy_bad.plugin:sly\n", plugin=text)
    assert broken(Registry.load()) == {"bad": "SystemExit: not here"}


def test_an_object_with_hooks_is_a_plugin_too(install):
    hook = "    @hookimpl\n    def ozzy_read(self):\n        return {'tap': 'ozzy_tap.reader:Tap'}\n"
    text = f"from ozzy import hookimpl\nclass Hooks:\n{hook}hooks = Hooks()\n"
    install("ozzy-tap", entry_points="[ozzy.plugins]\ntap = ozzy_tap.plugin:hooks\n", plugin=text, modules={"reader.py": READER})
    assert Registry.load().resolve("reader", "tap").cls.__name__ == "Tap"


@pytest.mark.parametrize(("value", "blocked"), [("tap", ["tap"]), (" tap , other,", ["tap", "other"])])
def test_a_blocked_plugin_is_not_even_imported(install, value, blocked):
    install("ozzy-tap", plugin="raise SystemExit")
    registry = Registry.load(environ={"OZZY_BLOCK_PLUGINS": value})
    assert registry.blocked == blocked
    assert registry.broken == []
    assert "ozzy_tap.plugin" not in sys.modules


def test_blocking_reads_the_environment_of_the_process(install, monkeypatch):
    install("ozzy-tap", plugin="raise SystemExit")
    monkeypatch.setenv("OZZY_BLOCK_PLUGINS", "tap")
    assert Registry.load().broken == []


def test_the_built_in_plugin_can_be_blocked():
    registry = Registry.load(environ={"OZZY_BLOCK_PLUGINS": "builtin"})
    assert [row for row in registry.rows() if row.package == "ozzy-core"] == []


def test_an_upgrade_is_seen_at_once(install, made, tmp_path):
    site = install("ozzy-tap", version="1.0", plugin=made("ozzy_read", "{'tap': 'ozzy_tap.reader:Tap'}"))
    assert ("tap", "1.0") in {(row.name, row.version) for row in Registry.load().rows()}
    (site / "ozzy_tap-1.0.dist-info").rename(site / "ozzy_tap-1.1.dist-info")
    (site / "ozzy_tap-1.1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: ozzy-tap\nVersion: 1.1\n")
    (site / "ozzy_tap-1.1.dist-info" / "entry_points.txt").write_text("[ozzy.plugins]\nrenamed = ozzy_tap.plugin\n")
    assert [(one.name, one.version) for one in installed_plugins() if one.package == "ozzy-tap"] == [("renamed", "1.1")]


def test_an_uninstalled_plugin_is_gone(install, made):
    site = install("ozzy-tap", plugin=made("ozzy_read", "{'tap': 'ozzy_tap.reader:Tap'}"))
    assert "tap" in {row.name for row in Registry.load().rows()}
    for file in (site / "ozzy_tap-1.0.dist-info").iterdir():
        file.unlink()
    (site / "ozzy_tap-1.0.dist-info").rmdir()
    assert "tap" not in {row.name for row in Registry.load().rows()}


def test_a_stranger_with_unreadable_entry_points_harms_nobody(install, made):
    install("stranger", entry_points="[console_scripts]\nthis line has no equals sign\n")
    install("ozzy-tap", plugin=made("ozzy_read", "{'tap': 'ozzy_tap.reader:Tap'}"))
    registry = Registry.load()
    assert registry.broken == []
    assert {"tap", "fs"} <= {row.name for row in registry.rows()}


def test_a_plugin_with_unreadable_entry_points_is_broken(install):
    install("ozzy-tap", version="3", entry_points="[ozzy.plugins]\nthis line has no equals sign\n")
    (one,) = Registry.load().broken
    assert (one.name, one.package, one.version) == ("ozzy-tap", "ozzy-tap", "3")
    assert one.reason


def test_with_unreadable_entry_points_the_first_of_two_copies_counts(install, made, tmp_path, monkeypatch):
    install("stranger", entry_points="[console_scripts]\nno equals sign\n")
    install("ozzy-tap", version="1.0", plugin=made("ozzy_read", "{'tap': 'ozzy_tap.reader:Tap'}"))
    other = tmp_path / "other" / "ozzy_tap-0.1.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: ozzy-tap\nVersion: 0.1\n")
    (other / "entry_points.txt").write_text("[ozzy.plugins]\ntap = ozzy_tap.plugin\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "other")])
    assert [one.version for one in installed_plugins() if one.package == "ozzy-tap"] == ["1.0"]


def test_two_packages_that_lead_to_one_module_do_not_offer_it_twice(install, made):
    install("ozzy-tap", plugin=made("ozzy_read", "{'tap': 'ozzy_tap.reader:Tap'}"))
    install("zz-tap-fork", entry_points="[ozzy.plugins]\ntap = ozzy_tap.plugin\n")
    registry = Registry.load()
    assert [row.package for row in registry.rows("reader") if row.name == "tap"] == ["ozzy-tap"]
    assert registry.broken == [Broken("tap", "zz-tap-fork", "1.0", "it is the plugin of ozzy-tap:tap under a second name")]


def test_two_packages_may_give_their_entry_points_the_same_name(install, made):
    for package in ("one", "two"):
        install(
            package, entry_points=f"[ozzy.plugins]\ntap = {package}.plugin\n", plugin=made("ozzy_read", f"{{'{package}': '{package}.r:R'}}")
        )
    registry = Registry.load()
    assert registry.broken == []
    assert {"one", "two"} <= {row.name for row in registry.rows("reader")}


def test_a_plugin_whose_metadata_is_lost_goes_by_its_module(install, made):
    site = install("ozzy-tap", plugin=made("ozzy_read", "{'tap': 'ozzy_tap.reader:Tap'}"))
    (site / "ozzy_tap-1.0.dist-info" / "METADATA").unlink()
    registry = Registry.load()
    assert registry.broken == []
    assert [(row.package, row.version) for row in registry.rows() if row.name == "tap"] == [("ozzy_tap.plugin", "")]


def test_no_cache_is_kept_on_disk(tmp_path):
    environ = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", "import ozzy; ozzy.Registry.load()"], env=environ, check=True)
    assert list(tmp_path.iterdir()) == []
