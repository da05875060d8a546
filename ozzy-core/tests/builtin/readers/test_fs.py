"""The reader of files finds each file once, in the order of paths, and never reads one that changes under it."""

import gzip
import os
from pathlib import Path

import pytest

from ozzy import ConfigError, Metadata, SourceError, Split
from ozzy.builtin.decoders.csv import CSVDecoder
from ozzy.builtin.decoders.json_array import JsonDecoder
from ozzy.builtin.decoders.json_lines import JsonLinesDecoder
from ozzy.builtin.readers.fs import FSReader
from ozzy.contracts.decoder import choose

DECODERS = {"json_lines": JsonLinesDecoder, "json": JsonDecoder, "csv": CSVDecoder}


def put(folder, *names, content=b'{"a":1}\n'):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


@pytest.fixture
def reader(tmp_path):
    """Makes a reader of an input, in `tmp_path`, with the core's decoders."""

    def make(input, **options):
        one = FSReader({"name": "fs", "options": {"input": input, **options}}, Metadata(working_folder=tmp_path))
        one.decoders = lambda asked, name, head, batch_size: DECODERS[choose(name, head) if asked == "auto" else asked](
            {"options": {"batch_size": batch_size}}
        )
        return one

    return make


def names(reader):
    return [split.id for split in reader.splits()]


def lines_of(reader):
    return [line for split in reader.splits() for batch in reader.read(split, None) for line in batch.lines]


@pytest.mark.parametrize("input", ["in/b.jsonl", ["in/b.jsonl"], ["in/b.jsonl", "./in//b.jsonl", "in/sub/../b.jsonl"]])
def test_a_path_is_a_file(tmp_path, reader, input):
    put(tmp_path, "in/a.jsonl", "in/b.jsonl", "in/sub/c")

    assert names(reader(input)) == ["in/b.jsonl"]


@pytest.mark.parametrize("input", ["in", "in/", "./in", {"dir": "in"}, [{"dir": "in"}], ["in/a", {"dir": "in"}, "in/b/c"]])
def test_a_folder_is_all_files_in_it_in_the_order_of_paths(tmp_path, reader, input):
    put(tmp_path, "in/b/c", "in/a", "in/b.x", "in/B", "in/b/d/é", "in/.hidden", "in/.git/config", "out/x")

    assert names(reader(input)) == ["in/B", "in/a", "in/b.x", "in/b/c", "in/b/d/é"]


def test_files_with_dots_are_read_where_asked_for(tmp_path, reader):
    put(tmp_path, "in/a", "in/.hidden", "in/.git/config")

    assert names(reader({"dir": "in", "include_dot_files": True})) == ["in/.git/config", "in/.hidden", "in/a"]
    assert names(reader("in/.hidden")) == ["in/.hidden"]


def test_paths_may_be_absolute(tmp_path, reader):
    put(tmp_path, "in/a")

    assert names(reader(str(tmp_path / "in"))) == [str(tmp_path / "in" / "a")]
    assert names(reader([str(tmp_path / "in"), "in/a"])) == [str(tmp_path / "in" / "a")]


