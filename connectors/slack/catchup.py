"""Closing gaps: after an outage channels are read from where events are known to have come through.

Slack repeats an event three times within some six minutes and then gives up. What it gave up is in the history, under the same
names, so that what came twice is known. Deletions and reactions of the gap are not in it.

A channel is read a stretch of time at a time, the oldest first, so that any number of messages takes bounded memory. What is not
done within a turn goes on in the next, after a restart too; what cannot be read at all is told on the log as a gap.
"""

import asyncio
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from connectors.kit.cursors import Cursors
from connectors.kit.gaps import between
from connectors.kit.items import RawItem, Receiver
from connectors.slack.channels import channels_of
from connectors.slack.coverage import Coverage
from connectors.slack.history import TooMany, messages
from connectors.slack.names import CHANNEL, Place
from connectors.slack.parse.blocks import Json, string
from connectors.slack.parse.envelope import item_name
from connectors.slack.parse.events import GAP
from connectors.slack.reading import Reading
from connectors.slack.retelling import events_after
from connectors.slack.web import FAILURES, SlackWeb, error_of, retry_after
from schemas.errors import Conflict, Outage
from schemas.ports import Clock

log = structlog.get_logger("connectors.slack")

PROGRESS = "reading"
MARGIN = timedelta(minutes=10)
"""Events come late; what is read twice is known."""
KEPT_EVERY = timedelta(minutes=10)
"""Of hundreds of workspaces each is marked once a minute; a write each would be most of what an idle hub writes."""
MOST_CHANNELS = 5_000
TRIES = 5
PAGES_A_STRETCH = 10
PAGES_A_TURN = 200
PAGES_A_THREAD = 500
LONGEST_TURN = timedelta(minutes=10)
"""Where Slack lets a page be asked for once a minute, two hundred would take hours; tokens are renewed between turns."""
SHORTEST_SECONDS = 1.0
UNREADABLE = frozenset({"channel_not_found", "not_in_channel", "missing_scope"})


@dataclass(frozen=True, slots=True)
class Turn:
    """`is_over` False: there is more to read; the next run goes on there."""

    taken: int
    is_over: bool = True


