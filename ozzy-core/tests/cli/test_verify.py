"""`ozzy verify`."""

import gzip
import json
import sys

import pytest


@pytest.fixture
def listed(ozzy, config):
    """A run that has written a manifest beside its files."""
    writer = {"name": "fs", "options": {"filebase": "out/{groups[0]}/x", "compression": "none", "manifest": "manifest.json"}}
    assert ozzy("run", config(writer=writer, grouper={"name": "file_key", "options": {"keys": ["country_code"]}})).code == 0
    return "out/manifest.json"


def test_a_destination_as_it_was_published_is_verified(ozzy, listed):
    told = ozzy("verify", listed, "--rows", "--strict")

    assert (told.code, told.err) == (0, "")
    assert told.out.startswith("verified: 3 files, 30 rows, ")
    assert "(rows counted in 3 files), of run 2" in told.out


def test_everything_that_differs_is_listed(ozzy, listed, tmp_path):
    (tmp_path / "out/es/x0000.jl").unlink()
    short = tmp_path / "out/uk/x0000.jl"
    short.write_bytes(short.read_bytes()[:-3])
    flipped = tmp_path / "out/us/x0000.jl"
    flipped.write_bytes(flipped.read_bytes().replace(b"1", b"2"))

    told = ozzy("verify", listed)

    lines = told.out.splitlines()
    assert told.code == 6
    assert "es/x0000.jl: is missing" in lines
    assert any(line.startswith("uk/x0000.jl: size differs: ") and line.endswith(" bytes found") for line in lines)
    assert any(line.startswith("us/x0000.jl: checksum differs: ") for line in lines)
    assert lines[-1].startswith("differs: 3 differences; run ")


def test_the_outcome_as_json(ozzy, listed, tmp_path):
    good = ozzy("verify", listed, "--json")
    (tmp_path / "out/es/x0000.jl").unlink()
    bad = ozzy("verify", listed, "--json")

    assert (good.code, good.json["ok"], good.json["differences"], good.json["files"], good.json["rows"]) == (0, True, [], 3, 30)
    assert (bad.code, bad.json["ok"]) == (6, False)
    assert bad.json["differences"] == [{"file": "es/x0000.jl", "kind": "missing", "expected": None, "found": None}]


def test_strict_names_files_that_are_not_listed(ozzy, listed, tmp_path):
    (tmp_path / "out/es/late.jl").write_text("{}\n")
    (tmp_path / "out/.ozzy-x").mkdir()
    (tmp_path / "out/.ozzy-x/000.part").write_text("")

    assert ozzy("verify", listed).code == 0
    told = ozzy("verify", listed, "--strict")
    assert (told.code, told.out.splitlines()[0]) == (6, "es/late.jl: is not in the manifest")


def test_strict_looks_in_all_of_the_destination_wherever_the_manifest_is(ozzy, listed, tmp_path):
    manifest = json.loads((tmp_path / listed).read_text())
    (tmp_path / listed).unlink()
    (tmp_path / "out/lists").mkdir()
    (tmp_path / "out/lists/m.json").write_text(json.dumps(manifest | {"folder": ".."}))

    assert ozzy("verify", "out/lists/m.json", "--strict").code == 0
    (tmp_path / "out/es/late.jl").write_text("{}\n")
    assert ozzy("verify", "out/lists/m.json", "--strict").out.splitlines()[0] == "es/late.jl: is not in the manifest"


def test_a_manifest_whose_rows_are_wrong_is_found_by_counting(ozzy, listed, tmp_path):
    path = tmp_path / listed
    manifest = json.loads(path.read_text())
    manifest["files"][0]["rows"] += 1
    manifest["rows"] += 1
    path.write_text(json.dumps(manifest))

    assert ozzy("verify", listed).code == 0
    told = ozzy("verify", listed, "--rows")
    assert told.code == 6
    assert "rows differs" in told.out


def test_a_destination_may_be_moved_and_needs_no_state(ozzy, listed, tmp_path):
    (tmp_path / "out").rename(tmp_path / "elsewhere")

    assert ozzy("verify", "elsewhere/manifest.json", "--strict").code == 0


FIELDS = {"fields": ["key", "city"]}


