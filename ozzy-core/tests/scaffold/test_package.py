"""The files of a new plugin, and how they come to their place."""

import ast
import subprocess
import sys
import tomllib

import pytest
import yaml

from ozzy import DestinationError, PluginError, Registry
from ozzy.hookspecs import Module, hookimpl
from ozzy.scaffold.kinds import SAMPLES, samples_of
from ozzy.scaffold.names import LONGEST, Names, names_of
from ozzy.scaffold.package import package_files, refuse_taken_names, write_package

NAMES = names_of("tide-gauge")


def made(kinds="reader,writer", names=NAMES):
    return package_files(names, samples_of(kinds), "0.1")


def test_the_files_of_a_reader_and_a_writer():
    assert list(made()) == [
        ".github/workflows/ci.yml",
        ".gitignore",
        "CHANGELOG.md",
        "README.md",
        "noxfile.py",
        "pyproject.toml",
        "src/ozzy_tide_gauge/__init__.py",
        "src/ozzy_tide_gauge/client.py",
        "src/ozzy_tide_gauge/plugin.py",
        "src/ozzy_tide_gauge/py.typed",
        "src/ozzy_tide_gauge/reader.py",
        "src/ozzy_tide_gauge/writer.py",
        "tests/conftest.py",
        "tests/server.py",
        "tests/service.py",
        "tests/test_contract_reader.py",
        "tests/test_contract_writer.py",
        "tests/test_reader.py",
        "tests/test_readme.py",
        "tests/test_writer.py",
    ]


def test_who_talks_to_no_server_has_none():
    assert [path for path in made("filter") if "serv" in path or "client" in path or "conftest" in path] == []


def test_the_server_has_only_the_parts_that_are_asked_for():
    service = made("notifications")["tests/service.py"]

    assert 'PARTS: dict[str, Any] = {"rooms": Rooms()}' in service
    assert "class Rooms" in service
    assert "class Collections" not in service


@pytest.mark.parametrize("host", ["x", "tide-gauge", "x" * LONGEST])
def test_every_file_can_be_parsed_whatever_the_name(host):
    files = made(",".join(SAMPLES), Names(host))
    for path, text in files.items():
        if path.endswith(".py"):
            ast.parse(text)
    project = tomllib.loads(files["pyproject.toml"])["project"]

    assert project["name"] == f"ozzy-{host}"
    assert project["dependencies"] == ["ozzy-core>=0.1"]
    assert project["entry-points"]["ozzy.plugins"] == {host.replace("-", "_"): f"ozzy_{host.replace('-', '_')}.plugin"}
    assert "${{ matrix.python }}" in str(yaml.safe_load(files[".github/workflows/ci.yml"]))


@pytest.mark.parametrize("kinds", [*SAMPLES, ",".join(SAMPLES)])
def test_it_is_laid_out_and_linted_whatever_it_offers(tmp_path, kinds):
    """A short name and a long one, since lines are broken by their length."""
    pytest.importorskip("ruff")
    for host in ("x", "tide-gauge-" + "x" * (LONGEST - 11)):
        names = names_of(host)
        write_package(made(kinds, names), tmp_path / names.package)

    for check in (["check"], ["format", "--diff"]):
        done = subprocess.run([sys.executable, "-m", "ruff", *check, "--no-cache", tmp_path], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_is_left_to_be_done():
    for text in made(",".join(SAMPLES)).values():
        assert "TODO" not in text
        assert "NotImplementedError" not in text


def test_files_come_to_a_folder_that_was_not_there(tmp_path):
    write_package({"a.txt": "ä\n", "b/c.txt": ""}, tmp_path / "ozzy-x")

    assert (tmp_path / "ozzy-x/a.txt").read_bytes() == "ä\n".encode()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.txt", "b", "c.txt", "ozzy-x"]


@pytest.mark.parametrize("what", ["folder", "file", "broken link"])
def test_what_is_there_stays(tmp_path, what):
    folder = tmp_path / "ozzy-x"
    if what == "folder":
        folder.mkdir()
    elif what == "file":
        folder.write_text("mine")
    else:
        folder.symlink_to(tmp_path / "nowhere")

    with pytest.raises(DestinationError, match="exists already"):
        write_package({"a.txt": ""}, folder)

    assert list(tmp_path.rglob("*")) == [folder]


def test_a_folder_to_make_it_in_has_to_be_there(tmp_path):
    with pytest.raises(DestinationError, match="there is no folder"):
        write_package({"a.txt": ""}, tmp_path / "none/ozzy-x")


def test_what_fails_leaves_nothing(tmp_path):
    with pytest.raises(DestinationError, match="can't be made"):
        write_package({"a.txt": "", "a.txt/b.txt": ""}, tmp_path / "ozzy-x")

    assert list(tmp_path.iterdir()) == []


@hookimpl
def ozzy_filter():
    return {"tide_gauge": Module("other:Filter")}


class Other:
    ozzy_filter = staticmethod(ozzy_filter)


@pytest.mark.parametrize(
    ("package", "kind", "refused"), [("other", "filter", True), ("other", "reader", False), ("ozzy-tide-gauge", "filter", False)]
)
def test_a_short_name_that_another_package_has_is_refused(package, kind, refused):
    registry = Registry.load(environ={})
    registry.register(Other(), package=package, version="1", entry_name="other")
    if not refused:
        refuse_taken_names(NAMES, samples_of(kind), registry)
        return

    with pytest.raises(PluginError, match=r"there is a filter tide_gauge already, of other"):
        refuse_taken_names(NAMES, samples_of(kind), registry)
