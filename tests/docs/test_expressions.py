"""The page on expressions lists every name there is, and no other."""

import re
from pathlib import Path

import pytest

from ozzy.data.expressions.compiler import NAMESPACES
from ozzy.data.expressions.context import INT_BITS, STEPS, Function
from ozzy.data.expressions.functions import BUILTINS
from ozzy.data.expressions.methods import ATTRIBUTES, METHODS
from ozzy.data.expressions.parsing import DEEPEST, LONGEST, MOST_NODES

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "expressions.md").read_text(encoding="utf-8")


def listed(title: str) -> str:
    return PAGE.partition(f"\n### {title}\n")[2].partition("\n#")[0]


def names_in(text: str) -> set[str]:
    return set(re.findall(r"`([A-Za-z_][A-Za-z_.0-9]*)`", text))


def test_each_function():
    below = {f"{name}.{attribute}" for name, function in BUILTINS.items() for attribute in function.attributes}
    assert names_in(listed("Functions").partition("\n\nFunctions,")[0]) == set(BUILTINS) | below


@pytest.mark.parametrize("module", sorted(NAMESPACES))
def test_each_name_of_a_module(module):
    row = next(line for line in listed("Modules").splitlines() if line.startswith(f"| `{module}` |"))
    names = NAMESPACES[module]
    below = {attribute for one in names.values() if type(one) is Function for attribute in one.attributes}
    found = {name.rpartition(".")[2] for name in names_in(row.partition("|")[2].partition("|")[2])}
    assert found == set(names) | below


def test_each_method_and_attribute():
    known = {name for methods in METHODS.values() for name in methods} | {name for names in ATTRIBUTES.values() for name in names}
    assert names_in(listed("Methods")) == {name for name in known if not name.startswith("tm_")}


def test_each_limit():
    for number in (STEPS, LONGEST, MOST_NODES, DEEPEST, INT_BITS):
        assert f"{number:,}" in PAGE