def test_paths_may_begin_at_home(tmp_path, reader, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    put(tmp_path, "in/a", "in/~x")

    assert names(reader("~/in")) == [str(tmp_path / "in" / "a"), str(tmp_path / "in" / "~x")]
    with pytest.raises(SourceError, match="home"):
        names(reader("~nobody-of-this-name/in"))


def test_a_name_that_begins_with_a_tilde_is_a_name(tmp_path, reader):
    put(tmp_path, "~x.jsonl")

    assert names(reader({"dir": "."})) == ["~x.jsonl"]
    assert lines_of(reader({"dir": "."})) == [b'{"a":1}']


def test_a_pattern_is_searched_for_in_the_whole_path(tmp_path, reader):
    put(tmp_path, "in/2024/a.jsonl", "in/2025/a.jsonl", "in/2025/b.csv", "in/2025.txt")

    assert names(reader({"dir": "in", "pattern": r"2025/.*\.jsonl$"})) == ["in/2025/a.jsonl"]
    assert names(reader({"dir": "in", "pattern": "a"})) == ["in/2024/a.jsonl", "in/2025/a.jsonl"]


@pytest.mark.parametrize("unit", [{"dir": "in", "pattern": "zzz"}, {"dir": "empty"}, "empty"])
def test_where_nothing_matches_there_is_nothing_and_a_warning(tmp_path, reader, unit, caplog):
    put(tmp_path, "in/a")
    (tmp_path / "empty").mkdir()

    assert names(reader(unit)) == []
    assert "nothing is read from there" in caplog.text


def test_a_pointer_file_names_the_folder(tmp_path, reader):
    put(tmp_path, "in/a.x", "in/b.y")
    (tmp_path / "pointer").write_text(" in\r\n")

    assert names(reader({"dir_pointer": "pointer", "pattern": "x$"})) == ["in/a.x"]


@pytest.mark.parametrize(
    ("input", "message"),
    [
        ("none", "none does not exist"),
        ("in/*.jsonl", r"in/\*.jsonl does not exist\nTo read the files of a folder that match"),
        ({"dir": "none"}, "none does not exist"),
        ({"dir": "in/a"}, "in/a is no folder"),
        ({"dir_pointer": "none"}, "none does not exist"),
        ({"dir_pointer": "blank"}, "the pointer file blank is empty"),
        ({"dir_pointer": "in"}, "in can't be read: Is a directory"),
        ({"dir_pointer": "binary"}, "binary can't be read: .*utf-8"),
        ({"dir_pointer": "wrong"}, "nowhere does not exist"),
        ("a\0b", "can't be read"),
        ("pipe", "pipe is neither a file nor a folder"),
        ("in/a/b", "in/a/b can't be read: Not a directory"),
    ],
)
def test_a_path_that_can_not_be_read_is_an_error_of_the_source(tmp_path, reader, input, message):
    put(tmp_path, "in/a")
    put(tmp_path, "blank", content=b" \n")
    put(tmp_path, "binary", content=b"\xff")
    put(tmp_path, "wrong", content=b"nowhere")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError) as raised:
        names(reader(input))

    raised.match(message)


def test_a_folder_that_can_not_be_listed_is_an_error_and_never_empty(tmp_path, reader, mocker):
    put(tmp_path, "in/a", "in/sub/b")
    scandir = os.scandir

    def listed(folder):
        if Path(folder).name == "sub":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    mocker.patch("os.scandir", listed)
    with pytest.raises(SourceError, match="in/sub can't be read: Permission denied"):
        names(reader("in"))


def test_a_file_that_can_not_be_opened_is_an_error(tmp_path, reader, mocker):
    put(tmp_path, "a.jsonl")
    one = reader("a.jsonl")
    [split] = one.splits()
    mocker.patch("pathlib.Path.open", side_effect=PermissionError(13, "Permission denied"))
    with pytest.raises(SourceError, match=r"a\.jsonl can't be read: Permission denied"):
        list(one.read(split, None))


def test_names_that_are_not_utf8_are_refused(tmp_path, reader):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / os.fsdecode(b"\xff.jsonl")).write_bytes(b"{}")
    with pytest.raises(SourceError, match="is not UTF-8"):
        names(reader("in"))


def test_links_to_files_are_followed_and_links_to_folders_are_not(tmp_path, reader, caplog):
    put(tmp_path, "in/a", "other/b")
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in", target_is_directory=True)
    (tmp_path / "in" / "link").symlink_to(tmp_path / "other" / "b")
    (tmp_path / "root").symlink_to(tmp_path / "in", target_is_directory=True)

    assert names(reader("in")) == ["in/a", "in/link"]
    assert "in/loop is a link to a folder and is not followed" in caplog.text
    assert names(reader("root")) == ["root/a", "root/link"]


def test_a_link_that_leads_to_itself_is_an_error(tmp_path, reader):
    put(tmp_path, "in/a")
    (tmp_path / "in" / "link").symlink_to("link")
    with pytest.raises(SourceError, match=r"^in/link can't be read: Too many levels of symbolic links"):
        names(reader("in"))


