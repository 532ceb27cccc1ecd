"""Closing gaps: after an outage channels are read from where events are known to have come through.

Slack repeats an event three times within some six minutes and then gives up. What it gave up is in the history, under the same
names, so that what came twice is known. Deletions and reactions of the gap are not in it.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import structlog

from connectors.kit.cursors import Cursors
from connectors.kit.items import RawItem, Receiver
from connectors.slack.history import messages
from connectors.slack.names import CHANNEL, TS, Place
from connectors.slack.parse.blocks import Json, objects, string
from connectors.slack.parse.events import item_name
from connectors.slack.web import FAILURES, SlackWeb, error_of, retry_after
from schemas.errors import Conflict, Outage
from schemas.ports import Clock

log = structlog.get_logger("connectors.slack")

STREAM = "events"
MARGIN = timedelta(minutes=10)
"""Events come late; what is read twice is known."""
MOST_CHANNELS = 1_000
TRIES = 5


class CatchUp:
    """One account. `covered` says until when events are known to have come through; it is kept beside the log."""

    def __init__(
        self,
        web: SlackWeb,
        receiver: Receiver,
        cursors: Cursors,
        clock: Clock,
        team: str,
        channels: Sequence[str],
        hours: int,
    ) -> None:
        self._web = web
        self._receiver = receiver
        self._cursors = cursors
        self._clock = clock
        self._team = team
        self._channels = channels
        self._window = timedelta(hours=hours)
        self.last_gap: tuple[datetime, datetime] | None = None

    async def mark(self) -> None:
        """Events come through now. Call it now and then while they do. Raises Outage."""
        cursor = await self._cursors.load(CHANNEL, self._receiver.account, STREAM)
        value = json.dumps({"covered": self._clock.now().isoformat()})
        try:
            await self._cursors.save(cursor, value)
        except Conflict:  # another process of the hub said the same
            return

    async def run(self, again_since: datetime | None = None) -> int:
        """Read what may have been missed, the oldest first in each channel. Returns how many messages were given on.

        `again_since`: everything since then, however long ago it is.

        Raises Outage, or one of FAILURES: then nothing is marked, and the next run reads the same.
        """
        cursor = await self._cursors.load(CHANNEL, self._receiver.account, STREAM)
        now = self._clock.now()
        if again_since is not None:
            taken = sum([await self._channel(each, again_since, now) for each in await self._all_channels()])
        elif cursor.value and self._window:
            covered = datetime.fromisoformat(json.loads(cursor.value)["covered"])
            since = max(covered - MARGIN, now - self._window)
            if covered < now - self._window:
                self.last_gap = (covered, now - self._window)
                log.warning("slack: a gap is longer than catch_up_hours", account=self._receiver.account)
            taken = sum([await self._channel(each, since, now) for each in await self._all_channels()])
        else:
            taken = 0
        await self.mark()
        return taken

    async def _all_channels(self) -> list[str]:
        """Those of the settings, else all that the app is in. https://docs.slack.dev/reference/methods/users.conversations"""
        if self._channels:
            return list(self._channels)
        found: list[str] = []
        cursor: str | None = None
        while len(found) < MOST_CHANNELS:
            answer = await self._patiently(
                "users.conversations",
                types="public_channel,private_channel,im,mpim",
                exclude_archived="true",
                limit=200,
                cursor=cursor,
            )
            found += [string(each.get("id")) for each in objects(answer.get("channels"))]
            meta = answer.get("response_metadata")
            cursor = string(meta.get("next_cursor")) if isinstance(meta, dict) else ""
            if not cursor:
                break
        return [each for each in found if each]

    async def _patiently(self, method: str, **values: object) -> Json:
        for attempt in range(TRIES):
            try:
                return await self._web.ask(method, **values)
            except FAILURES as error:
                wait = retry_after(error)
                if wait is None or attempt == TRIES - 1:
                    raise
                await asyncio.sleep(wait)
        raise AssertionError("the last try returns or raises")

    async def _channel(self, channel: str, since: datetime, now: datetime) -> int:
        try:
            found = [each async for each in self._missed(channel, since, now)]
        except FAILURES as error:
            if error_of(error) in {"channel_not_found", "not_in_channel", "missing_scope"}:
                log.warning("slack: a channel cannot be read", channel=channel, reason=error_of(error))
                return 0
            raise
        taken = 0
        for each in sorted(found, key=lambda message: string(message.get("ts"))):
            for envelope in envelopes(each, channel, self._team, f"{since.timestamp():.6f}"):
                await self._take(envelope)
                taken += 1
        return taken

    async def _missed(self, channel: str, since: datetime, now: datetime) -> AsyncIterator[Json]:
        """Messages of the channel, and of its threads that went on since. Threads are found by their first message."""
        oldest = f"{min(since, now - self._window).timestamp():.6f}"
        edge = f"{since.timestamp():.6f}"
        async for each in messages(self._web, Place(channel, None), oldest):
            if _is_after(each, edge):
                yield each
            if string(each.get("latest_reply")) > edge:
                place = Place(channel, string(each.get("ts")))
                async for reply in messages(self._web, place, edge):
                    if string(reply.get("ts")) != place.thread_ts and _is_after(reply, edge):
                        yield reply

    async def _take(self, envelope: Json) -> None:
        body = json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode()
        raw = RawItem(item_name(envelope), body, self._clock.now(), facts={"from": "history"})
        for attempt in range(TRIES):
            try:
                await self._receiver.take(raw)
            except Outage as outage:
                if attempt == TRIES - 1:
                    raise
                await asyncio.sleep(outage.retry_after_seconds)
            else:
                return


def _is_after(message: Json, edge: str) -> bool:
    edited = message.get("edited")
    changed = string(edited.get("ts")) if isinstance(edited, dict) else ""
    return string(message.get("ts")) > edge or changed > edge


def envelopes(message: Json, channel: str, team: str, edge: str) -> list[Json]:
    """A message of the history as the events that told of it: itself, and its last edit."""
    base = {"type": "event_callback", "team_id": team, "hubbub_source": "history"}
    ts = string(message.get("ts"))
    if not TS.fullmatch(ts):
        return []
    found: list[Json] = []
    if ts > edge:
        found.append({**base, "event": {**message, "type": "message", "channel": channel, "event_ts": ts}})
    edited = message.get("edited")
    if isinstance(edited, dict) and TS.fullmatch(string(edited.get("ts"))):
        changed = {
            "type": "message",
            "subtype": "message_changed",
            "channel": channel,
            "message": {**message, "type": "message"},
            "event_ts": edited["ts"],
        }
        found.append({**base, "event": changed})
    return found
