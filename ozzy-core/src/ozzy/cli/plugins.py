"""`ozzy plugins list`, `ozzy plugins show` and `ozzy plugins new`."""

import json
import shlex
from pathlib import Path
from typing import Any

import click

from ozzy.cli.style import screen_width, styled, table

ABILITIES = (
    "staging",
    "replayable",
    "starts_anywhere",
    "one_to_one",
    "at_most_one",
    "resumable",
    "appendable",
    "file_extension",
    "prints",
    "shared",
)


@click.group(short_help="List the modules that are installed, and their options.")
def plugins() -> None:
    """The modules that are installed: the core's own and those of plugin packages."""


@plugins.command("list", short_help="List the modules.")
@click.option("--kind", metavar="KIND", help="Only modules of this kind: reader, filter, writer …")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def list_(kind: str | None, as_json: bool) -> None:
    """List every module by kind and short name. A plugin that is broken is listed with the reason; the others work."""
    from ozzy.plan.registry import Registry

    registry = Registry.load()
    rows = registry.rows(kind)
    if as_json:
        shown = [
            {"name": row.name, "kind": row.kind, "package": row.package, "version": row.version, "summary": row.summary}
            | ({"error": row.error} if row.error else {})
            for row in rows
        ]
        click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
        return
    good = [(row.kind, row.name, f"{row.package} {row.version}", row.error or row.summary) for row in rows if row.kind is not None]
    if good:
        table(("kind", "name", "package", "summary"), good)
    for broken in registry.broken:
        click.echo(f"{styled('broken', fg='red')}: {broken.name} of {broken.package} {broken.version}: {broken.reason}")
    if not rows:
        click.echo("no modules")


@plugins.command(short_help="Show the options of a module.")
@click.argument("name")
@click.option("--kind", metavar="KIND", help="Which kind is meant, where several have a module of that name.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON: an array with one entry for each kind.")
def show(name: str, kind: str | None, as_json: bool) -> None:
    """Show what the module NAME does, its options, and what it is able to do.

    Where modules of several kinds have that name, all are shown.
    """
    from ozzy.plan.registry import Registry

    registry = Registry.load()
    described = [_described(registry.resolve(one, name)) for one in ([kind] if kind else _kinds(registry, name))]
    if as_json:
        click.echo(json.dumps(described, indent=2, ensure_ascii=False, default=str))
        return
    for at, one in enumerate(described):
        if at:
            click.echo()
        _print(one)


@plugins.command(short_help="Make the package of a new plugin.")
@click.argument("name")
@click.option("--kind", "kinds", metavar="KINDS", required=True, help="What it is to offer, with commas between: reader,writer …")
@click.option(
    "--directory",
    type=click.Path(path_type=Path),
    metavar="DIR",
    default=".",
    help="Where the folder of the package is made.  [default: .]",
)
@click.option("--dry-run", is_flag=True, help="List the files, and make none.")
def new(name: str, kinds: str, directory: Path, dry_run: bool) -> None:
    """Make a folder ozzy-NAME: a package that works, with tests, for you to change into your own.

    It has a module of each kind that is named, the suites that hold it to its contract and kill it, a small server for the tests to talk
    to where there is a client, and its checks for GitHub. Nothing that exists is overwritten.
    """
    from importlib.metadata import version

    from ozzy.plan.registry import Registry
    from ozzy.scaffold.kinds import samples_of
    from ozzy.scaffold.names import names_of
    from ozzy.scaffold.package import package_files, refuse_taken_names, write_package

    names, samples = names_of(name), samples_of(kinds)
    refuse_taken_names(names, samples, Registry.load())
    folder = directory / names.package
    made = package_files(names, samples, ".".join(version("ozzy-core").split(".")[:2]))
    if not dry_run:
        write_package(made, folder)
    click.echo(styled(f"{folder}/", bold=True))
    for path in made:
        click.echo(f"  {path}")
    if dry_run:
        click.echo(f"{len(made)} files would be made")
        return
    click.echo(f"{len(made)} files were made. Next, in a virtual environment:")
    go = f"cd {shlex.quote(str(folder))}"
    for command in (go, "python -m pip install -e '.[dev]'", "python -m pytest", f"ozzy plugins show {names.short}"):
        click.echo(f"  {command}")


