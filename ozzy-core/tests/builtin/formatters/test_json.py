"""Formatter json: lines, one array, and pretty."""

import json

import pytest

from ozzy.builtin.formatters.json import JsonExportFormatter
from ozzy.data.batch import Batch
from ozzy.errors import ConfigError, DataError


def formatter(**options):
    return JsonExportFormatter({"options": options})


def whole(made, batch):
    """A file as a writer makes it."""
    return made.header() + made.separator.join(made.format_rows(batch)) + made.footer()


LINES = [b'{"b":1.0, "a" : "\\u00f1", "a":"x", "big":12345678901234567890123}', '{"ñ":null}'.encode()]


def test_lines_pass_byte_for_byte():
    assert whole(formatter(), Batch.from_lines(list(LINES))) == b"".join(line + b"\n" for line in LINES)


def test_records_are_written_compact_with_their_keys_in_order_and_unicode_as_it_is():
    records = [{"b": 1.0, "a": "ñ", "n": None, "big": 2**80}, {}]
    assert whole(formatter(), Batch.from_records(records)) == '{"b":1.0,"a":"ñ","n":null,"big":1208925819614629174706176}\n{}\n'.encode()


def test_two_files_of_lines_one_after_the_other_are_one():
    one, other = (whole(formatter(), Batch.from_lines([line])) for line in LINES)
    assert one + other == whole(formatter(), Batch.from_lines(list(LINES)))


def test_an_array_has_a_member_a_line():
    made = formatter(jsonlines=False)
    assert whole(made, Batch.from_lines([b'{"a":1}', b'{"a":2}'])) == b'[\n{"a":1},\n{"a":2}\n]\n'


@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("pretty", [False, True])
def test_an_array_is_valid_json_whatever_its_length(count, pretty):
    records = [{"n": n, "x": [n]} for n in range(count)]
    assert json.loads(whole(formatter(jsonlines=False, pretty_print=pretty), Batch.from_records(list(records)))) == records


def test_pretty_is_indented_by_two_with_sorted_keys_at_every_depth():
    record = {"b": [{"z": 1, "y": "ñ"}], "a": {"d": 1.0, "c": 2**70}}
    expected = json.dumps(record, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    assert whole(formatter(pretty_print=True), Batch.from_records([record])).decode() == expected


def test_pretty_gives_the_same_from_lines_and_from_records():
    line = b'{"b":1,"a":[1.0,{"d":null,"c":1180591620717411303424}]}'
    made = formatter(pretty_print=True)
    assert made.format_rows(Batch.from_lines([line])) == made.format_rows(Batch.from_records([json.loads(line)]))


def test_pretty_leaves_the_records_as_they_were():
    record = {"b": 1, "a": 2}
    formatter(pretty_print=True).format_rows(Batch.from_records([record]))
    assert list(record) == ["b", "a"]


@pytest.mark.parametrize(
    ("options", "extension", "face"),
    [({}, "jl", "lines"), ({"pretty_print": True}, "jl", "records"), ({"jsonlines": False}, "json", "lines")],
)
def test_it_says_how_its_files_are_called_and_which_face_it_asks_for(options, extension, face):
    made = formatter(**options)
    assert (made.file_extension, made.face) == (extension, face)


@pytest.mark.parametrize("pretty", [False, True])
def test_a_record_without_a_form_in_json_is_an_error_of_its_row(pretty):
    with pytest.raises(DataError, match="NaN") as caught:
        formatter(pretty_print=pretty).format_rows(Batch.from_records([{"a": 1}, {"a": float("nan")}]))
    assert caught.value.row == 1


def test_formatting_lines_leaves_the_batch_as_it_was():
    batch = Batch.from_lines(list(LINES))
    formatter().format_rows(batch)
    assert (batch.lines, batch.faces) == (LINES, ("lines",))


def test_options_are_strict():
    with pytest.raises(ConfigError, match="jsonlines"):
        formatter(jsonlines="no")
