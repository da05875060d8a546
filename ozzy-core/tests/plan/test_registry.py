"""Which module a name means, and what is said where it means none."""

import sys
from types import ModuleType

import pytest

from ozzy import BaseFilter, BaseReader, BaseTransform, Module, PluginError, Registry, hookimpl
from ozzy.hookspecs import KINDS
from ozzy.plan import install_hints
from ozzy.plan import registry as registry_module
from ozzy.plan.registry import Found, Row


class Tap(BaseReader):
    """Reads from a tap."""


class Well(BaseReader):
    """Reads from a well."""


class Sieve(BaseFilter):
    """Keeps what is coarse."""


def offering(registry: Registry, package: str, version: str = "1.0", entry_name: str = "", **modules) -> Registry:
    """Register a plugin: `read={"tap": Tap}` and so on."""
    plugin = ModuleType(package.replace("-", "_"))
    for verb, given in modules.items():
        vars(plugin)[verb] = hookimpl(specname=f"ozzy_{verb}")(lambda given=given: given)
    registry.register(plugin, package=package, version=version, entry_name=entry_name)
    return registry


@pytest.fixture
def taps() -> Registry:
    registry = offering(
        Registry(), "ozzy-tap", read={"tap": Tap, "well": Module("taps:Well", "Deep.", aliases=("faucet", "old.taps.Well"))}
    )
    return offering(registry, "ozzy-sieve", "0.2", filter={"sieve": Sieve, "tap": Sieve})


