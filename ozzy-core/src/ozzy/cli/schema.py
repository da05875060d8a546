"""`ozzy schema`."""

import json

import click


@click.command(short_help="Print the JSON Schema of a config, for editors.")
def schema() -> None:
    """Print the JSON Schema of a config, with the options of every module that is installed.

    \b
      ozzy schema > ozzy.schema.json
    """  # noqa: D301 - click takes the character for a mark
    from ozzy.options.schema import json_schema
    from ozzy.plan.registry import Registry

    click.echo(json.dumps(json_schema(Registry.load()), indent=2, ensure_ascii=False, default=str))
