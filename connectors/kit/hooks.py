"""Webhooks without a framework: verify the raw bytes, split them into items, take each, and answer.

A channel implements `Hook`; the hub serves it at `/hooks/{channel}/{account}` of its public address.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from connectors.kit.intake import Accepted
from connectors.kit.items import Fate, RawItem, Receiver, Taken, Unreadable, raw_name
from schemas.crash import crash_point
from schemas.errors import Outage
from schemas.letters import QuarantineItem
from schemas.steps import Blob

log = logging.getLogger("hubbub.connectors")

BODY_BYTES = 1 << 20
ITEMS_AT_MOST = 1000
WHOLE = "whole request"
"""The fact that marks a request in quarantine which was not even split."""


class Unverified(Exception):
    """Nothing proves who sent the request. The message says what to change; no secret stands in it."""


@dataclass(frozen=True, slots=True)
class HookRequest:
    """A request as it came. `headers` have lower-case names, several of one name are joined by `, `; `path` is what follows the
    account's own address, such as `/events`, or empty.
    """

    method: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    query: Mapping[str, str] = field(default_factory=dict)
    path: str = ""


@dataclass(frozen=True, slots=True)
class HookAnswer:
    status: int
    body: bytes = b""
    media_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request: what was taken, or that it was not verified, or that nothing could be kept just now."""

    taken: Sequence[Taken] = ()
    unverified: str = ""
    outage: Outage | None = None

    @property
    def is_quarantined(self) -> bool:
        return any(each.fate is Fate.QUARANTINED for each in self.taken)


class Hook(Protocol):
    """One address that a source calls. All but `receiver` is pure."""

    receiver: Receiver
    body_bytes: int
    """A larger request is refused with 413 before it is read whole."""

    def verify(self, request: HookRequest) -> None:
        """Raises Unverified unless the raw bytes are proven to come from the source. Nothing of the body is parsed before."""
        ...

    def split(self, request: HookRequest) -> Sequence[RawItem] | HookAnswer:
        """The items of a verified request, or the answer to a handshake. Raises Unreadable where it is neither."""
        ...

    def answer(self, outcome: Outcome) -> HookAnswer:
        """What tells this source `done` or `again`. `default_answer` fits most."""
        ...


@runtime_checkable
class Paged(Protocol):
    """A hook that has pages of its own below its address, for a person's browser: to install an app, say."""

    async def page(self, request: HookRequest) -> HookAnswer | None:
        """None: it is no page, but a request of the source. Total: what goes wrong is said on the page."""
        ...


def default_answer(outcome: Outcome) -> HookAnswer:
    """200 for what is kept, in quarantine too; 401 for what is not proven; 503 with Retry-After while nothing can be kept."""
    if outcome.unverified:
        return HookAnswer(401, outcome.unverified.encode())
    if outcome.outage is not None:
        wait = max(1, round(outcome.outage.retry_after_seconds))
        return HookAnswer(503, b"try again later", headers={"retry-after": str(wait)})
    return HookAnswer(200)


async def serve(hook: Hook, request: HookRequest) -> HookAnswer:
    """The answer to a request; only when everything in it is on the log is it one that says `done`."""
    if isinstance(hook, Paged):
        page = await hook.page(request)
        if page is not None:
            return page
    try:
        hook.verify(request)
    except Unverified as reason:
        return hook.answer(Outcome(unverified=str(reason)))
    except Exception as error:  # noqa: BLE001  a header that trips the check proves nothing
        log.warning("%s: checking a request failed: %s", hook.receiver.channel, type(error).__name__)
        return hook.answer(Outcome(unverified="the signature cannot be read"))
    receiver = hook.receiver
    try:
        items = hook.split(request)
        if isinstance(items, HookAnswer):
            return items
        if len(items) > ITEMS_AT_MOST:
            raise Unreadable(f"more than {ITEMS_AT_MOST} items in one request", "split")
        taken = await receiver.take_all(items)
    except Unreadable as error:
        return await _quarantine(hook, request, error)
    except Outage as outage:
        return hook.answer(Outcome(outage=outage))
    except Exception as error:  # noqa: BLE001  what our own code stumbles over is kept whole, not refused
        log.warning("%s: a request could not be split: %s", receiver.channel, type(error).__name__)
        return await _quarantine(hook, request, Unreadable(f"{type(error).__name__}: {error}", "split"))
    crash_point("intake.before-acknowledge")
    return hook.answer(Outcome(taken))


async def _quarantine(hook: Hook, request: HookRequest, error: Unreadable) -> HookAnswer:
    """Keep a verified request of which nothing could be made: its sender would only send the same again."""

    media_type = request.headers.get("content-type", "application/octet-stream")[:200]
    raw = RawItem(raw_name(request.body), request.body, request.received_at, media_type, {WHOLE: "1"})
    try:
        taken = await hook.receiver.keep(hook.receiver.refused(raw, error.stage, str(error)))
    except Outage as outage:
        return hook.answer(Outcome(outage=outage))
    crash_point("intake.before-acknowledge")
    return hook.answer(Outcome([taken]))


def read_again(hook: Hook, original: bytes, kept: QuarantineItem) -> Accepted:
    """A quarantined original as it is read now, whether it was one item or a whole request. Changes nothing by itself."""
    receiver = hook.receiver
    if WHOLE not in kept.envelope:
        return receiver.read_again(original, kept)
    whole = RawItem(raw_name(original), original, kept.received_at, kept.original.media_type, {WHOLE: "1"})
    headers = {"content-type": kept.original.media_type}
    try:
        items = hook.split(HookRequest("POST", headers, original, kept.received_at))
    except Unreadable as error:
        return receiver.refused(whole, error.stage, str(error))
    if isinstance(items, HookAnswer):
        return receiver.refused(whole, "split", "nothing in it is an item")
    parts = [receiver.read(each) for each in items]
    failed = next((each.quarantined for each in parts if each.quarantined is not None), None)
    if failed is not None:
        return receiver.refused(whole, failed.stage, failed.reason)
    return Accepted(
        kept.id,
        Blob(kept.original, original),
        tuple(event for each in parts for event in each.interactions),
        tuple(blob for each in parts for blob in (each.original, *each.blobs)),
    )