def _kinds(registry: Any, name: str) -> list[str]:
    """The kinds that have a module of that name. Raises PluginError where none has."""
    import difflib

    from ozzy.errors import PluginError

    short = name.rpartition("/")[2]
    rows = [row for row in registry.rows() if row.kind]
    kinds = list(dict.fromkeys(row.kind for row in rows if row.name == short))
    if kinds:
        return kinds
    near = difflib.get_close_matches(short, {row.name for row in rows}, n=2)
    hint = f"Did you mean {' or '.join(near)}?" if near else "`ozzy plugins list` shows all there are."
    if registry.broken:
        hint += f" Broken plugins: {', '.join(broken.name for broken in registry.broken)} (see `ozzy plugins list`)."
    raise PluginError(f"there is no module {name!r}", hint=hint)


def _described(found: Any) -> dict[str, Any]:
    from ozzy.options.option import options_of

    return {
        "name": found.name,
        "kind": found.kind,
        "package": found.package,
        "version": found.version,
        "summary": found.module.summary,
        "class": f"{found.cls.__module__}:{found.cls.__qualname__}",
        "description": " ".join((found.cls.__doc__ or "").split("\n\n")[0].split()),
        "options": _options(options_of(found.cls)),
        "abilities": abilities(found.cls),
    }


def _options(declared: Any) -> list[dict[str, Any]]:
    from ozzy.data.json_text import MISSING
    from ozzy.options.option import fields_of
    from ozzy.options.secrets import json_like

    return [
        {
            "name": one.name,
            "type": one.type_name,
            "required": one.required,
            "has_default": one.has_default,
            **({} if one.default is MISSING else {"default": json_like(one.default) if one.tells_default else None}),
            "env": one.env,
            "secret": one.secret,
            "choices": list(one.choices) if one.choices else None,
            "minimum": one.minimum,
            "maximum": one.maximum,
            "example": one.example,
            "help": one.help,
            "fields": _options(fields_of(one)),
        }
        for one in declared.values()
    ]


def abilities(cls: type) -> dict[str, Any]:
    """What a class declares of itself: the plan reads the same."""
    found = {name: getattr(cls, name) for name in ABILITIES if hasattr(cls, name) and not isinstance(getattr(cls, name), property)}
    return {name: getattr(value, "value", value) for name, value in found.items()}


def _print(one: dict[str, Any]) -> None:
    whose = f"{one['package']} {one['version']}".strip()
    click.echo(f"{styled(one['name'], bold=True)} ({one['kind']}, {whose})")
    click.echo(_wrapped(one["description"] or one["summary"], ""))
    if one["options"]:
        click.echo("\n" + styled("options", bold=True))
    _print_options(one["options"], "  ")
    if one["abilities"]:
        click.echo("\n" + styled("abilities", bold=True))
        for name, value in one["abilities"].items():
            click.echo(f"  {name}: {json.dumps(value, default=str)}")
    click.echo(f"\n{styled('class', bold=True)} {one['class']}")


def _print_options(options: list[dict[str, Any]], indent: str) -> None:
    """Each option, followed by the fields of its value where that has some."""
    for option in options:
        head = _wrapped(f"{option['name']}  {'; '.join(_facts(option))}", indent, f"{indent}    ")
        click.echo(head.replace(option["name"], styled(option["name"], bold=True), 1))
        if option["help"]:
            click.echo(_wrapped(option["help"], f"{indent}    "))
        _print_options(option["fields"], f"{indent}    ")


def _facts(option: dict[str, Any]) -> list[str]:
    facts = [option["type"]]
    if not option["has_default"]:
        facts.append(f"required, unless env {option['env']} is set" if option["env"] else "required")
    elif "default" in option and (option["default"] is not None or option["env"] is None):
        facts.append(f"default {json.dumps(option['default'], default=str)}")
    if option["env"] and option["has_default"]:
        facts.append(f"env {option['env']}")
    if option["secret"]:
        facts.append("secret")
    if option["choices"]:
        facts.append(f"one of {', '.join(map(str, option['choices']))}")
    facts += [f"{word} {option[bound]}" for word, bound in (("at least", "minimum"), ("at most", "maximum")) if option[bound] is not None]
    if option["example"] is not None:
        facts.append(f"for example {json.dumps(option['example'], ensure_ascii=False, default=str)}")
    return facts


def _wrapped(text: str, indent: str, hanging: str | None = None) -> str:
    return click.wrap_text(text, width=screen_width(), initial_indent=indent, subsequent_indent=indent if hanging is None else hanging)
