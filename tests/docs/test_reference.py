"""The reference names all there is: every module and option, hook, contract, section, exit code and command."""

import re
from pathlib import Path

import attrs
import pytest

import ozzy
from docs.gen.reference import KIND_TITLES, pages, prose
from ozzy import errors
from ozzy.cli.main import COMMANDS
from ozzy.hookspecs import KINDS
from ozzy.options.option import options_of
from ozzy.options.settings import KEYS, CheckpointSettings, ErrorSettings

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return {path: text for path, (_, text) in pages().items()}


def test_each_module_and_each_of_its_options_is_on_the_page_of_its_kind(made):
    registry = ozzy.Registry.load()
    rows = [row for row in registry.rows() if row.kind is not None]
    missing = []
    for row in rows:
        page = made[f"reference/modules/{row.kind}.md"]
        section = page.partition(f"\n## `{row.name}`\n")[2].partition("\n## ")[0]
        wanted = [row.summary, *(f"| `{name}` |" for name in options_of(registry.resolve(row.kind, row.name).cls))]
        missing += [f"{row.kind} {row.name}: {text}" for text in wanted if text not in section]

    assert rows
    assert missing == []


def test_what_has_fields_of_its_own_is_followed_by_them(made):
    assert '| `keys.operator` | str | `"=="` |' in made["reference/modules/filter.md"]
    assert "| `keys.value` | anything |  |" in made["reference/modules/filter.md"]
    assert "| `retry.tries` | int | `6` |" in made["reference/modules/notifications.md"]


def test_each_kind_has_a_title():
    assert list(KIND_TITLES) == list(KINDS)


def test_each_hook_is_there_with_its_signature(made):
    for hook in KINDS.values():
        assert f"## `{hook}() -> " in made["reference/hooks.md"]


def test_each_hook_leads_to_the_contract_and_to_the_modules_of_its_kind(made):
    found = re.findall(r"\[\w+\]\(contracts\.md#(\w+)\)\. Those there are: \[[\w ]+\]\(modules/(\w+)\.md\)", made["reference/hooks.md"])
    anchors = {name.lower() for name in re.findall(r"^## (\w+)$", made["reference/contracts.md"], re.MULTILINE)}

    assert [kind for _, kind in found] == list(KINDS)
    assert {base for base, _ in found} <= anchors
    assert all(f"reference/modules/{kind}.md" in made for kind in KINDS)


def test_the_values_that_a_contract_asks_for_are_listed(made):
    for value in ("Staging.DURABLE", "Outcome.GONE"):
        assert f"\n`{value}`\n:   " in made["reference/contracts.md"]


def test_each_base_class_that_ozzy_exports_is_among_the_contracts(made):
    bases = [name for name in ozzy.__all__ if name.startswith("Base")]

    assert [name for name in bases if f"\n## {name}\n" not in made["reference/contracts.md"]] == []
    assert "`filter(item: Any) -> bool`" in made["reference/contracts.md"]


def test_the_table_of_what_to_write_has_every_kind():
    table = (DOCS / "write-a-plugin.md").read_text().partition("## What each kind has to write")[2]

    assert [kind for kind in KINDS if kind != "bypass" and f"\n| {kind} |" not in table] == []


def test_each_command_is_there(made):
    for name in COMMANDS:
        assert f"## ozzy {name}\n" in made["reference/commands.md"]
    assert "## ozzy runs list" in made["reference/commands.md"]


def test_each_command_is_told_about_in_words():
    text = (DOCS / "reference/command-line.md").read_text()

    assert [name for name in COMMANDS if f"ozzy {name}" not in text] == []


def test_each_error_is_there_with_its_exit_code():
    text = (DOCS / "reference/errors.md").read_text()
    classes = [cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, errors.OzzyError)]
    coded = [cls for cls in classes if cls is not errors.OzzyError and cls is not errors.Interrupted]

    assert [cls.__name__ for cls in coded if f"| {cls.exit_code} | `{cls.__name__}` |" not in text] == []
    assert "| 130 | `Interrupted` |" in text


def test_each_section_and_setting_of_a_config_is_there():
    text = (DOCS / "reference/config.md").read_text()
    settings = [field.name for cls in (CheckpointSettings, ErrorSettings) for field in attrs.fields(cls)]

    assert [key for key in (*KEYS, *settings) if f"`{key}`" not in text] == []


def test_each_difference_says_what_was_and_what_is():
    lines = [line for line in (DOCS / "differences.md").read_text().splitlines() if line.startswith("| ")]
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))] for line in lines[2:]]
    headings = [row for row in rows if row[0].startswith("**")]

    assert [row for row in rows if len(row) != 4] == []
    assert [row[0] for row in rows if row not in headings and not (row[0] and row[1] and row[2])] == []
    assert len({row[0] for row in rows}) == len(rows)


def test_each_attribute_of_a_result_is_there():
    text = (DOCS / "reference/library.md").read_text()

    assert [field.name for field in attrs.fields(ozzy.Result) if f"`{field.name}`" not in text] == []


def test_doctests_in_docstrings_become_python_blocks():
    assert prose("What.\n\n>>> 1 + 1\n2\n\nMore.") == "What.\n\n```python\n>>> 1 + 1\n2\n```\n\nMore."
