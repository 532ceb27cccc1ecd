"""`hubbub reparse`: what today's parsers would make of originals that came before."""

import json
from typing import Any

import click

from hub.cli.client import Api, with_hub
from hub.cli.output import line, note, say, say_json_line
from hub.cli.times import duration, iso_time, now


@click.command()
@click.option(
    "--since", required=True, metavar="X", help="From when: an ISO time, or how long ago: 15m, 24h, 7d."
)
@click.option("--channel", help="Of one channel; default: of all.")
@click.option(
    "--apply", "is_applied", is_flag=True, help="Change what is different, as edits that the timeline shows."
)
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object a line, and the counts as the last one."
)
@with_hub
async def reparse(api: Api, since: str, channel: str | None, is_applied: bool, as_json: bool) -> None:
    """Read originals again and show what would be different; with --apply also change it.

    The log and the originals stay. A message that reads differently gets an edit by the system; what lies in quarantine and
    can be read now is taken in. Applying twice changes nothing more.

    \b
    Examples:
      hubbub reparse --since 7d
      hubbub reparse --since 2026-03-01 --channel email --json | jq 'select(.result == "different") | .fields | keys'
      hubbub reparse --since 7d --apply
    """
    length = duration(since)
    moment = now() - length if length is not None else iso_time(since)
    if moment is None:
        raise click.UsageError(f"--since {since!r} is no time: write 2d, or 2026-03-01T10:00Z")
    wanted = {"since": moment.isoformat(), "channel": channel, "apply": is_applied}
    content = json.dumps(wanted).encode()
    headers = {"content-type": "application/json"}
    async for each in api.lines("POST", "/reparse", headers=headers, content=content):
        told = json.loads(each)
        if as_json:
            say_json_line(told)
        elif "event" in told or "item" in told:
            _say(told)
        else:
            counts = ", ".join(f"{count} {name}" for name, count in told.items() if name != "result")
            note(f"{told['result']}: {counts or 'nothing came since'}")


def _say(told: dict[str, Any]) -> None:
    about = told.get("event") or told.get("item")
    say(line(f"{about}  {told['channel']}:{told['account']}  {told['result']}  {told.get('reason', '')}"))
    for field, change in told.get("fields", {}).items():
        say(line(f"    {field}"))
        say(line(f"      - {change['was']}"))
        say(line(f"      + {change['now']}"))
