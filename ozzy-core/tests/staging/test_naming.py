"""File names: the grammar of the filebase, and values that stay in their folder and apart from each other."""

import re
import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ozzy.errors import ConfigError
from ozzy.staging.naming import NAME_BYTES, VALUE_BYTES, FileNames, problems, safe, source_name

START = datetime(2026, 3, 7, 9, 5, 1, tzinfo=UTC)
texts = st.text(max_size=40) | st.text(alphabet="ab0-_. %~/\0é́ñ", max_size=12)


def names(filebase, **more):
    return FileNames(filebase, **{"start": START, "extension": "jl", "compression_suffix": ".gz", **more})


def name(filebase, group=(), number=0, source="", split="", **more):
    made = names(filebase, **more)
    return made.folder, made.name(group, number, source, split)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("es", "es"),
        ("España 東京 ٣ हिन्दी", "España 東京 ٣ हिन्दी"),
        ("a-b_c d.e", "a-b_c d.e"),
        ("a/b", "a%2Fb"),
        ("..", "%2E%2E"),
        (".", "%2E"),
        (".hidden", "%2Ehidden"),
        ("end.", "end%2E"),
        ("end ", "end%20"),
        (" ", "%20"),
        ("a..b", "a..b"),
        ("100%", "100%25"),
        ("", "%empty"),
        ("\0", "%00"),
        ("tab\tline\n", "tab%09line%0A"),
        ("C:\\x", "C%3A%5Cx"),
        ("~root", "%7Eroot"),
        ("\u202egpj", "%E2%80%AEgpj"),
        ("\ud800", "%ED%A0%80"),
        ("\u0301a", "%CC%81a"),
        ("e\u0301", "e%CC%81"),
        ("\u212b", "%E2%84%AB"),
        ("a\u200d\u0307", "a%E2%80%8D%CC%87"),
    ],
)
def test_a_value_keeps_what_is_harmless_and_encodes_the_rest(value, expected):
    assert safe(value) == expected


def test_a_long_value_is_cut_and_keeps_apart_from_others_that_begin_the_same():
    one, other = safe("é" * 300 + "1"), safe("é" * 300 + "2")
    assert one != other
    assert len(one.encode()) <= VALUE_BYTES
    assert re.fullmatch("é+~[0-9a-f]{24}", one)


def test_a_long_value_is_not_cut_within_an_escape():
    assert re.fullmatch("(%2F)+~[0-9a-f]{24}", safe("/" * 300))


def test_a_value_of_just_the_allowed_length_is_not_cut():
    assert safe("a" * VALUE_BYTES) == "a" * VALUE_BYTES
    assert safe("a" * (VALUE_BYTES + 1)).startswith("a" * 100)
    assert len(safe("a" * (VALUE_BYTES + 1))) == VALUE_BYTES


@given(texts, texts)
@example("é", "e\u0301")
@example("%empty", "")
@example("/", "%2F")
@settings(max_examples=200)
def test_different_values_have_different_names_even_where_the_file_system_normalizes(one, other):
    assert (unicodedata.normalize("NFC", safe(one)) == unicodedata.normalize("NFC", safe(other))) == (one == other)


@given(texts)
@settings(max_examples=200)
def test_a_value_never_leaves_its_folder(value):
    made = safe(value)
    assert made
    assert not set("/\0\\") & set(made)
    assert made not in {".", ".."}
    assert not made.startswith(".")
    assert len(made.encode()) <= VALUE_BYTES


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("in/part-000.jl.gz", "part-000"),
        ("data.2024.csv", "data.2024"),
        ("data.2024.csv.BZ2", "data.2024"),
        ("plain", "plain"),
        (".hidden", ".hidden"),
        ("folder.d/x.json/", "x"),
        ("archive.gz", "archive"),
        ("", ""),
    ],
)
def test_a_source_is_called_by_its_name_without_extensions(path, expected):
    assert source_name(path) == expected


