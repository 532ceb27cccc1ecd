"""`hubbub move`: a company from the data folder to Kafka and MongoDB."""

import asyncio
import os
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub.cli.errors import Exit, Failed
from hub.cli.output import line, note, say, say_json
from hub.cli.place import place_of, with_place

if TYPE_CHECKING:
    from hub.moving.move import Looked, Move, Where

FROM = "sqlite:"
LOOKS_A_SECOND = 5.0


@click.command()
@click.option(
    "--from", "source", required=True, metavar="sqlite:FOLDER", help="The data folder that is left."
)
@click.option(
    "--to",
    "target",
    nargs=2,
    metavar="LOG STORE",
    help="kafka://… and mongodb://…; default: `log` and `store` of the settings.",
)
@click.option(
    "--dry-run", is_flag=True, help="Say what would be done, and whether it can be. Changes nothing."
)
@click.option(
    "--keep-sessions", is_flag=True, help="Whoever is signed in stays so; else everybody signs in again."
)
@click.option("--yes", is_flag=True, help="Do not ask before anything is changed.")
@click.option("--json", "as_json", is_flag=True, help="One object with what was done.")
@with_place
def move(
    source: str, target: tuple[str, str] | None, dry_run: bool, keep_sessions: bool, yes: bool, as_json: bool
) -> None:
    """Carry a company from its data folder to Kafka and MongoDB.

    The hub must not run on the folder, and log and store must be empty. Events keep ids, keys, bytes and order. In the end all that
    was moved is compared with what it was, and verified. Run it again where it was cut off: it goes on from there. The folder stays as
    it is and holds the installation's secret, which the hub needs on the new engine too. How servers are reached (TLS, users) stands in
    the settings, as for the hub.

    \b
    Examples:
      hubbub move --from sqlite:data --to kafka://127.0.0.1:9092 mongodb://127.0.0.1:27017/hubbub --dry-run
      hubbub move --from sqlite:data      # to `log` and `store` of hubbub.yaml
    """
    if find_spec("aiokafka") is None or find_spec("motor") is None:
        raise Failed("moving needs more packages: pip install 'hubbub[distributed]'", Exit.OUTAGE)
    where = _where(source, target)
    from hub.moving.move import Move
    from hub.observe import configure_logging
    from hub.wiring import SystemClock

    configure_logging("console", "ERROR")
    progress = Progress(is_shown=not as_json)
    moving = Move(where, SystemClock(), progress.told, keep_sessions)
    looked = asyncio.run(moving.look())
    _tell(looked, where)
    if dry_run:
        if as_json:
            say_json({"moved": False, "resumed": looked.is_resumed, "topics_to_make": len(looked.topics)})
        return
    if not yes:
        click.confirm("move the company now?", abort=True, err=True)
    missing = asyncio.run(_moved(moving, progress))
    for each in missing:
        note(f"was missing before, too: {line(each)}")
    if as_json:
        say_json({"moved": True, "counts": progress.counts, "missing_blobs": missing})
        return
    say("moved, compared and verified")
    note(
        f"now set `log` and `store` in the settings and start the hub. {where.folder} stays: it holds the installation's secret"
    )


async def _moved(moving: "Move", progress: "Progress") -> list[str]:
    from hub.moving.move import Failed as Faulty

    try:
        return await moving.run()
    except Faulty as error:
        progress.end()
        for fault in error.faults:
            say(line(fault))
        raise Failed(
            f"{error}. Empty log and store, remove move.sqlite from the folder, and move again", Exit.PROBLEMS
        ) from error
    finally:
        progress.end()


def _where(source: str, target: tuple[str, str] | None) -> "Where":
    from hub.engines import access_of
    from hub.loading import look
    from hub.moving.move import Where
    from sinks.distributed.engine import Access

    if not source.startswith(FROM) or not source.removeprefix(FROM):
        raise click.UsageError("--from: write sqlite: and the data folder, such as sqlite:data")
    place = place_of(click.get_current_context())
    settings = look(place.config, os.environ).settings if place.config.exists() else None
    access = Access() if settings is None else access_of(settings)
    if target is None and settings is not None and settings.log is not None and settings.store is not None:
        target = (settings.log, settings.store.get_secret_value())
    if target is None:
        raise click.UsageError("name the target by --to LOG STORE, or by `log` and `store` in the settings")
    return Where(Path(source.removeprefix(FROM)).absolute(), target[0], target[1], access)


def _tell(looked: "Looked", where: "Where") -> None:
    note(f"from {where.folder}, which no hub uses")
    note(f"to   {where.log}: {len(looked.topics)} topics to make or configure")
    if looked.is_resumed:
        note("a move from there was begun: it goes on where it was cut off, if it was to this target")


class Progress:
    """What is done, on one line of stderr that is written over; on no terminal one line a part."""

    def __init__(self, is_shown: bool) -> None:
        self.counts: dict[str, int] = {}
        self._is_shown = is_shown
        self._is_terminal = sys.stderr.isatty()
        self._part = ""
        self._next = 0.0

    def told(self, part: str, count: int) -> None:
        self.counts[part] = self.counts.get(part, 0) + count
        if not self._is_shown:
            return
        if part != self._part:
            self.end()
            self._part = part
        if self._is_terminal and time.monotonic() >= self._next:
            self._next = time.monotonic() + 1 / LOOKS_A_SECOND
            click.echo(f"\r{self.counts[part]:>12,} {part}", nl=False, err=True)

    def end(self) -> None:
        """The line of the part is whole."""
        if self._part and self._is_shown:
            start = "\r" if self._is_terminal else ""
            click.echo(f"{start}{self.counts[self._part]:>12,} {self._part}", err=True)
        self._part = ""
