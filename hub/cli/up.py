"""`hubbub up`: the hub, in the foreground, until it is stopped."""

import sys
from typing import TYPE_CHECKING

import click

from hub.cli.errors import Exit, Failed
from hub.cli.output import note
from hub.cli.place import place_of, with_place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hub.settings import HubSettings
    from hub.up import Running

PORT = click.IntRange(0, 65535)


@click.command()
@click.option(
    "--console-port", type=PORT, help="Port of console and API, instead of the settings'; 0: a free one."
)
@click.option("--intake-port", type=PORT, help="Port of the public forms, likewise.")
@click.option("--files-port", type=PORT, help="Port of attachments and mail HTML, likewise.")
@click.option("--smtp-port", type=PORT, help="Port of the SMTP server, likewise.")
@click.option(
    "--health-port", type=PORT, help="Port of health and metrics of a process without the API, likewise."
)
@click.option(
    "--only",
    metavar="ROLES",
    help="Do a part of the work, with others on the same Kafka and MongoDB: connectors, api, workers, with commas between.",
)
@click.pass_context
@with_place
def up(
    context: click.Context,
    console_port: int | None,
    intake_port: int | None,
    files_port: int | None,
    smtp_port: int | None,
    health_port: int | None,
    only: str | None,
) -> None:
    """Run everything in one process: connectors, processors, HTTP API, console; or, with --only, a part of it.

    The settings are checked and published first. Stops on Ctrl-C or SIGTERM, after what is in flight is done; a second
    signal ends at once. Logs go to stderr.

    \b
    Examples:
      hubbub up
      hubbub up --config /etc/hubbub/hubbub.yaml --data /var/lib/hubbub
      hubbub up --console-port 9000
      hubbub up --only connectors,api
    """
    settings = place_of(context).settings()
    ports = {"console": console_port, "intake": intake_port, "files": files_port, "health": health_port}
    for name, port in ports.items():
        settings = on_port(settings, name, port)
    run_hub(_on_smtp_port(settings, smtp_port), only)


def run_hub(settings: "HubSettings", only: str | None) -> None:
    """In the foreground, until it is stopped."""
    import asyncio

    from hub.observe import configure_logging
    from hub.roles import EVERYTHING, parse_roles
    from hub.up import run

    roles = EVERYTHING if only is None else parse_roles(only.split(","))
    if roles != EVERYTHING and settings.log is None:
        raise Failed(
            "several processes share the work only where `log` and `store` name Kafka and MongoDB",
            Exit.REFUSED,
        )
    style = {"auto": "console" if sys.stderr.isatty() else "json", "text": "console"}
    configure_logging(style.get(settings.logging.format, settings.logging.format), settings.logging.level)
    asyncio.run(run(settings, settings.data, _told, roles, _told_waiting))


def on_port(settings: "HubSettings", name: str, port: int | None) -> "HubSettings":
    if port is None:
        return settings
    return settings.model_copy(update={name: getattr(settings, name).model_copy(update={"port": port})})


def _on_smtp_port(settings: "HubSettings", port: int | None) -> "HubSettings":
    if port is None:
        return settings
    if settings.email is None or settings.email.smtp_in is None:
        raise click.UsageError("--smtp-port: the settings have no email.smtp_in")
    smtp_in = settings.email.smtp_in.model_copy(update={"port": port})
    return settings.model_copy(update={"email": settings.email.model_copy(update={"smtp_in": smtp_in})})


def _told_waiting(addresses: "Mapping[str, str]", why: str) -> None:
    for name, address in addresses.items():
        note(f"{name:<8} {address}")
    note(f"waiting for Kafka and MongoDB: {why}; stop with Ctrl-C")


def _told(running: "Running") -> None:
    for name, address in running.addresses.items():
        note(f"{name:<8} {address}")
    note("ready; stop with Ctrl-C")
