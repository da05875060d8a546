"""The tables of faults in docs/promises.md: each row is what a test has seen."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import attrs

FOLDER = Path(__file__).parent
PAGE = FOLDER.parents[1] / "docs" / "promises.md"
HEAD = "| What goes wrong | What becomes of the run | What it says | Exit code | The way on |\n| --- | --- | --- | --- | --- |\n"


@attrs.frozen
class Row:
    """One fault: what becomes of the run, what is said, the exit code, and the way on."""

    fault: str
    outcome: str
    message: str
    code: int
    way_on: str

    def __str__(self) -> str:
        said = "`" + _cell(self.message).replace("`", "'") + "`" if self.message else "nothing"
        return f"| {_cell(self.fault)} | {_cell(self.outcome)} | {said} | {self.code} | {_cell(self.way_on)} |"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def faults(file: str) -> list[str]:
    """The faults that a file of tests is marked with, in order."""
    tree = ast.parse((FOLDER / f"test_{file}.py").read_text(encoding="utf-8"))
    return [name for node in tree.body if isinstance(node, ast.FunctionDef) for name in _marked(node)]


def _marked(node: ast.FunctionDef) -> Iterator[str]:
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.fault":
            assert isinstance(decorator.args[0], ast.Constant)
            yield str(decorator.args[0].value)


def shown(file: str) -> list[str]:
    """The rows that the page has of this file's faults."""
    return [line for line in _between(PAGE.read_text(encoding="utf-8"), file)[1].splitlines() if line.startswith("| ")][2:]


def name_of(row: str) -> str:
    """The fault that a row is about."""
    return row.removeprefix("| ").partition(" | ")[0]


def update(file: str, rows: list[Row]) -> None:
    """Put rows into the page: those of faults that were not seen this time stay as they are, those of faults that are gone go."""
    text = PAGE.read_text(encoding="utf-8")
    known = {name_of(row): row for row in shown(file)} | {_cell(row.fault): str(row) for row in rows}
    table = HEAD + "".join(f"{known[_cell(fault)]}\n" for fault in faults(file) if _cell(fault) in known)
    before, _, after = _between(text, file)
    PAGE.write_text(f"{before}\n{table}\n{after}", encoding="utf-8")


def _between(text: str, file: str) -> tuple[str, str, str]:
    begin, end = f"<!-- faults: {file} -->\n", f"<!-- end of faults: {file} -->"
    found = re.search(f"{re.escape(begin)}(.*?)(?={re.escape(end)})", text, re.DOTALL)
    assert found is not None, f"{PAGE.name} has no place for the faults of {file}"
    return text[: found.start(1)], found[1], text[found.end(1) :]
