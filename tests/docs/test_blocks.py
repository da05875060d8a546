"""The reader of code blocks finds what a page holds, and notices when a page is wrong."""

from pathlib import Path

import pytest

from tests.docs.blocks import blocks_of, play, same


@pytest.fixture
def page(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "page.md"
        path.write_text(text)
        return path

    return write


def test_a_titled_block_becomes_a_file_and_later_blocks_see_it(page, tmp_path):
    text = '```yaml title="a/b.yaml"\nx: 1\n```\n\nThen:\n\n```bash\ncat a/b.yaml\n```\n\n```text\nx: 1\n```\n'

    done = play(page(text), tmp_path)

    assert [block.language for block in done] == ["yaml", "bash", "text"]
    assert (tmp_path / "a/b.yaml").read_text() == "x: 1\n"


def test_wrong_output_fails_with_page_and_line(page, tmp_path):
    text = "```bash\necho one\n```\n\n```text\ntwo\n```\n"

    with pytest.raises(AssertionError, match=r"page.md:6 says\ntwo\n\nbut this was printed:\none"):
        play(page(text), tmp_path)


def test_another_exit_code_than_announced_fails(page, tmp_path):
    with pytest.raises(AssertionError, match="ended with 3 instead of 0"):
        play(page("```bash\nexit 3\n```\n"), tmp_path)
    with pytest.raises(AssertionError, match="ended with 0 instead of 3"):
        play(page("<!-- exit: 3 -->\n```bash\ntrue\n```\n"), tmp_path)
    assert play(page("<!-- exit: 3 -->\n```bash\nexit 3\n```\n"), tmp_path)


def test_a_block_marked_so_is_not_run_and_the_next_one_is(page, tmp_path):
    text = "<!-- not run: it needs a server -->\n```bash\nexit 1\n```\n\n```bash\ntrue\n```\n"

    assert [block.line for block in play(page(text), tmp_path)] == [7]


def test_text_away_from_a_command_is_no_output(page, tmp_path):
    text = "```bash\necho one\n```\n\nA tree:\n\n```text\nanything\n```\n"

    assert [block.language for block in play(page(text), tmp_path)] == ["bash"]


def test_indented_blocks_lose_their_indent(page):
    (block,) = blocks_of(page("1. First\n\n    ```python\n    if 1:\n        pass\n    ```\n"))

    assert block.text == "if 1:\n    pass\n"


@pytest.mark.parametrize(
    ("expected", "printed", "outcome"),
    [
        ("a\n", "a\n", True),
        ("a\n", "a\nb\n", False),
        ("a\n…\nd\n", "a\nb\nc\nd\n", True),
        ("a\n…\nd\n", "a\nd\n", True),
        ("a\n…\n", "b\n", False),
        ("read … records\n", "read 1,000 records\n", True),
        ("took 2.1 s\n", "took 0.03 s\n", True),
        ("took 2.1 s\n", "took long\n", False),
        ("done\n", "909 read · 909 written · 93/s · 4 files · 9.68 s\ndone\n", True),
        ("600,000 records\n", "599,999 records\n", False),
        ("passed in 4.10s\n", "passed in 74.19s (0:01:14)\n", True),
    ],
)
def test_output_is_compared_but_for_gaps_and_times(expected, printed, outcome):
    assert same(expected, printed) is outcome