@pytest.fixture(autouse=True)
def modules(tmp_path, monkeypatch):
    """A module `taps` to import by path, and some that can't be."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    (tmp_path / "taps.py").write_text(
        "from ozzy import BaseReader\nclass Well(BaseReader):\n    class Bucket(BaseReader):\n        pass\n"
        "class Plain:\n    pass\nnumber = 5\n"
    )
    (tmp_path / "leaky.py").write_text("import no_such_client\n")
    (tmp_path / "quits.py").write_text("raise SystemExit(4)\n")
    (tmp_path / "pressed.py").write_text("raise KeyboardInterrupt\n")
    yield
    for name in set(sys.modules) - before:
        if name in {"taps", "leaky", "quits", "pressed"}:
            del sys.modules[name]


def refused(registry: Registry, kind: str, name: str) -> str:
    with pytest.raises(PluginError) as caught:
        registry.resolve(kind, name)
    return str(caught.value)


# What a name means


def test_a_short_name_of_the_kind(taps):
    assert taps.resolve("reader", "tap") == Found("tap", "reader", Tap, "ozzy-tap", "1.0", Module(f"{__name__}:Tap", "Reads from a tap."))
    assert taps.resolve("filter", "tap").cls is Sieve


@pytest.mark.parametrize("name", ["ozzy-tap/tap", "ozzy_tap/tap", "Ozzy.Tap/tap"])
def test_a_short_name_with_its_package(taps, name):
    assert taps.resolve("reader", name).cls is Tap


def test_a_text_is_imported_when_it_is_resolved(taps):
    assert "taps" not in sys.modules
    assert taps.resolve("reader", "well").cls is sys.modules["taps"].Well


@pytest.mark.parametrize("path", ["taps:Well", "taps.Well"])
def test_a_class_path_that_a_plugin_offers_is_that_offer(taps, path):
    found = taps.resolve("reader", path)
    assert (found.name, found.package, found.version) == ("well", "ozzy-tap", "1.0")


@pytest.mark.parametrize("path", ["taps:Well", "taps.Well", "taps:Well.Bucket"])
def test_a_class_path_that_nobody_offers(path):
    found = Registry().resolve("reader", path)
    assert (found.name, found.package, found.version) == (path, "taps", "")
    assert found.cls.__qualname__ == found.module.path.partition(":")[2]


@pytest.mark.parametrize("name", ["faucet", "old.taps.Well"])
def test_an_alias(taps, name):
    assert taps.resolve("reader", name).name == "well"


def test_a_short_name_comes_before_an_alias():
    registry = offering(Registry(), "a", read={"tap": Tap, "well": Module("taps:Well", aliases=("tap",))})
    assert registry.resolve("reader", "tap").cls is Tap


def test_a_class_path_comes_before_an_alias():
    registry = offering(Registry(), "a", read={"tap": Module("somewhere:Else", aliases=("taps.Well",))})
    assert registry.resolve("reader", "taps.Well").cls.__name__ == "Well"


def test_a_registry_is_a_value(taps):
    assert Registry().rows() == []
    assert len(taps.rows()) == 4


# Two plugins that claim one name


def test_a_name_claimed_by_two_packages_names_both_and_the_ways_out():
    registry = offering(offering(Registry(), "ozzy-tap", "1.0", read={"tap": Tap}), "ozzy-faucet", "2.0", read={"tap": Well, "well": Well})
    assert refused(registry, "reader", "tap") == (
        "reader 'tap' is claimed by ozzy-tap 1.0 and by ozzy-faucet 2.0\nWrite the one you mean: ozzy-faucet/tap or ozzy-tap/tap"
    )
    assert registry.resolve("reader", "ozzy-tap/tap").cls is Tap
    assert registry.resolve("reader", "ozzy-faucet/tap").cls is Well
    assert registry.resolve("reader", "well").cls is Well


def test_a_name_claimed_twice_says_so_in_the_list():
    registry = offering(offering(Registry(), "ozzy-tap", read={"tap": Tap}), "ozzy-faucet", read={"tap": Well, "well": Well})
    assert {(row.package, row.name): row.error for row in registry.rows()} == {
        ("ozzy-faucet", "tap"): "also claimed by ozzy-tap: write ozzy-faucet/tap for this one",
        ("ozzy-tap", "tap"): "also claimed by ozzy-faucet: write ozzy-tap/tap for this one",
        ("ozzy-faucet", "well"): None,
    }


def test_an_alias_claimed_by_two_names_both():
    registry = offering(Registry(), "ozzy-tap", read={"tap": Module("taps:Well", aliases=("faucet",))})
    offering(registry, "ozzy-well", read={"well": Module("taps:Well", aliases=("faucet",))})
    assert refused(registry, "reader", "faucet") == (
        "reader 'faucet' is claimed by ozzy-tap 1.0 and by ozzy-well 1.0\nWrite the one you mean: ozzy-tap/tap or ozzy-well/well"
    )


def test_a_name_claimed_by_two_plugins_of_one_package():
    registry = offering(Registry(), "ozzy-tap", entry_name="one", read={"tap": Tap})
    offering(registry, "ozzy-tap", entry_name="two", read={"tap": Well})
    assert refused(registry, "reader", "tap") == (
        "reader 'tap' is claimed twice in ozzy-tap, by its plugins one and two\nLeave one out: OZZY_BLOCK_PLUGINS=one"
    )


def test_one_name_in_two_kinds_is_no_clash(taps):
    assert [row.error for row in taps.rows()] == [None] * 4


# Names that mean nothing


def test_an_unknown_name_lists_near_ones_and_what_there_is(taps):
    assert refused(taps, "reader", "wel") == "unknown reader 'wel'\nDid you mean well? Installed are: tap, well."


def test_an_unknown_name_that_is_near_nothing(taps):
    assert refused(taps, "reader", "aqueduct") == "unknown reader 'aqueduct'\nInstalled are: tap, well."


def test_an_unknown_name_where_nothing_of_the_kind_is_installed(taps):
    assert refused(taps, "writer", "bucket") == "unknown writer 'bucket'\nNo writer is installed."


@pytest.mark.parametrize("name", ["", " ", ".", ":", "/", "a/", "./tap", "a:b:c", "täp", "a b", "\n"])
def test_odd_names_are_unknown_ones(taps, name):
    assert refused(taps, "reader", name).startswith(f"unknown reader {name!r}")


@pytest.mark.parametrize(
    ("kind", "name", "package"),
    [
        ("reader", "s3", "ozzy-s3"),
        ("reader", "kafka_scanner", "ozzy-kafka"),
        ("writer", "azure_blob", "ozzy-azure"),
        ("persistence", "postgresql", "ozzy-sql"),
        ("reader", "exporters.readers.s3_reader.S3Reader", "ozzy-s3"),
        ("writer", "ozzy.writers.ftp_writer.FTPWriter", "ozzy-ftp"),
        ("reader", "ozzy-s3/s3", "ozzy-s3"),
    ],
)
def test_a_known_name_that_is_not_installed_says_what_to_install(taps, kind, name, package):
    assert f"\nIt comes with {package}: `pip install {package}`. " in refused(taps, kind, name)


def test_a_class_path_into_a_package_of_ozzy_says_what_to_install(taps, monkeypatch):
    monkeypatch.setitem(sys.modules, "ozzy_sftp", None)
    assert refused(taps, "reader", "ozzy_sftp.reader:SFTPReader") == (
        "unknown reader 'ozzy_sftp.reader:SFTPReader': there is no module ozzy_sftp.reader\n"
        "It comes with ozzy-sftp: `pip install ozzy-sftp`. Installed are: tap, well."
    )


def test_a_package_that_is_installed_is_not_to_be_installed():
    registry = offering(Registry(), "ozzy-s3", read={"s3_select": Tap})
    assert refused(registry, "reader", "s3") == "unknown reader 's3'\nInstalled are: s3_select."


def test_an_inherited_path_without_a_module_of_today(taps):
    assert refused(taps, "writer", "exporters.contrib.writers.odo_writer.ODOWriter") == (
        "unknown writer 'exporters.contrib.writers.odo_writer.ODOWriter'\nNo writer is installed."
    )


@pytest.mark.parametrize("root", ["exporters", "ozzy"])
def test_an_inherited_path_near_a_name_of_today(taps, root):
    assert refused(taps, "filter", f"{root}.filters.pythonexp_filter.PythonexpFilter").splitlines()[0] == (
        f"unknown filter '{root}.filters.pythonexp_filter.PythonexpFilter'"
    )


def test_a_name_of_another_kind_says_which(taps):
    assert refused(taps, "filter", "well") == "'well' is a reader, not a filter\nInstalled are: sieve, tap."
    offering(taps, "more", write={"sieve": "a:B"})
    assert refused(taps, "reader", "sieve") == "'sieve' is a filter and a writer, not a reader\nInstalled are: tap, well."


def test_a_package_without_the_module(taps):
    assert refused(taps, "reader", "ozzy-tap/wel") == "unknown reader 'ozzy-tap/wel'\nDid you mean well? Installed are: tap, well."


def test_a_package_that_is_not_there(taps):
    assert refused(taps, "reader", "ozzy-faucet/tap") == (
        "unknown reader 'ozzy-faucet/tap': no package 'ozzy-faucet' with modules is installed\nDid you mean tap? Installed are: tap, well."
    )


@pytest.mark.usefixtures("without_plugins")
def test_broken_and_blocked_plugins_are_mentioned_where_a_name_is_unknown(install):
    install("ozzy-bad", plugin="raise SystemExit")
    registry = Registry.load(environ={"OZZY_BLOCK_PLUGINS": "builtin"})
    assert refused(registry, "reader", "fs") == (
        "unknown reader 'fs'\n"
        "No reader is installed. Broken plugins: bad (see `ozzy plugins list`). Blocked by OZZY_BLOCK_PLUGINS: builtin."
    )


@pytest.mark.parametrize(("kind", "hint"), [("readers", "Did you mean reader?"), ("zzz", f"Kinds are: {', '.join(KINDS)}.")])
def test_an_unknown_kind(taps, kind, hint):
    assert refused(taps, kind, "tap") == f"unknown kind {kind!r}\n{hint}"
    with pytest.raises(PluginError, match="unknown kind"):
        taps.rows(kind)


# Modules that can't be used


def test_a_module_that_is_missing_is_reported_when_it_is_used():
    registry = offering(Registry(), "ozzy-tap", "3.1", read={"tap": "ozzy_tap_gone.reader:Tap"})
    assert registry.rows()[0].error is None
    assert refused(registry, "reader", "tap") == (
        "reader 'tap' of ozzy-tap 3.1 can't be loaded: No module named 'ozzy_tap_gone'\n"
        "It stands at ozzy_tap_gone.reader:Tap; --debug shows where it fails. Reinstall ozzy-tap, or write to its authors."
    )


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("leaky:Tap", "No module named 'no_such_client'"),
        ("quits:Tap", "SystemExit: 4"),
        ("taps:Wel", "there is no Wel in taps, but Well"),
        ("taps:Well.Cup", "there is no Well.Cup in taps"),
    ],
)
def test_a_module_that_fails_to_import_names_package_and_reason_and_keeps_the_original(path, why):
    registry = offering(Registry(), "ozzy-tap", read={"tap": path})
    with pytest.raises(PluginError) as caught:
        registry.resolve("reader", "tap")
    assert caught.value.message == f"reader 'tap' of ozzy-tap 1.0 can't be loaded: {why}"
    assert caught.value.__cause__ is not None

    with pytest.raises(PluginError) as caught:
        Registry().resolve("reader", path)
    assert caught.value.message == f"reader {path!r} can't be imported: {why}"
    assert caught.value.__cause__ is not None


def test_a_key_pressed_during_an_import_is_obeyed():
    with pytest.raises(KeyboardInterrupt):
        Registry().resolve("reader", "pressed:Tap")
    with pytest.raises(KeyboardInterrupt):
        offering(Registry(), "ozzy-tap", read={"tap": "pressed:Tap"}).resolve("reader", "tap")


def test_a_class_of_another_kind(taps):
    assert refused(offering(Registry(), "a", read={"sieve": Sieve}), "reader", "sieve") == "sieve of a 1.0 is not a reader: it is a filter"
    assert refused(Registry(), "reader", "ozzy.builtin.filters.no_filter.NoFilter") == (
        "ozzy.builtin.filters.no_filter.NoFilter is not a reader: it is a filter"
    )


def test_a_class_of_no_kind():
    assert refused(Registry(), "reader", "taps:Plain") == "taps:Plain is not a reader: Plain does not inherit from BaseReader"


def test_what_is_no_class():
    assert refused(Registry(), "reader", "taps:number") == "reader taps:number is no class but int"


def test_every_kind_has_a_base_class_to_hold_modules_to():
    assert list(registry_module._BASES) == list(KINDS)
    for kind, path in registry_module._BASES.items():
        assert registry_module._imported(path).kind == kind


# The list


def test_rows_come_by_kind_in_the_order_of_the_data_then_by_name(taps):
    offering(taps, "a", write={"bucket": "a:B"}, decode={"drops": "a:B"}, transform={"warm": BaseTransform})
    assert [(row.kind, row.name) for row in taps.rows()] == [
        ("reader", "tap"),
        ("reader", "well"),
        ("deserializer", "drops"),
        ("filter", "sieve"),
        ("filter", "tap"),
        ("transform", "warm"),
        ("writer", "bucket"),
    ]


def test_rows_of_one_kind_leave_broken_plugins_out(install):
    install("ozzy-bad", plugin="raise SystemExit")
    registry = Registry.load()
    assert {row.kind for row in registry.rows("filter")} == {"filter"}
    assert registry.rows()[-1] == Row("bad", None, "ozzy-bad", "1.0", "", "SystemExit")


def test_the_table_of_packages_is_sorted_and_speaks_of_short_names():
    names = list(install_hints.PACKAGES)
    assert names == sorted(names)
    assert [name for name in names if not name.replace("_", "").isalnum() or name != name.lower()] == []
    assert {package.partition("-")[0] for package in install_hints.PACKAGES.values()} == {"ozzy"}
