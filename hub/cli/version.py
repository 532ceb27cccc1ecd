"""`hubbub version`."""

import click

from hub.cli.output import say


@click.command()
def version() -> None:
    """Print the version of Hubbub."""
    from importlib.metadata import version as installed

    say(installed("hubbub"))