@pytest.mark.parametrize(
    "formatter",
    [
        "json",
        {"name": "json", "options": {"jsonlines": False}},
        {"name": "csv", "options": FIELDS},
        {"name": "csv", "options": FIELDS | {"show_titles": False}},
        {
            "name": "csv",
            "options": FIELDS | {"delimiter": ";", "quotechar": "'", "doublequote": False, "escapechar": "\\", "line_end": "crlf"},
        },
        {"name": "csv", "options": {"fields": ["key", "value"], "delimiter": "\t", "quoting": "none", "show_titles": False}},
        {"name": "csv", "options": {"discover": True, "delimiter": "|"}},
        {"name": "csv", "options": {"discover": True, "show_titles": False}},
        "xml",
    ],
)
@pytest.mark.parametrize("compression", ["gz", "zip"])
def test_rows_of_known_formats_are_counted(ozzy, config, formatter, compression):
    options = {"filebase": "out/x", "manifest": "m.json", "compression": compression}
    ozzy("run", config(formatter=formatter, writer={"name": "fs", "options": options}))

    told = ozzy("verify", "out/m.json", "--rows", "--json")
    assert (told.code, told.json["rows_counted"]) == (0, 1)


def test_cells_that_need_the_dialect_to_be_told_apart_are_counted(ozzy, config, tmp_path):
    (tmp_path / "in.jl").write_text('{"key":1,"city":"a\\nb\\"c;d\\\\"}\n{"key":2,"city":null}\n{"key":3,"city":"\\n\'\\n"}\n')
    dialect = FIELDS | {"delimiter": ";", "quotechar": "'", "doublequote": False, "escapechar": "\\"}
    writer = {"name": "fs", "options": {"filebase": "out/x", "manifest": "m.json"}}
    reader = {"name": "fs", "options": {"input": str(tmp_path / "in.jl")}}
    ozzy("run", config(reader=reader, formatter={"name": "csv", "options": dialect}, writer=writer))

    told = ozzy("verify", "out/m.json", "--rows", "--json")
    assert (told.code, told.json["rows"], told.json["rows_counted"]) == (0, 3, 1)


@pytest.mark.parametrize(
    "read_as", [{"name": "os:system", "options": {}}, {"name": "csv", "options": {"delimiter": 5}}, {"name": "csv"}, 7]
)
def test_a_manifest_can_not_make_it_import_or_fail(ozzy, listed, tmp_path, read_as):
    path = tmp_path / listed
    path.write_text(json.dumps(json.loads(path.read_text()) | {"read_as": read_as}))

    assert ozzy("verify", listed, "--rows").code == 0


def test_a_format_that_is_not_known_is_not_counted(ozzy, config, tmp_path):
    writer = {"name": "fs", "options": {"filebase": "out/x", "manifest": "m.json", "generate_md5": True}}
    ozzy("run", config(writer=writer))

    assert ozzy("verify", "out/m.json", "--rows", "--json").json["rows_counted"] == 1


def test_what_is_no_manifest_is_told(ozzy, tmp_path):
    assert ozzy("verify", "none.json").err == "error: can't read the manifest none.json: No such file or directory\n"
    (tmp_path / "x.json").write_bytes(gzip.compress(b"{}"))
    told = ozzy("verify", "x.json")
    assert (told.code, "x.json is not a manifest, or is damaged" in told.err) == (6, True)


def test_a_manifest_of_a_run_under_way_says_so(ozzy, listed, tmp_path):
    path = tmp_path / listed
    path.write_text(path.read_text().replace('"complete": true', '"complete": false'))

    told = ozzy("verify", listed)
    assert (told.code, told.out.splitlines()[-1]) == (0, "note: the run had not finished when it wrote this manifest")


def test_a_file_that_became_a_folder_or_can_not_be_read_differs(ozzy, listed, tmp_path, monkeypatch):
    target = tmp_path / "out/es/x0000.jl"
    target.unlink()
    target.mkdir()
    assert "es/x0000.jl: is missing" in ozzy("verify", listed).out

    def broken(path, algorithm="sha256"):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(sys.modules["ozzy.run.verify"], "checksum", broken)
    assert "uk/x0000.jl: can't be read: Input/output error" in ozzy("verify", listed).out
