"""`hubbub catch-up`: a store that was put back from a backup, brought up to its log."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from hub.cli.errors import Exit, Failed
from hub.cli.output import say, say_json
from hub.cli.place import place_of, with_place

if TYPE_CHECKING:
    from hub.settings import HubSettings


@click.command("catch-up")
@click.option("--json", "as_json", is_flag=True, help="One object with what was changed.")
@with_place
def catch_up(as_json: bool) -> None:
    """Bring a restored MongoDB up to the log on Kafka. Stop all processes of the installation before.

    What the log tells and the store does not know is put into the store; nothing is sent or decided. A message whose end the
    log does not tell becomes unknown, for a person to settle. Doing it twice does nothing more. `hubbub up` refuses to start
    on a store that needs it.

    \b
    Examples:
      hubbub catch-up
      hubbub verify
    """
    settings = place_of(click.get_current_context()).settings()
    if settings.log is None:
        raise Failed(
            "the embedded engine has log and states in one file; `hubbub restore` puts both back",
            Exit.REFUSED,
        )
    changed = asyncio.run(_caught_up(settings))
    if as_json:
        say_json({"changed": dict(changed)})
        return
    for what, count in sorted(changed.items()):
        say(f"{count:>8} {what}")
    say("the store knows all that the log tells" if changed else "the store knew all that the log tells")


async def _caught_up(settings: "HubSettings") -> Mapping[str, int]:
    from hub.catching_up import catch_up as run
    from hub.engines import open_engine_of
    from hub.wiring import SystemClock

    clock = SystemClock()
    engine = await open_engine_of(settings, settings.data, clock)
    try:
        return await run(engine, clock)
    finally:
        await engine.close()
