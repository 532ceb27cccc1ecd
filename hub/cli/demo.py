"""`hubbub demo`: a small company with mail coming in."""

from pathlib import Path

import click


@click.command()
@click.option(
    "--once", is_flag=True, help="Feed, wait until all is answered, print what happened, verify, end."
)
@click.option(
    "--engine",
    type=click.Choice(["kafka"]),
    help="On real servers, which are downloaded once: Apache Kafka, nx-27017 in place of MongoDB, and two workers.",
)
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="Where it keeps its data.")
def demo(once: bool, engine: str | None, folder: Path | None) -> None:
    """Run a small believable company: sample mail and forms come in, cases are routed and answered.

    Nothing leaves this machine. Ctrl-C stops it; a second start goes on where it was.

    \b
    Examples:
      hubbub demo
      hubbub demo --once
      hubbub demo --engine kafka
    """
    from hub.demo import main

    raise click.exceptions.Exit(main(once=once, folder=folder, engine=engine))