def test_a_link_that_leads_nowhere_is_an_error(tmp_path, reader):
    put(tmp_path, "in/a")
    (tmp_path / "in" / "link").symlink_to(tmp_path / "none")
    with pytest.raises(SourceError, match="in/link does not exist"):
        names(reader("in"))


def test_pipes_in_a_folder_are_passed_over_with_a_warning(tmp_path, reader, caplog):
    put(tmp_path, "in/a")
    os.mkfifo(tmp_path / "in" / "pipe")

    assert names(reader("in")) == ["in/a"]
    assert "in/pipe is neither a file nor a folder" in caplog.text


def test_a_split_says_size_and_fingerprint(tmp_path, reader):
    put(tmp_path, "a.jsonl", content=b'{"a":1}\n{"a":2}\n')
    [before] = reader("a.jsonl").splits()
    [again] = reader("a.jsonl").splits()
    os.utime(tmp_path / "a.jsonl", ns=(1, 1))
    [touched] = reader("a.jsonl").splits()

    assert before.size == 16
    assert before == again
    assert before.fingerprint != touched.fingerprint


def test_suffix_and_content_choose_how_files_are_read(tmp_path, reader):
    put(tmp_path, "a.jsonl", content=b'{"a":1}\n')
    put(tmp_path, "b.json", content=b'[{"a":2}]')
    put(tmp_path, "c.csv.gz", content=gzip.compress(b"a\n3\n"))
    put(tmp_path, "d", content=gzip.compress(b'{\n"a": 4}'))
    put(tmp_path, "e.jl.gz", content=b'{"a":5}')

    assert lines_of(reader({"dir": "."})) == [b'{"a":1}', b'{"a":2}', b'{"a":"3"}', b'{"a":4}', b'{"a":5}']


def test_options_say_how_files_are_read(tmp_path, reader):
    put(tmp_path, "a.txt", content=gzip.compress(b"a\n1\n2\n"))
    one = reader("a.txt", deserializer="csv", decompressor="gz", batch_size=1)
    [split] = one.splits()

    assert [(batch.split, batch.records) for batch in one.read(split, None)] == [("a.txt", [{"a": "1"}]), ("a.txt", [{"a": "2"}])]


def test_reading_goes_on_after_any_batch(tmp_path, reader):
    put(tmp_path, "a.jsonl", content=b"".join(b'{"a":%d}\n' % number for number in range(10)))
    put(tmp_path, "b.csv", content=b"a\n" + b"".join(b"%d\n" % number for number in range(10)))
    one = reader({"dir": "."}, batch_size=3)
    for split in one.splits():
        batches = list(one.read(split, None))
        for done, batch in enumerate(batches, 1):
            assert [each.lines for each in batches[done:]] == [each.lines for each in one.read(split, batch.position)]


@pytest.mark.parametrize("change", ["grow", "shrink", "touch", "remove", "replace"])
def test_a_file_that_changed_before_it_is_read_is_refused(tmp_path, reader, change):
    put(tmp_path, "a.jsonl", content=b'{"a":1}\n{"a":2}\n')
    one = reader("a.jsonl", batch_size=1)
    [split] = one.splits()
    alter(tmp_path / "a.jsonl", change)
    for position in (None, {"rows": 1, "offset": 8, "lines": 1}):
        with pytest.raises(SourceError, match=r"a\.jsonl (has changed since the run began|does not exist)"):
            next(one.read(split, position))


@pytest.mark.parametrize("change", ["grow", "shrink", "touch", "remove", "replace"])
def test_a_file_that_changes_while_it_is_read_is_an_error(tmp_path, reader, change):
    put(tmp_path, "a.jsonl", content=b'{"a":1}\n{"a":2}\n')
    one = reader("a.jsonl", batch_size=1)
    [split] = one.splits()
    batches = one.read(split, None)
    next(batches)
    alter(tmp_path / "a.jsonl", change)
    with pytest.raises(SourceError, match=r"a\.jsonl (has changed since the run began|does not exist)"):
        list(batches)


