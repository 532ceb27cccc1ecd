"""Socket Mode: we call Slack, and events come over a few WebSockets. https://docs.slack.dev/apis/events-api/using-socket-mode

The loop is ours: Slack's client acknowledges on whichever socket is newest, keeps what waits in an unbounded queue, and lets
listeners finish in any order. Here an envelope is acknowledged on its own socket once the log has it, and what happens in one
channel goes to the log in its order.
"""

import asyncio
import json
import random
from collections.abc import Callable
from datetime import datetime
from typing import Any

import aiohttp
import structlog

from connectors.kit.items import RawItem, Receiver, Unreadable, raw_name
from connectors.slack.parse.blocks import string
from connectors.slack.parse.envelope import item_name
from connectors.slack.web import FAILURES, SlackWeb, error_of, retry_after
from schemas.crash import crash_point
from schemas.errors import Outage
from schemas.ports import Clock

log = structlog.get_logger("connectors.slack")

FRAME_BYTES = 4 << 20
HEARTBEAT_SECONDS = 10.0
"""A ping of ours that is not answered within half of that closes a connection which only looks alive."""
AT_ONCE = 32
FIRST_REST_SECONDS, LONGEST_REST_SECONDS = 0.5, 60.0
REFUSED_REST_SECONDS = 300.0
REFUSED = frozenset(
    {
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "token_revoked",
        "not_allowed_token_type",
        "missing_scope",
    }
)
LINK_DISABLED = "link_disabled"


class SocketMode:
    """The connections of one app. `changed` is called whenever one opens or closes."""

    def __init__(
        self, web: SlackWeb, receiver: Receiver, clock: Clock, connections: int, changed: Callable[[], None]
    ) -> None:
        self._web = web
        self._receiver = receiver
        self._clock = clock
        self._connections = connections
        self._changed = changed
        self._tasks: list[asyncio.Task[None]] = []
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._last_of: dict[str, asyncio.Task[None]] = {}
        self._stopping = False
        self.open = 0
        self.trouble = ""
        self.last_event_at: datetime | None = None

    def start(self) -> None:
        self._stopping = False
        self._tasks = [asyncio.create_task(self._stay_connected()) for _ in range(self._connections)]

    async def stop(self, grace_seconds: float) -> None:
        """Nothing more is read; what is under way is kept and acknowledged within the grace."""
        self._stopping = True
        under_way = list(self._last_of.values())
        if under_way:
            await asyncio.wait(under_way, timeout=grace_seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _stay_connected(self) -> None:
        """One place in the set: connects, and again when the connection ends, for as long as the account runs."""
        failures = 0
        while not self._stopping:
            rest = 0.0
            try:
                is_good = await self._one_connection()
                failures = 0 if is_good else failures + 1
            except FAILURES as error:
                failures += 1
                self.trouble = f"no connection: {error_of(error)}"
                rest = retry_after(error) or (REFUSED_REST_SECONDS if error_of(error) in REFUSED else 0.0)
                self._changed()
            except Exception:
                failures += 1
                log.exception("a connection failed")
            if failures:
                most = min(LONGEST_REST_SECONDS, FIRST_REST_SECONDS * 2 ** min(failures, 8))
                rest = max(rest, most * (0.5 + random.random() / 2))  # noqa: S311  spread, no secret
            await asyncio.sleep(rest)

    async def _one_connection(self) -> bool:
        """Until it ends. Returns whether it came up."""
        answer = await self._web.client.apps_connections_open(app_token=self._web.client.token or "")
        url = string(answer.get("url"))
        came_up = False
        async with self._web.session.ws_connect(
            url,
            heartbeat=HEARTBEAT_SECONDS,
            max_msg_size=FRAME_BYTES,
            timeout=aiohttp.ClientWSTimeout(ws_close=2.0),
        ) as socket:
            self.open += 1
            self._changed()
            try:
                async for frame in socket:
                    if frame.type is not aiohttp.WSMsgType.TEXT or self._stopping:
                        break
                    came_up = True
                    if not await self._frame(socket, frame.data):
                        break
            finally:
                self.open -= 1
                self._changed()
        return came_up

    async def _frame(self, socket: aiohttp.ClientWebSocketResponse, text: str) -> bool:
        """False when Slack asks to connect anew."""
        try:
            frame = json.loads(text)
        except (ValueError, RecursionError):
            frame = None
        if not isinstance(frame, dict):
            await self._take(socket, "", RawItem(raw_name(text.encode()), text.encode(), self._clock.now()))
            return True
        kind = frame.get("type")
        if kind == "hello":
            self.trouble = ""
            self._changed()
        elif kind == "disconnect":
            reason = string(frame.get("reason"))
            if reason == LINK_DISABLED:
                self.trouble = "Socket Mode is switched off in the app's settings"
            return reason == "warning"
        elif kind == "events_api":
            await self._begin(socket, frame, text.encode())
        elif frame.get("envelope_id"):  # buttons and commands are not used; Slack is told that they arrived
            await socket.send_json({"envelope_id": frame["envelope_id"]})
        return True

    async def _begin(
        self, socket: aiohttp.ClientWebSocketResponse, frame: dict[str, Any], body: bytes
    ) -> None:
        """Take the event beside others; those of one channel one after the other."""
        envelope = frame.get("payload")
        envelope = envelope if isinstance(envelope, dict) else {}
        try:
            name = item_name(envelope)
        except Unreadable:
            name = raw_name(body)
        facts = {"retry": str(frame["retry_attempt"])[:20]} if frame.get("retry_attempt") else {}
        raw = RawItem(name, body, self._clock.now(), facts=facts)
        channel = name.partition(":")[0]
        await self._slots.acquire()
        before = self._last_of.get(channel)
        task = asyncio.create_task(self._after(before, socket, string(frame.get("envelope_id")), raw))
        self._last_of[channel] = task
        task.add_done_callback(lambda done: self._ended(channel, done))

    def _ended(self, channel: str, task: "asyncio.Task[None]") -> None:
        self._slots.release()
        if self._last_of.get(channel) is task:
            del self._last_of[channel]

    async def _after(
        self,
        before: "asyncio.Task[None] | None",
        socket: aiohttp.ClientWebSocketResponse,
        envelope_id: str,
        raw: RawItem,
    ) -> None:
        if before is not None:
            await asyncio.wait({before})
        try:
            await self._take(socket, envelope_id, raw)
        except Exception:
            log.exception("an event was not taken")

    async def _take(self, socket: aiohttp.ClientWebSocketResponse, envelope_id: str, raw: RawItem) -> None:
        try:
            await self._receiver.take(raw)
        except Outage as outage:  # not acknowledged: Slack gives it again
            self.trouble = f"events are put off: {outage}"
            self._changed()
            return
        self.last_event_at = self._clock.now()
        crash_point("intake.before-acknowledge")
        if envelope_id and not socket.closed:
            try:
                await socket.send_json({"envelope_id": envelope_id})
            except (ConnectionError, aiohttp.ClientError):
                log.debug(
                    "the connection ended before an event was acknowledged; it comes again and is known"
                )
