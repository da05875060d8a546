"""Pages of the site that are made from the code each time it is built, so that they say what the code does.

`pages()` gives them as Markdown; the functions below it hand them to MkDocs, and are all that is particular to it.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from click import Context, Group

from ozzy import Registry
from ozzy.options.option import Option, fields_of, options_of
from ozzy.options.secrets import json_like

EXAMPLES = Path(__file__).parents[1] / "examples"

KIND_TITLES = {
    "reader": "Readers",
    "deserializer": "Decoders",
    "filter": "Filters",
    "transform": "Transforms",
    "grouper": "Groupers",
    "formatter": "Formatters",
    "writer": "Writers",
    "persistence": "Persistences",
    "stats_manager": "Stats managers",
    "notifications": "Notifiers",
    "bypass": "Bypasses",
    "engine": "Engines",
}
CONTRACTS = (
    "ozzy.contracts.module",
    "ozzy.contracts.reader",
    "ozzy.contracts.decoder",
    "ozzy.contracts.filter",
    "ozzy.contracts.transform",
    "ozzy.contracts.grouper",
    "ozzy.contracts.formatter",
    "ozzy.contracts.writer",
    "ozzy.contracts.file_writer",
    "ozzy.contracts.bypass",
    "ozzy.contracts.engine",
    "ozzy.contracts.persistence",
    "ozzy.contracts.shared_persistence",
    "ozzy.contracts.report",
    "ozzy.contracts.engine",
    "ozzy.data.batch",
    "ozzy.data.record",
)
"""The modules whose classes are contracts, in the order of their pages."""

NO_CONTRACTS = ("FedFiles",)
"""Classes among them that are the core's own business; those with options stand with the modules that have them."""


def pages() -> dict[str, tuple[str, str]]:
    """The generated pages: path below docs/ to title and text."""
    registry = Registry.load()
    made = {}
    for kind, title in KIND_TITLES.items():
        names = sorted(row.name for row in registry.rows(kind) if row.kind == kind)
        if names:
            made[f"reference/modules/{kind}.md"] = (title, "\n".join(_modules(registry, kind, names)))
    made["reference/contracts.md"] = ("Contracts", "\n".join(_contracts()))
    made["reference/hooks.md"] = ("Hooks", "\n".join(_hooks()))
    made["reference/commands.md"] = ("Every command", "\n".join(_commands()))
    return made


def _modules(registry: Registry, kind: str, names: Iterable[str]) -> Iterator[str]:
    yield f"# {KIND_TITLES[kind]}\n"
    yield f"Modules of the kind `{kind}`, as they are installed with the packages of this repository."
    yield f"`ozzy plugins show NAME --kind {kind}` prints the same.\n"
    for name in names:
        found = registry.resolve(kind, name)
        yield f"## `{name}`\n"
        yield f"{found.module.summary} From `{found.package}`.\n"
        yield prose(inspect.getdoc(found.cls) or "") + "\n"
        if found.module.aliases:
            yield "Also called " + ", ".join(f"`{alias}`" for alias in found.module.aliases) + ".\n"
        options = options_of(found.cls)
        if not options:
            yield "It has no options.\n"
            yield from _example(kind, name)
            continue
        yield "| option | type | default | meaning |\n| --- | --- | --- | --- |"
        yield from _rows(options)
        yield ""
        yield from _example(kind, name)


def _rows(options: Mapping[str, Option], above: str = "") -> Iterator[str]:
    """A row for each option; what has fields of its own is followed by theirs."""
    for one in options.values():
        yield f"| `{above}{one.name}` | {_cell(one.type_name)} | {_cell(_default(one))} | {_cell(_meaning(one))} |"
        yield from _rows(fields_of(one), f"{above}{one.name}.")


def _example(kind: str, name: str) -> Iterator[str]:
    path = EXAMPLES / f"{kind}-{name}.yaml"
    if path.exists():
        yield f"```yaml\n{path.read_text(encoding='utf-8').strip()}\n```\n"


def _default(one: Option) -> str:
    shown = "*required*" if not one.has_default else f"`{_json(json_like(one.default))}`" if one.tells_default else ""
    return " ".join(filter(None, [f"`${one.env}`" if one.env else "", "else" if one.env and shown else "", shown]))


def _meaning(one: Option) -> str:
    parts = [one.help]
    if one.choices and not all(f"{choice}" in one.type_name for choice in one.choices):
        parts.append("One of " + ", ".join(f"`{choice}`" for choice in one.choices) + ".")
    if one.minimum is not None:
        parts.append(f"At least {one.minimum}.")
    if one.maximum is not None:
        parts.append(f"At most {one.maximum}.")
    if one.secret:
        parts.append("Secret: never shown.")
    if one.example is not None:
        parts.append(f"Example: `{_json(one.example)}`.")
    return " ".join(filter(None, parts))


