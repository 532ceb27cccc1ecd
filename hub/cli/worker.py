"""`hubbub worker`: a Faust worker, in the foreground, until it is stopped."""

import re

import click

from hub.cli.place import place_of, with_place
from hub.cli.up import PORT, on_port, run_hub

NAME = r"[A-Za-z0-9._-]{1,100}"


@click.command()
@click.option(
    "--health-port", type=PORT, help="Port of health and metrics, instead of the settings'; 0: a free one."
)
@click.option("--name", help="The name by which Kafka knows it again, instead of the settings'.")
@click.pass_context
@with_place
def worker(context: click.Context, health_port: int | None, name: str | None) -> None:
    """Run a worker: it decides, sends, and looks after timers. Any number of them share the partitions of the log.

    The same as `hubbub up --only workers`. Needs `log` and `store` in the settings. Stops on Ctrl-C or SIGTERM, after the batch
    in hand; nothing is acknowledged that was not applied.

    \b
    Examples:
      hubbub worker
      hubbub worker --health-port 0 --name worker-b
    """
    settings = on_port(place_of(context).settings(), "health", health_port)
    if name is not None:
        if not re.fullmatch(NAME, name):
            raise click.UsageError("--name: letters, digits, dots and dashes, at most 100")
        workers = settings.workers.model_copy(update={"name": name})
        settings = settings.model_copy(update={"workers": workers})
    run_hub(settings, "workers")