def alter(path, change):
    if change == "grow":
        path.write_bytes(path.read_bytes() + b'{"a":3}\n')
    elif change == "shrink":
        path.write_bytes(b'{"a":1}\n')
    elif change == "touch":
        os.utime(path, ns=(1, 1))
    elif change == "remove":
        path.unlink()
    else:
        other = path.with_name("other")
        other.write_bytes(b'{"a":1}\n{"a":22}\n')
        other.replace(path)


def test_a_split_without_fingerprint_is_read_as_it_is(tmp_path, reader):
    put(tmp_path, "a.jsonl")
    [batch] = reader("a.jsonl").read(Split("a.jsonl"), None)

    assert batch.lines == [b'{"a":1}']


def test_a_damaged_archive_is_an_error_that_names_the_file(tmp_path, reader):
    put(tmp_path, "a.jsonl.gz", content=gzip.compress(b'{"a":1}\n' * 100)[:-10])
    with pytest.raises(SourceError, match=r"a\.jsonl\.gz ends at byte \d+, in the middle of its gz data"):
        lines_of(reader("a.jsonl.gz"))


@pytest.mark.parametrize(
    ("input", "path", "message"),
    [
        ({}, "input", "exactly one of dir and dir_pointer"),
        ({"dir": ""}, "input", "exactly one of dir and dir_pointer"),
        ({"dir": "a", "dir_pointer": "b"}, "input", "exactly one of dir and dir_pointer"),
        (["a", {"pattern": "x"}], "input.1", "exactly one of dir and dir_pointer"),
        ("", "input", "the path is empty"),
        (["a", ""], "input.1", "the path is empty"),
        ({"dir": "a", "pattern": "("}, "input.pattern", "not a regular expression"),
        ([{"dir": "a", "pattern": "("}], "input.0.pattern", "not a regular expression"),
        ({"dri": "a"}, "input.dri", "unknown option"),
        ([{"dir": "a", "patern": "x"}], "input.0.patern", "unknown option"),
        (5, "input", "expected str, dict or list"),
        ([5], "input.0", "expected str or dict"),
        ({"dir": 5}, "input.dir", "expected str"),
        ({"dir": "a", "include_dot_files": "yes"}, "input.include_dot_files", "expected true or false"),
    ],
)
def test_wrong_input_is_an_error_of_the_config(reader, input, path, message):
    with pytest.raises(ConfigError) as raised:
        reader(input)

    [problem] = raised.value.problems
    assert problem.path == f"reader.options.{path}"
    assert message in problem.message


def test_input_has_to_be_given():
    with pytest.raises(ConfigError, match=r"reader\.options\.input: missing"):
        FSReader()


def test_an_archive_that_grows_is_not_taken_for_damaged(tmp_path, reader):
    """What is added to it stands where a next member would: the change is told, not the damage."""
    put(tmp_path, "a.jl.gz", content=gzip.compress(b'{"a":1}\n{"a":2}\n'))
    one = reader("a.jl.gz", batch_size=1)
    [split] = one.splits()
    batches = one.read(split, None)
    next(batches)
    with (tmp_path / "a.jl.gz").open("ab") as file:
        file.write(b"more")

    with pytest.raises(SourceError, match=r"^a.jl.gz has changed since the run began"):
        list(batches)


def test_a_damaged_archive_that_does_not_change_is_told_as_damaged(tmp_path, reader):
    put(tmp_path, "a.jl.gz", content=gzip.compress(b'{"a":1}\n') + b"more")
    one = reader("a.jl.gz")
    [split] = one.splits()

    with pytest.raises(SourceError, match=r"^a.jl.gz holds something else than gz data from byte"):
        list(one.read(split, None))


@pytest.mark.parametrize("name", ["a.jl.gz", "a.csv.xz", "a.zst", "a.json.bz2"])
def test_no_bytes_under_the_name_of_an_archive_are_told(name, tmp_path, reader, caplog):
    put(tmp_path, name, content=b"")
    put(tmp_path, "plain.jl", content=b"")

    assert lines_of(reader(".")) == []

    assert [record.getMessage() for record in caplog.records if "no bytes" in record.getMessage()] != []
    assert "plain.jl has no bytes" not in caplog.text
