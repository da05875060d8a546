"""`ozzy completion`."""

import click


@click.command(short_help="Print a completion script for bash, zsh or fish.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a script that completes commands, options and paths in SHELL.

    \b
      bash: eval "$(ozzy completion bash)"          in ~/.bashrc
      zsh:  eval "$(ozzy completion zsh)"           in ~/.zshrc
      fish: ozzy completion fish | source           in ~/.config/fish/config.fish
    """  # noqa: D301 - click takes the character for a mark
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    assert made is not None
    script = made(ctx.find_root().command, {}, "ozzy", "_OZZY_COMPLETE")
    click.echo(script.source_template % script.source_vars())
