"""How things look: widths, columns, numbers for people, colour."""

import sys

import pytest

from ozzy.cli import style


@pytest.mark.parametrize(("text", "columns"), [("", 0), ("abc", 3), ("España", 6), ("東京", 4), ("e\u0301", 1), ("a東", 3)])
def test_wide_characters_take_two_columns_and_marks_none(text, columns):
    assert style.width_of(text) == columns


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("東京都", 6, "東京都"),
        ("東京都", 5, "東京…"),
        ("東京都", 4, "東…"),
        ("東", 1, "…"),
        ("abc", 1, "…"),
        ("", 0, ""),
    ],
)
def test_a_text_is_cut_to_its_columns(text, width, expected):
    assert style.fitted(text, width) == expected


def test_padding_counts_columns():
    assert [style.padded(text, 5) + "|" for text in ("ab", "東京", "toolong")] == ["ab   |", "東京 |", "toolong|"]


def test_control_characters_can_not_move_the_cursor():
    assert style.one_line("a\nb\x1b[2Jc\td") == "a b [2Jc d"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0.00 s"),
        (0.0421, "0.04 s"),
        (9.99, "9.99 s"),
        (12.34, "12.3 s"),
        (60, "1 min 0 s"),
        (75.4, "1 min 15 s"),
        (3700, "1 h 1 min"),
        (90000, "25 h 0 min"),
    ],
)
def test_seconds_for_people(seconds, expected):
    assert style.duration(seconds) == expected


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (5 * 2**20, "5.0 MiB"), (3 * 2**30, "3.0 GiB"), (2**50, "1024.0 TiB")],
)
def test_bytes_for_people(count, expected):
    assert style.size(count) == expected


@pytest.mark.parametrize(("number", "expected"), [(0, "0 files"), (1, "1 file"), (12345, "12,345 files")])
def test_a_number_with_its_noun(number, expected):
    assert style.count(number, "file") == expected


def test_colour_is_only_for_terminals(monkeypatch, make_terminal):
    assert style.styled("x", fg="red") == "x"
    make_terminal("stderr", colour=True)
    assert style.styled("x", err=True, fg="red") == "\x1b[31mx\x1b[0m"
    assert style.styled("x", fg="red") == "x"
    monkeypatch.setenv("NO_COLOR", "1")
    assert style.styled("x", err=True, fg="red") == "x"


def test_the_width_is_the_terminal_s_or_eighty(make_terminal):
    assert style.screen_width() == 80
    make_terminal("stdout", 120)
    assert style.screen_width() == 120
    assert style.screen_width(sys.stderr) == 80


ROWS = [("a", "one two three four five six seven"), ("東京", "x\ny")]


def test_a_table_has_columns_as_wide_as_they_need_to_be(capsys):
    style.table(("name", "words"), ROWS)
    assert capsys.readouterr().out.splitlines() == ["name  words", "a     one two three four five six seven", "東京  x y"]


def test_on_a_narrow_terminal_the_last_column_is_broken_between_words(make_terminal):
    out = make_terminal("stdout", 24)
    style.table(("name", "words"), ROWS)
    assert out.getvalue().splitlines() == ["name  words", "a     one two three four", "      five six seven", "東京  x y"]


def test_a_word_that_is_too_long_stays_whole(make_terminal):
    out = make_terminal("stdout", 5)
    style.table(("n", "w"), [("a", "short supercalifragilistic end")])
    assert out.getvalue().splitlines() == ["n  w", "a  short", "   supercalifragilistic", "   end"]


def test_a_table_without_rows_is_its_heads(capsys):
    style.table(("name", "words"), [])
    assert capsys.readouterr().out == "name  words\n"
