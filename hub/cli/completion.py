"""`hubbub completion`: the script that makes a shell complete commands and options."""

import click

from hub.cli.output import say


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    \b
    Examples:
      eval "$(hubbub completion bash)"                                    # in ~/.bashrc
      eval "$(hubbub completion zsh)"                                     # in ~/.zshrc
      hubbub completion fish > ~/.config/fish/completions/hubbub.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    script = kind(context.find_root().command, {}, "hubbub", "_HUBBUB_COMPLETE")
    say(
        script.source_template % script.source_vars()
    )  # without asking bash for its version, as `source` does
