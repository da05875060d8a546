"""`ozzy plugins list` and `ozzy plugins show`."""

import json
from typing import Any

import click

from ozzy.cli.inspect import table
from ozzy.cli.style import styled


@click.group(short_help="List the modules that are installed, and their options.")
def plugins() -> None:
    """The modules that are installed: the core's own and those of plugin packages."""


@plugins.command("list", short_help="List the modules.")
@click.option("--kind", metavar="KIND", help="Only modules of this kind: reader, filter, writer …")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def list_(kind: str | None, as_json: bool) -> None:
    """List every module by kind and short name. A plugin that is broken is listed with the reason; the others work."""
    from ozzy.plan.registry import Registry

    rows = Registry.load().rows(kind)
    if as_json:
        told = [
            {"name": row.name, "kind": row.kind, "package": row.package, "version": row.version, "summary": row.summary}
            | ({"error": row.error} if row.error else {})
            for row in rows
        ]
        click.echo(json.dumps(told, indent=2))
        return
    good = [row for row in rows if row.kind is not None]
    if good:
        table(
            ("kind", "name", "package", "summary"),
            [(str(row.kind), row.name, f"{row.package} {row.version}", row.error or row.summary) for row in good],
        )
    for row in rows:
        if row.kind is None:
            click.echo(f"{styled('broken', fg='red')}: {row.name} of {row.package} {row.version}: {row.error}")


@plugins.command(short_help="Show the options of a module.")
@click.argument("name")
@click.option("--kind", metavar="KIND", help="Which kind is meant, where several have a module of that name.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def show(name: str, kind: str | None, as_json: bool) -> None:
    """Show what the module NAME does, its options, and what it is able to do."""
    from ozzy.errors import PluginError
    from ozzy.plan.registry import Registry

    registry = Registry.load()
    short = name.rpartition("/")[2]
    kinds = [kind] if kind else list(dict.fromkeys(row.kind for row in registry.rows() if row.kind and row.name == short))
    if not kinds:
        near = _near(short, [row.name for row in registry.rows() if row.kind])
        raise PluginError(
            f"there is no module {name!r}", hint=f"Did you mean {near}?" if near else "`ozzy plugins list` shows all there are."
        )
    described = [_described(registry.resolve(one, name)) for one in kinds]
    if as_json:
        click.echo(json.dumps(described if len(described) > 1 else described[0], indent=2, default=str))
        return
    for at, one in enumerate(described):
        if at:
            click.echo()
        _print(one)


def _near(name: str, names: list[str]) -> str:
    import difflib

    return " or ".join(difflib.get_close_matches(name, names, n=2))


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
        "options": [
            {
                "name": one.name,
                "type": one.type_name,
                "required": one.required,
                "default": None if one.secret or not one.has_default else one.default,
                "env": one.env,
                "secret": one.secret,
                "choices": list(one.choices) if one.choices else None,
                "minimum": one.minimum,
                "maximum": one.maximum,
                "help": one.help,
            }
            for one in options_of(found.cls).values()
        ],
        "abilities": abilities(found.cls),
    }


ABILITIES = ("staging", "replayable", "starts_anywhere", "one_to_one", "resumable", "appendable", "file_extension", "shared")


def abilities(cls: type) -> dict[str, Any]:
    """What a class declares of itself: the plan reads the same."""
    found = {name: getattr(cls, name) for name in ABILITIES if hasattr(cls, name) and not isinstance(getattr(cls, name), property)}
    return {name: getattr(value, "value", value) for name, value in found.items()}


def _print(one: dict[str, Any]) -> None:
    click.echo(f"{styled(one['name'], bold=True)} ({one['kind']}, {one['package']} {one['version']})".replace(" )", ")"))
    click.echo(one["description"] or one["summary"])
    if one["options"]:
        click.echo("\n" + styled("options", bold=True))
    for option in one["options"]:
        facts = [option["type"], "required" if option["required"] else f"default {json.dumps(option['default'], default=str)}"]
        facts += [f"env {option['env']}"] if option["env"] else []
        facts += ["secret"] if option["secret"] else []
        facts += [f"one of {', '.join(map(str, option['choices']))}"] if option["choices"] else []
        facts += [f"at least {option['minimum']}"] if option["minimum"] is not None else []
        facts += [f"at most {option['maximum']}"] if option["maximum"] is not None else []
        click.echo(f"  {option['name']}  {styled('; '.join(facts), dim=True)}")
        if option["help"]:
            click.echo(click.wrap_text(option["help"], initial_indent="      ", subsequent_indent="      "))
    if one["abilities"]:
        click.echo("\n" + styled("abilities", bold=True))
        for name, value in one["abilities"].items():
            click.echo(f"  {name}: {json.dumps(value, default=str)}")
