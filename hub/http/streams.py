"""Server-sent events: the response, how many there may be, and when they end.

https://html.spec.whatwg.org/multipage/server-sent-events.html

A stream reads the log itself and keeps nothing for its client, so a slow one costs no memory: it is just behind. One that
takes nothing at all for `slow_consumer_seconds` gets a closing event when it reads again, and holds its place until then, so
that it cannot open more.
"""

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, field

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from hub.accounts.errors import Throttled
from hub.http.authentication import Renew
from hub.http.context import AppContext, Limits
from hub.observe import Metric, Metrics
from schemas.accounts import Principal
from schemas.errors import Outage
from schemas.ports import Engine
from schemas.steps import Position, Record
from schemas.topics import Topic

MEDIA_TYPE = "text/event-stream"
RETRY_MILLISECONDS = 2000
PAGE = 200
LOOK_UP_SECONDS = 1.0
"""How long a stream sleeps at most before it looks whether the hub stops."""


def frame(event: str = "", data: object = None, id: str = "", retry: int | None = None) -> bytes:
    """One event of a stream. JSON holds no line ends, so `data` is one line."""
    lines = [f"event: {event}"] if event else []
    if retry is not None:
        lines.append(f"retry: {retry}")
    if id:
        lines.append(f"id: {id}")
    if data is not None:
        lines.append(f"data: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}")
    return ("\n".join(lines) + "\n\n").encode("utf-8", "replace")


HEARTBEAT = b": still here\n\n"


def closing(reason: str) -> bytes:
    """The last event of a stream: why it ends. Clients connect again and go on where they were."""
    return frame("closing", {"reason": reason}, retry=RETRY_MILLISECONDS)


@dataclass
class Places:
    """How many streams are open: in all, and for each principal."""

    limits: Limits
    metrics: Metrics
    _held: Counter[str] = field(default_factory=Counter)

    def take(self, principal: Principal, stream: str) -> Callable[[str], None]:
        """A place; call what is returned, with the reason, when the stream is over. Raises Throttled when there is none."""
        owner = f"{principal.kind}:{principal.id}"
        if self._held[owner] >= self.limits.streams_per_principal:
            raise Throttled(f"you have {self._held[owner]} streams open; close one", 10)
        if self._held.total() >= self.limits.streams:
            raise Outage("too many streams are open", retry_after_seconds=10)
        self._held[owner] += 1
        self.metrics.add(Metric.STREAMS, stream=stream)

        def give_back(reason: str) -> None:
            self._held[owner] -= 1
            if not self._held[owner]:
                del self._held[owner]
            self.metrics.add(Metric.STREAMS, -1, stream=stream)
            self.metrics.add(Metric.STREAMS_CLOSED, stream=stream, reason=reason)

        return give_back


class Follower:
    """Reads the log for one stream, from a place on. Ends with a reason: stopping, expired, revoked, outage."""

    def __init__(
        self, context: AppContext, topics: list[Topic], position: Position, principal: Principal, renew: Renew
    ) -> None:
        self._engine: Engine = context.engine
        self._limits = context.facts.limits
        self._is_stopping = context.is_stopping
        self._topics = topics
        self._renew = renew
        self._sessions = context.accounts.sessions
        self._endings = self._sessions.endings
        self._principal = principal
        self.position = position
        self.reason = ""

    @property
    def principal(self) -> Principal:
        """Who follows, with the rights as last looked up."""
        return self._principal

    async def batches(self) -> AsyncIterator[list[Record]]:
        """Records in order, each once; an empty list when it is time for a sign of life."""
        now = asyncio.get_running_loop().time
        over, beat = now() + self._limits.stream_seconds, now() + self._limits.heartbeat_seconds
        while not self.reason:
            try:
                records = await self._next(until=beat)
                if now() >= beat or self._endings != self._sessions.endings:
                    if not await self._may_go_on():
                        return  # what was read meanwhile is nobody's any more
                    beat = now() + self._limits.heartbeat_seconds
            except Outage:
                self.reason = "outage"
                return
            if records:
                yield records
                self.position = records[-1].position
            elif not self.reason:
                yield []
            if now() >= over:
                self.reason = "expired"

    async def _next(self, until: float) -> list[Record]:
        """What comes next; nothing when the time is over or the hub stops."""
        while True:
            is_beyond = await self._engine.wait(self.position, 0)
            tail = await self._engine.tail()
            records = await self._engine.scan(self._topics, self.position, PAGE)
            if records:
                return list(records)
            if is_beyond:
                # Nothing of these topics up to `tail`: go on from there, or `wait` would return at once for ever. Only
                # forwards: an event can be read a moment before it counts for `tail`, and would come twice.
                self.position = tail
            if self._is_stopping():
                self.reason = "stopping"
                return []
            left = until - asyncio.get_running_loop().time()
            if left <= 0 or self._endings != self._sessions.endings:
                return []
            await self._engine.wait(self.position, min(left, LOOK_UP_SECONDS))

    async def _may_go_on(self) -> bool:
        """Rights may have changed: ask who the credentials belong to now."""
        self._endings = self._sessions.endings
        principal = await self._renew()
        if principal is None:
            self.reason = "revoked"
            return False
        self._principal = principal
        return True


class EventStream(Response):
    """Sends frames as they come, until they end, the client leaves, or it takes nothing for too long."""

    media_type = MEDIA_TYPE

    def __init__(
        self,
        frames: AsyncGenerator[bytes, None],
        limits: Limits,
        over: Callable[[str], None],
        reason: Callable[[], str],
    ) -> None:
        self._frames = frames
        self._slow_seconds = limits.slow_consumer_seconds
        self._over = over
        self._reason = reason
        self.status_code = 200
        self.background = None
        self.init_headers({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["is_stream"] = True
        sending = asyncio.create_task(self._send(send))
        leaving = asyncio.create_task(_left(receive))
        ended = "left"
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                ended = sending.result()
        finally:
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
            with contextlib.suppress(RuntimeError):  # it is being closed already
                await self._frames.aclose()
            self._over(ended)

    async def _send(self, send: Send) -> str:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        loop = asyncio.get_running_loop()
        ended = ""
        async for each in self._frames:
            began = loop.time()
            await send({"type": "http.response.body", "body": each, "more_body": True})
            if loop.time() - began > self._slow_seconds:
                ended = "slow"
                break
        ended = ended or self._reason()
        await send({"type": "http.response.body", "body": closing(ended), "more_body": False})
        return ended


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