@pytest.mark.parametrize(
    ("filebase", "group", "number", "expected"),
    [
        ("out", (), 0, ("", "out0000.jl.gz")),
        ("out", (), 12, ("", "out0012.jl.gz")),
        ("out", (), 12345, ("", "out12345.jl.gz")),
        ("a/b/out", (), 0, ("a/b", "out0000.jl.gz")),
        ("/out", (), 0, ("/", "out0000.jl.gz")),
        ("/a/", (), 0, ("/a", "0000.jl.gz")),
        ("", (), 0, ("", "0000.jl.gz")),
        ("out/%Y-%m-%d/%H%M", (), 0, ("out/2026-03-07", "09050000.jl.gz")),
        ("out/%Y/%%d", (), 0, ("out/2026", "%d0000.jl.gz")),
        ("x{file_number}", (), 3, ("", "x3.jl.gz")),
        ("x{file_number:03d}y", (), 3, ("", "x003y.jl.gz")),
        ("a{{b}}", (), 0, ("", "a{b}0000.jl.gz")),
        ("x{{{file_number:x}}}", (), 255, ("", "x{ff}.jl.gz")),
        ("a/{groups[0]}/out", ("es",), 0, ("a", "es/out0000.jl.gz")),
        ("a/c-{groups[0]}/b/{groups[1]}", ("es", "x/y"), 0, ("a", "c-es/b/x%2Fy.jl.gz")),
        ("{groups[0]}", ("es",), 0, ("", "es.jl.gz")),
        ("{groups[0]}", ("es",), 1, ("", "es-0001.jl.gz")),
        ("{groups[0]}-{file_number}", ("es",), 1, ("", "es-1.jl.gz")),
        ("out", ("a", "b"), 0, ("", "out0000-a-b.jl.gz")),
        ("out{file_number}", ("a", "b"), 7, ("", "out7-a-b.jl.gz")),
        ("{groups[1]}/out", ("a", "b"), 0, ("", "b/out0000-a.jl.gz")),
        ("{groups[1]}", ("a", "b"), 2, ("", "b-a-0002.jl.gz")),
        ("a/{groups[0]}//./b", ("..",), 0, ("a", "%2E%2E/b0000.jl.gz")),
        ("//a//b", (), 0, ("/a", "b0000.jl.gz")),
        ("a//b", (), 0, ("a", "b0000.jl.gz")),
        ("{groups[0]}/{groups[0]}", ("x",), 0, ("", "x/x.jl.gz")),
        ("%Y/{groups[0]}", ("%Y {groups[0]} {0}",), 0, ("2026", "%25Y %7Bgroups%5B0%5D%7D %7B0%7D.jl.gz")),
    ],
)
def test_the_grammar_of_the_filebase(filebase, group, number, expected):
    assert name(filebase, group, number) == expected


def test_source_and_split_are_placeholders_too():
    assert name("out/{source}", source="part-000") == ("out", "part-000.jl.gz")
    assert name("out/{source}", source="part-000", number=1) == ("out", "part-000-0001.jl.gz")
    assert name("{split}/x", split="in/a") == ("", "in%2Fa/x0000.jl.gz")


def test_names_tell_whether_they_depend_on_source_or_split():
    made = names("{source}")
    assert (made.uses_source, made.uses_split) == (True, False)
    made = names("{split}/x")
    assert (made.uses_source, made.uses_split) == (False, True)


def test_a_start_file_count_is_added_to_the_number():
    assert name("out", start_file_count=5)[1] == "out0005.jl.gz"
    assert name("{groups[0]}", ("es",), start_file_count=5)[1] == "es-0005.jl.gz"


def test_an_extension_or_a_suffix_may_be_empty_and_dots_do_not_matter():
    assert name("out", compression_suffix="")[1] == "out0000.jl"
    assert name("out", extension="")[1] == "out0000.gz"
    assert name("out", extension=".csv", compression_suffix="bz2")[1] == "out0000.csv.bz2"


def test_the_template_shows_the_dates_filled_in():
    assert names("out/%Y/{groups[0]}").template == "out/2026/{groups[0]}"


@pytest.mark.parametrize(
    ("filebase", "one", "other"),
    [
        ("out", (("a-b", "c"), 0), (("a", "b-c"), 0)),
        ("{groups[0]}", (("a-0001",), 0), (("a",), 1)),
        ("{groups[0]}{file_number}", (("a1",), 2), (("a",), 12)),
        ("{groups[0]}{groups[1]}", (("a", "bc"), 0), (("ab", "c"), 0)),
        ("{groups[0]}{file_number:>3}", (("a",), 12), (("a ",), 2)),
    ],
)
def test_where_two_files_would_share_a_name_one_gets_a_hash(filebase, one, other):
    """Group and number of each are different, and what the plain grammar gives is the same."""
    both = [name(filebase, *one)[1], name(filebase, *other)[1]]
    assert len(set(both)) == 2
    assert any(re.search(r"~[0-9a-f]{24}\.jl\.gz$", each) for each in both)


def test_the_hash_does_not_depend_on_a_source_that_the_name_leaves_out():
    assert name("{groups[0]}", ("a-0001",), source="x") == name("{groups[0]}", ("a-0001",), source="y")


@pytest.mark.parametrize(
    "filebase",
    [
        "out",
        "{groups[0]}/out",
        "{groups[0]}-{groups[1]}-{file_number}",
        "{groups[0]}{groups[1]}",
        "{groups[1]}/{groups[0]}",
        "{source}{groups[0]}{file_number}",
    ],
)
@given(data=st.data())
@settings(max_examples=100)
def test_two_files_of_a_run_never_share_a_name(filebase, data):
    sources = st.text(alphabet="a0-", max_size=3) if "source" in filebase else st.just("")
    file = st.tuples(st.tuples(*[st.text(alphabet="a0-/~", max_size=4)] * 2), st.integers(0, 1200), sources)
    one, other = data.draw(file), data.draw(file)
    made = names(filebase)
    assert (made.name(*one) == made.name(*other)) == (one == other)