def _json(value: Any) -> str:
    from ozzy.data.json_text import encode_record
    from ozzy.errors import DataError

    try:
        return encode_record(value).decode()
    except DataError:
        return str(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _contracts() -> Iterator[str]:
    yield "# Contracts\n"
    yield "What each base class asks of a module and gives it."
    yield "[Write a plugin in an hour](../write-a-plugin.md) says which methods are the ones to write.\n"
    face = import_module("ozzy").__all__
    for module_name in CONTRACTS:
        tree = ast.parse(inspect.getsource(import_module(module_name)))
        for node in tree.body:
            if not isinstance(node, ast.ClassDef) or node.name.endswith("Options") or node.name in NO_CONTRACTS:
                continue
            home = "ozzy" if node.name in face else module_name
            yield f"## {node.name}\n\n`from {home} import {node.name}`\n"
            yield prose(ast.get_docstring(node) or "") + "\n"
            if any(ast.unparse(decorator).startswith("attrs.") for decorator in node.decorator_list):
                fields = [ast.unparse(field) for field in node.body if isinstance(field, ast.AnnAssign)]
                yield "Its fields: " + ", ".join(f"`{field}`" for field in fields) + ".\n"
            yield from _members(node)


def _members(node: ast.ClassDef) -> Iterator[str]:
    for at, member in enumerate(node.body):
        if isinstance(member, ast.FunctionDef) and not member.name.startswith("_"):
            doc = ast.get_docstring(member)
            if doc is None:
                continue
            if any(isinstance(d, ast.Name) and d.id == "property" for d in member.decorator_list):
                yield f"`{member.name}: {ast.unparse(member.returns) if member.returns else 'Any'}`"
            else:
                returns = f" -> {ast.unparse(member.returns)}" if member.returns else ""
                yield f"`{member.name}({_arguments(member)}){returns}`"
            yield f":   {textwrap.indent(prose(doc), '    ').lstrip()}\n"
        elif isinstance(member, ast.Assign) and "enum.Enum" in map(ast.unparse, node.bases):
            yield f"`{node.name}.{ast.unparse(member.targets[0])}`"
            yield f":   {_said_after(node, at)}\n"
        elif isinstance(member, ast.AnnAssign) and isinstance(member.target, ast.Name) and (said := _said_after(node, at)):
            value = f" = {ast.unparse(member.value)}" if member.value else ""
            yield f"`{member.target.id}: {ast.unparse(member.annotation)}{value}`"
            yield f":   {said}\n"


def _said_after(node: ast.ClassDef, at: int) -> str:
    """What stands as a text right after a member of a class: the docstring of an attribute."""
    after = node.body[at + 1] if at + 1 < len(node.body) else None
    if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) and isinstance(after.value.value, str):
        return inspect.cleandoc(after.value.value)
    return ""


def _arguments(function: ast.FunctionDef) -> str:
    text = ast.unparse(function.args)
    return re.sub(r"^(self|cls)(, )?", "", text)


def _hooks() -> Iterator[str]:
    import ozzy.hookspecs

    yield "# Hooks\n"
    yield prose(inspect.getdoc(ozzy.hookspecs) or "") + "\n"
    tree = ast.parse(inspect.getsource(ozzy.hookspecs))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and any(ast.unparse(decorator) == "hookspec" for decorator in node.decorator_list):
            yield f"## `{node.name}({_arguments(node)}) -> {ast.unparse(node.returns) if node.returns else None}`\n"
            doc = ast.get_docstring(node) or ""
            yield prose(doc) + "\n"
            kind, base = re.findall(r"`(\w+)`", doc)[:2]
            yield f"What to write: [{base}](contracts.md#{base.lower()}). Those there are: [{KIND_TITLES[kind]}](modules/{kind}.md).\n"


def _commands() -> Iterator[str]:
    from ozzy.cli.main import ozzy

    yield "# Every command\n"
    yield "What each says of itself with `--help`. The options of `ozzy` stand before the command: `ozzy --debug run CONFIG`.\n"
    yield from _help_of(ozzy, Context(ozzy, info_name="ozzy", terminal_width=100, help_option_names=["-h", "--help"]))


def _help_of(command: Any, context: Any) -> Iterator[str]:
    yield f"## {context.command_path}\n"
    yield f"```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            yield from _help_of(child, Context(child, info_name=name, parent=context, terminal_width=100))


def prose(doc: str) -> str:
    """A docstring as Markdown: doctests become Python blocks."""
    paragraphs = re.split(r"\n\s*\n", doc)
    return "\n\n".join(f"```python\n{paragraph}\n```" if paragraph.startswith(">>>") else paragraph for paragraph in paragraphs)


# MkDocs


def on_config(config: Any) -> Any:
    """Put the generated pages into the navigation, the modules in a section of their own."""
    made = pages()
    modules = [{title: path} for path, (title, _) in made.items() if path.startswith("reference/modules/")]
    others = [{title: path} for path, (title, _) in made.items() if not path.startswith("reference/modules/")]
    for section in config["nav"]:
        if "Reference" in section:
            section["Reference"][-1:-1] = others
    config["nav"].insert(-1, {"Modules": modules})
    config.extra["generated"] = made
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the generated pages to the site."""
    from mkdocs.structure.files import File

    for path, (_, text) in config.extra["generated"].items():
        files.append(File.generated(config, path, content=text))
    return files
