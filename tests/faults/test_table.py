"""The page of promises has a table for each file of these tests, with a row for each fault, and no other."""

import re
from pathlib import Path

import pytest

from tests.faults import table

FILES = sorted(path.stem.removeprefix("test_") for path in Path(__file__).parent.glob("test_*.py") if path != Path(__file__))


@pytest.mark.parametrize("file", FILES)
def test_each_fault_has_a_row(file: str, pytestconfig: pytest.Config) -> None:
    if pytestconfig.getoption("--update-table"):
        pytest.skip("the tables are being written")
    names = table.faults(file)

    assert names, f"test_{file}.py has no tests of faults"
    assert len(set(names)) == len(names)
    assert [table.name_of(row) for row in table.shown(file)] == names, "pytest tests/faults --update-table writes them"


def test_there_are_no_other_tables() -> None:
    assert sorted(re.findall(r"<!-- faults: (\w+) -->", table.PAGE.read_text(encoding="utf-8"))) == FILES


def test_a_table_is_written_between_its_marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows seen are put in the order of the tests, others stay, and those of tests that are gone go."""
    page = tmp_path / "page.md"
    page.write_text("before\n\n<!-- faults: plugins -->\n| a |\n| - |\n| gone | x |\n<!-- end of faults: plugins -->\nafter\n")
    monkeypatch.setattr(table, "PAGE", page)
    first, second, *_ = table.faults("plugins")

    table.update("plugins", [table.Row(second, "out", "said | so", 3, "way")])
    table.update("plugins", [table.Row(first, "out", "", 0, "way")])

    assert page.read_text().startswith("before\n\n<!-- faults: plugins -->\n\n| What goes wrong |")
    assert page.read_text().endswith("<!-- end of faults: plugins -->\nafter\n")
    assert table.shown("plugins") == [f"| {first} | out | nothing | 0 | way |", f"| {second} | out | `said \\| so` | 3 | way |"]