class CatchUp:
    """One workspace of one account."""

    def __init__(
        self,
        web: SlackWeb,
        receiver: Receiver,
        cursors: Cursors,
        clock: Clock,
        team: str,
        channels: Sequence[str],
        hours: int,
        *,
        stream: str = "",
        teams: Collection[str] | None = None,
        pages_a_turn: int = PAGES_A_TURN,
    ) -> None:
        """`stream` tells workspaces of one account apart; `teams` are those of an organization, as they are when channels are read."""
        self._web = web
        self._receiver = receiver
        self._cursors = cursors
        self._clock = clock
        self._team = team
        self._channels = channels
        self._window = timedelta(hours=hours)
        self._stream = stream
        self._teams = teams
        self._coverage = Coverage(cursors, clock, receiver.account, stream)
        self._pages_a_turn = pages_a_turn
        self._pages = self._stretches = 0
        self._turn_ends = clock.now()
        self._again: datetime | None = None
        self._marked_at: datetime | None = None
        self._whole_until: float | None = None
        """Until when the reading goes that began while events came through, and came through ever since."""

    def fell_behind(self) -> None:
        """Events were missed just now, perhaps in channels that a reading which is under way has behind it."""
        self._whole_until = None

    def read_again(self, since: datetime) -> None:
        """The next run reads everything since then, however long ago it is."""
        self._again = since

    @property
    def gap(self) -> str:
        """What was missed for good in the last days."""
        return self._coverage.gap

    async def mark(self) -> None:
        """Events come through now. Call it as often as you like while they do: it is kept every ten minutes, so that what is read
        after an outage begins twenty minutes before it at most. Raises Outage."""
        now = self._clock.now()
        if self._marked_at is None or now - self._marked_at >= KEPT_EVERY:
            await self._mark(now)

    async def _mark(self, until: datetime) -> None:
        await self._coverage.mark(until)
        self._marked_at = until

    async def run(self) -> Turn:
        """Read what may have been missed, the oldest first in each channel, as much as a turn allows.

        A reading that an earlier start began is followed by another one: what was missed in between may be in channels that it
        had behind it.

        Raises Outage, or one of FAILURES: then nothing is marked, and the next run goes on where this one came to.
        """
        reading = await self._reading()
        if reading is None:
            await self.mark()
            return Turn(0)
        self._pages = self._stretches = 0
        self._turn_ends = self._clock.now() + LONGEST_TURN
        before = reading.taken
        try:
            is_over = await self._read(reading)
        except (*FAILURES, Outage):
            await self._keep(reading)
            raise
        if is_over:
            await self._mark(datetime.fromtimestamp(reading.until, UTC))
        await self._keep(None if is_over else reading)
        return Turn(reading.taken - before, is_over and reading.until == self._whole_until)

    async def _reading(self) -> Reading | None:
        """What was begun, else what is to be read now; None: nothing. With what is to be read again."""
        begun = await self._cursors.load(CHANNEL, self._receiver.account, PROGRESS + self._stream)
        reading = Reading.read(begun.value) if begun.value else await self._due()
        if self._again is not None:
            again = Reading.of(self._again, self._clock.now(), self._window)
            reading = again if reading is None else again.and_since(reading)
            await self._keep(reading)
            self._again = None
        elif begun.value:
            return reading
        self._whole_until = reading.until if reading is not None else None
        return reading

    async def _due(self) -> Reading | None:
        """What may have been missed since events are known to have come through."""
        now = self._clock.now()
        covered = await self._coverage.until()
        if covered is None or not self._window:
            return None
        since = max(covered - MARGIN, now - self._window)
        if covered < now - self._window:
            hours = round(self._window.total_seconds() / 3600)
            await self._tell_gap(covered, since, f"longer than catch_up_hours ({hours})")
        return Reading.of(since, now, self._window)

    async def _keep(self, reading: Reading | None) -> None:
        cursor = await self._cursors.load(CHANNEL, self._receiver.account, PROGRESS + self._stream)
        value = "" if reading is None else reading.written()
        if cursor.value == value:
            return
        try:
            await self._cursors.save(cursor, value)
        except Conflict:  # another process reads the same
            return

    async def _read(self, reading: Reading) -> bool:
        """False where the turn is over before everything is read."""
        for channel in sorted(await self._all_channels()):
            if channel <= reading.done:
                continue
            try:
                if not await self._channel(channel, reading):
                    return False
            except FAILURES as error:
                if error_of(error) not in UNREADABLE:
                    raise
                log.warning("slack: a channel cannot be read", channel=channel, reason=error_of(error))
            reading.done, reading.channel = channel, ""
        return True

    async def _channel(self, channel: str, reading: Reading) -> bool:
        start, end = reading.start_of(channel), reading.until
        while start < reading.until:
            if self._is_spent():
                return False
            latest = f"{end:.6f}" if end < reading.until else None
            found = await self._between(channel, f"{start:.6f}", latest)
            if found is None and end - start > SHORTEST_SECONDS:
                end = start + (end - start) / 2
                continue
            if found is None:
                at = datetime.fromtimestamp(start, self._clock.now().tzinfo)
                await self._tell_gap(at, at, f"more in channel {channel} than can be read")
            for each in found or ():
                reading.taken += await self._message(channel, each, reading.edge)
            start, end = end, reading.until
            reading.channel, reading.at = channel, start
            self._stretches += 1
        return True

    def _is_spent(self) -> bool:
        """Whether the turn is over; something is read in each."""
        is_long = self._pages >= self._pages_a_turn or self._clock.now() >= self._turn_ends
        return is_long and self._stretches > 0

    async def _between(self, channel: str, oldest: str, latest: str | None) -> list[Json] | None:
        """The oldest first; None: there are more than are read at once."""
        place = Place(channel, None)
        try:
            found = [each async for each in messages(self, place, oldest, latest, most_pages=PAGES_A_STRETCH)]
        except TooMany:
            return None
        return sorted(found, key=lambda message: string(message.get("ts")))

    async def _message(self, channel: str, message: Json, edge: str) -> int:
        """What happened since: the message itself, its edit, and answers in its thread, which is found by its first message."""
        taken = await self._give_on(channel, message, edge)
        if string(message.get("latest_reply")) <= edge:
            return taken
        place = Place(channel, string(message.get("ts")))
        try:
            async for reply in messages(self, place, edge, most_pages=PAGES_A_THREAD):
                if string(reply.get("ts")) != place.thread_ts:
                    taken += await self._give_on(channel, reply, edge)
        except TooMany:
            now = self._clock.now()
            await self._tell_gap(now, now, f"more in the thread {place.thread_ts} of {channel} than is read")
        return taken

    async def _give_on(self, channel: str, message: Json, edge: str) -> int:
        events = events_after(edge, message, channel, self._team)
        for each in events:
            await self._take(each)
        return len(events)

    async def _all_channels(self) -> list[str]:
        """Those of the settings, else all that the app is in."""
        if self._channels:
            return list(self._channels)
        teams = [None] if self._teams is None else sorted(self._teams)
        found = await channels_of(self, teams, MOST_CHANNELS)
        if len(found) >= MOST_CHANNELS:
            now = self._clock.now()
            await self._tell_gap(
                now, now, f"the app is in more than {MOST_CHANNELS} channels; name yours in channels"
            )
        return found

    async def ask(self, method: str, **values: Any) -> Json:
        """As SlackWeb.ask, and patient where Slack says how long to wait."""
        self._pages += 1
        for attempt in range(TRIES):
            try:
                return await self._web.ask(method, **values)
            except FAILURES as error:
                wait = retry_after(error)
                if wait is None or attempt == TRIES - 1:
                    raise
                await asyncio.sleep(wait)
        raise AssertionError("the last try returns or raises")

    async def _tell_gap(self, since: datetime, until: datetime, why: str) -> None:
        """On the log, and for some days in the health. Raises Outage."""
        words = f"messages {between(since, until)} were not read: {why}"
        log.warning("slack: a gap", account=self._receiver.account, what=words)
        name = f"{self._team}:{since.isoformat()}:{why}"
        event = {"type": GAP, "words": words, "event_ts": name}
        await self._take({"type": "event_callback", "team_id": self._team, "event": event, "event_id": "gap"})
        await self._coverage.note(words, until)

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
