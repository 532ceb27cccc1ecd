"""`hubbub events`: the log as CloudEvents."""

import json
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click

from hub.cli.client import Api, with_hub
from hub.cli.errors import Exit, Failed
from hub.cli.output import line, note, say, say_json_line
from hub.cli.times import duration, iso_time, now

TOPICS = (
    "interactions", "identity", "commands", "cases", "automation", "outbound", "deliveries", "configuration", "audit",
    "quarantine", "dead-letters",
)  # fmt: skip
PAGE = 500
POSITION = re.compile(r"\d+\.[\w-]+")
ALL_SHOWN_IN = 110


@dataclass(slots=True)
class Wanted:
    """Which events: filters of the API, from a position or from a time on."""

    topic: Sequence[str]
    type: Sequence[str]
    key: str | None
    after: str | None = None
    since: datetime | None = None

    def query(self) -> dict[str, Any]:
        return {"topic": list(self.topic), "type": list(self.type), "key": self.key}

    def is_late_enough(self, event: dict[str, Any]) -> bool:
        if self.since is None or "time" not in event:
            return True
        return datetime.fromisoformat(event["time"]) >= self.since


@click.command()
@click.option(
    "--topic", "-t", multiple=True, type=click.Choice(TOPICS), help="Repeat for several; default: all."
)
@click.option(
    "--type", "types", multiple=True, help="Event types, or beginnings of them: 'hubbub.case.*'. Repeatable."
)
@click.option("--key", help="Events with this partition key (a conversation, a case, a handle).")
@click.option("--since", metavar="X", help="A position, an ISO time, or how long ago: 15m, 24h, 7d.")
@click.option("--follow", "-f", is_flag=True, help="Go on with what comes; without --since: from now on.")
@click.option("--limit", type=click.IntRange(1), help="End after so many.")
@click.option("--json", "as_json", is_flag=True, help="One CloudEvent (JSON) a line.")
@with_hub
async def events(
    api: Api,
    topic: Sequence[str],
    types: Sequence[str],
    key: str | None,
    since: str | None,
    follow: bool,
    limit: int | None,
    as_json: bool,
) -> None:
    """Read the log, from the oldest event on. The position to go on from is told on stderr at the end.

    Times are when an event was recorded. --follow needs a running hub and goes on over interruptions of the stream.

    \b
    Examples:
      hubbub events --topic cases --since 1h
      hubbub events --json --since 2026-03-01T00:00Z | jq -r .type | sort | uniq -c
      hubbub events --follow --type 'hubbub.case.*'
    """
    if follow and not api.is_running:
        raise Failed("no hub runs here, so nothing comes: start it with `hubbub up`", Exit.OUTAGE)
    if follow and key is not None:
        raise click.UsageError("--key goes without --follow")
    wanted = Wanted(topic, types, key)
    _begin(wanted, since)
    given = 0
    async for each in _log(api, wanted, is_read=since is not None or not follow, is_followed=follow):
        _say(each, as_json=as_json)
        given += 1
        if given == limit:
            break
    if not follow:
        note(f"position: {wanted.after}" if wanted.after else "the log is empty")


def _begin(wanted: Wanted, since: str | None) -> None:
    if since is None:
        return
    length = duration(since)
    wanted.since = now() - length if length is not None else iso_time(since)
    if wanted.since is None:
        if not POSITION.fullmatch(since):
            raise click.UsageError(
                f"--since: {since!r} is neither an ISO time, nor how long ago (15m, 24h, 7d), nor a position as told at the end"
            )
        wanted.after = since


async def _log(
    api: Api, wanted: Wanted, *, is_read: bool, is_followed: bool
) -> AsyncIterator[dict[str, Any]]:
    if is_read:
        async for each in _read(api, wanted):
            yield each
    if is_followed:
        async for each in _follow(api, wanted):
            yield each


async def _read(api: Api, wanted: Wanted) -> AsyncIterator[dict[str, Any]]:
    """What is on the log now."""
    is_more = True
    while is_more:
        since = wanted.since.isoformat() if wanted.since is not None else None
        page = await api.get(
            "/events", {**wanted.query(), "after": wanted.after, "since": since, "limit": PAGE}
        )
        wanted.after = page["position"]
        is_more = page["next"] is not None
        for each in page["items"]:
            if wanted.is_late_enough(each):
                yield each


async def _follow(api: Api, wanted: Wanted) -> AsyncIterator[dict[str, Any]]:
    """What comes, over as many streams as it takes. Each `id` of a stream is a place to go on from."""
    query = {"topic": list(wanted.topic), "type": list(wanted.type)}
    while True:
        name, content = "", ""
        async for each in api.lines("GET", "/events/stream", {**query, "after": wanted.after}):
            field, _, value = each.partition(":")
            value = value.removeprefix(" ")
            if field == "id":
                wanted.after = value
            elif field == "event":
                name = value
            elif field == "data":
                content += value
            elif not each:
                if content and name != "closing":
                    yield json.loads(content)
                name, content = "", ""


def _say(event: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        say_json_line(event)
        return
    kind = str(event["type"]).removeprefix("hubbub.")
    text = (
        f"{str(event.get('time', ''))[:19]}  {event['topic']:<13} {kind:<28} {_gist(event.get('data', {}))}"
    )
    say(line(text)[:ALL_SHOWN_IN])


def _gist(content: dict[str, Any]) -> str:
    """What tells one event from another, of what events have."""
    case = content.get("case")
    number = case.get("number") if isinstance(case, dict) else None
    names = ("subject", "queue", "assignee", "state", "action", "reason", "value", "text_new", "text")
    return "  ".join(str(each) for each in (number, *(content.get(name) for name in names)) if each)
