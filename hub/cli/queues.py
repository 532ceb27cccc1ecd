"""Names of queues on the command line: a mistyped one is told, since a role or a list for it would just be empty."""

from collections.abc import Iterable
from difflib import get_close_matches

import click

from hub.cli.client import Api
from hub.cli.output import line, note
from hub.cli.place import place_of

ANY_QUEUE = "*"


async def note_unknown_queues(api: Api, names: Iterable[str], consequence: str) -> None:
    """Tells on stderr which of them neither the hub nor the settings file knows, and what that means."""
    wanted = [name for name in names if name != ANY_QUEUE]
    if not wanted:
        return
    known = {str(each["name"]) for each in await api.get("/queues")}
    known |= place_of(click.get_current_context()).queues()
    for name in wanted:
        if name not in known:
            close = get_close_matches(name, sorted(known), n=1)
            meant = f"; did you mean {close[0]!r}?" if close else ""
            note(line(f"there is no queue {name!r}{meant} {consequence}"))