@given(
    st.lists(texts, min_size=3, max_size=3),
    st.sampled_from(["{groups[0]}/{groups[1]}/{groups[2]}", "out", "{groups[0]}/x{file_number}"]),
)
@settings(max_examples=100)
def test_no_group_leaves_the_folder_and_every_part_fits_a_file_system(group, filebase):
    made = name(filebase, tuple(group))[1]
    parts = made.split("/")
    assert len(parts) == 1 + filebase.count("/")
    assert not {"", ".", ".."} & set(parts)
    assert max(len(part.encode()) for part in parts) <= NAME_BYTES


def test_long_groups_are_cut_to_what_a_file_system_takes_and_stay_apart():
    long = "x" * 200
    one, other = name("out", (long, long))[1], name("out", (long, long[:-1] + "y"))[1]
    assert one != other
    assert max(len(one), len(other)) <= NAME_BYTES
    assert one.endswith(".jl.gz")


def test_a_long_folder_is_cut_and_is_the_same_folder_for_all_its_files():
    long = "x" * 200
    first, second = (name("{groups[0]}-{groups[1]}/out", (long, long), number)[1] for number in (0, 1))
    assert first.split("/")[0] == second.split("/")[0]
    assert len(first.split("/")[0]) <= NAME_BYTES


GRAMMAR = "placeholders are {groups[0]}, {file_number}, {source} and {split}"
WHOLE = "use one for whole numbers, such as {file_number:04d}"


@pytest.mark.parametrize(
    ("filebase", "grouped_by", "expected"),
    [
        ("out/%Y/{groups[0]}/x{file_number:04d}", 1, []),
        ("out/{source}-{split}", 0, []),
        ("{groups[3]}", None, []),
        ("{group}/x", None, ["unknown placeholder {group}: write {groups[0]}, {groups[1]} …"]),
        ("{groups}", 1, ["unknown placeholder {groups}: write {groups[0]}, {groups[1]} …"]),
        ("{groups[a]}", 1, ["unknown placeholder {groups[a]}: write {groups[0]}, {groups[1]} …"]),
        ("{groups.__class__}", 1, ["unknown placeholder {groups.__class__}: write {groups[0]}, {groups[1]} …"]),
        ("{groups[0].__class__}", 1, ["unknown placeholder {groups[0].__class__}: write {groups[0]}, {groups[1]} …"]),
        ("{0}", 0, ["unknown placeholder {0}: " + GRAMMAR]),
        ("{}", 0, ["unknown placeholder {}: " + GRAMMAR]),
        ("{country}/{file}", 0, ["unknown placeholder {country}: " + GRAMMAR, "unknown placeholder {file}: " + GRAMMAR]),
        ("{file_number!r}", 0, ["{file_number} can't have a conversion (!r)"]),
        ("{file_number:.2f}", 0, ["{file_number} can't have the format '.2f': " + WHOLE]),
        ("{file_number:{groups[0]}}", 1, ["{file_number} can't have the format '{groups[0]}': " + WHOLE]),
        ("{groups[0]:>5}", 1, ["{groups[0]} can't have a format (':>5'): only {file_number} can"]),
        ("{source:.3}", 0, ["{source} can't have a format (':.3'): only {file_number} can"]),
        ("{file_number}/x", 0, ["{file_number} belongs in the name of a file, after the last '/', not in a folder"]),
        ("{groups[0]}/../x", 1, ["'..' must stand before the first placeholder"]),
        ("a/..", 0, ["'..' is a folder: add a '/' after it, or a name"]),
        ("a\0%Y", 0, ["it holds a NUL character"]),
        ("{groups[0]}", 0, ["{groups[…]} needs a grouper, and there is none: add one, or leave the placeholder out"]),
        ("{groups[5]}", 2, ["{groups[5]} is one too many: records are grouped by 2, so the last is {groups[1]}"]),
    ],
)
def test_what_is_wrong_with_a_filebase_is_told(filebase, grouped_by, expected):
    assert problems(filebase, grouped_by) == expected


@pytest.mark.parametrize("filebase", ["{groups[0]", "a}b", "{", "x{file_number:04d"])
def test_a_brace_without_a_partner_is_told(filebase):
    (problem,) = problems(filebase)
    assert problem.startswith("a brace has no partner")


def test_dates_that_can_not_be_filled_in_are_told():
    (problem,) = problems("%Y\ud800")
    assert problem.startswith("its dates can't be filled in")


def test_a_wrong_filebase_is_a_config_error_with_all_problems():
    with pytest.raises(ConfigError) as caught:
        names("{x}/{groups[0]}", grouped=False)
    assert [problem.path for problem in caught.value.problems] == ["filebase", "filebase"]


def test_fewer_group_values_than_the_filebase_asks_for_is_a_config_error():
    with pytest.raises(ConfigError, match=r"asks for \{groups\[1\]\}, and records are grouped by 1"):
        names("{groups[1]}").name(("a",))
