"""One item of a source on its way to the log, whatever brought it: a webhook, a socket, a poll, a file.

A channel writes one pure function, `Understand`, and one way to get hold of items; everything between is here.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from connectors.kit.intake import Accepted, Intake
from schemas.crash import crash_point
from schemas.errors import Outage
from schemas.ids import item_id, sha256
from schemas.interactions import BlobRef, InteractionEvent, InteractionIgnored, Part
from schemas.letters import QuarantineItem
from schemas.parking import Quarantined
from schemas.steps import Blob

log = logging.getLogger("hubbub.connectors")

NAME = "name"
"""The fact under which an item's name is kept in quarantine, so that reading it again makes the same item."""
REASON_CHARACTERS = 500


class Unreadable(Exception):
    """The item fits no shape that this channel knows. It goes to quarantine, whole."""

    def __init__(self, reason: str, stage: str = "parse") -> None:
        super().__init__(reason)
        self.stage = stage


class NotForUs(Exception):
    """The item is understood and nothing follows from it: a typed, stated reason such as `own echo`."""


@dataclass(frozen=True, slots=True)
class RawItem:
    """What a source gave, and nothing more.

    `name` is stable across redelivery: the item's id derives from it. `facts` are what the transport knew (no secrets); they
    are kept with an item in quarantine.
    """

    name: str
    body: bytes
    received_at: datetime
    media_type: str = "application/json"
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Frame:
    """What every event of an item shares, for a channel to put its own into."""

    item: UUID
    channel: str
    account: str
    brand: str
    received_at: datetime
    original: BlobRef

    def fields(
        self, conversation: str, occurred_at: datetime, index: int = 0, count: int = 1
    ) -> dict[str, Any]:
        """The fields of `schemas.interactions.Source`: InteractionReceived(**frame.fields(...), kind=...)."""
        return {
            "part": Part(item=self.item, index=index, count=count),
            "channel": self.channel,
            "account": self.account,
            "brand": self.brand,
            "conversation": conversation,
            "occurred_at": occurred_at,
            "received_at": self.received_at,
            "original": self.original,
        }


Understand = Callable[[RawItem, Frame], Sequence[InteractionEvent]]
"""Pure: no clock, network or random. Raises NotForUs or Unreadable; anything else that it raises is a defect, and quarantined."""

Enrich = Callable[[Accepted], Awaitable[Accepted]]
"""Adds what has to be fetched, such as files and names. Total: what cannot be had is said in the event."""


class Fate(StrEnum):
    ACCEPTED = "accepted"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of an item that is now on the log."""

    item: UUID
    fate: Fate
    reason: str = ""


@dataclass
class Receiver:
    """The way in of one account. `take` is all that a source has to call before it answers."""

    channel: str
    account: str
    brand: str
    intake: Intake
    understand: Understand
    enrich: Enrich | None = None
    owes: bool = False
    """Something was refused since a connector that reads its source's history last set this back."""

    async def take(self, raw: RawItem) -> Taken:
        """Durable when it returns. Raises Outage when nothing was kept; never anything else for what an item contains."""
        crash_point("intake.after-original")
        accepted = self.read(raw)
        if self.enrich is not None and accepted.quarantined is None:
            accepted = await self.enrich(accepted)
        return await self.keep(accepted)

    async def keep(self, accepted: Accepted) -> Taken:
        """Durable when it returns. Raises Outage when nothing was kept."""
        crash_point("intake.before-commit")
        try:
            await self.intake.accept(accepted)
        except Outage:
            self.owes = True
            raise
        return taken(accepted)

    async def take_all(self, items: Sequence[RawItem]) -> list[Taken]:
        """Each in turn. After an Outage some may be on the log: they are known again when they come again."""
        return [await self.take(each) for each in items]

    def read(self, raw: RawItem) -> Accepted:
        """The item as it goes to the log: its events, or why it could not be read. Pure."""
        original, frame = self._begin(raw)
        try:
            events = tuple(self.understand(raw, frame))
        except NotForUs as reason:
            events = (_ignored(frame, raw, str(reason)),)
        except Unreadable as error:
            return self.refused(raw, error.stage, str(error))
        except Exception as error:  # noqa: BLE001  an item that our own code stumbles over is kept, not refused
            log.warning("%s: an item could not be understood: %s", self.channel, type(error).__name__)
            return self.refused(raw, "map", f"{type(error).__name__}: {error}")
        return Accepted(frame.item, original, events or (_ignored(frame, raw, "nothing in it is for us"),))

    def refused(self, raw: RawItem, stage: str, reason: str) -> Accepted:
        """The item as it goes to quarantine. Changes nothing."""
        original, frame = self._begin(raw)
        return Accepted(frame.item, original, quarantined=_quarantined(frame, raw, stage, reason))

    def _begin(self, raw: RawItem) -> tuple[Blob, Frame]:
        item = item_id(self.channel, self.account, raw.name)
        ref = BlobRef(sha256=sha256(raw.body), size=len(raw.body), media_type=raw.media_type)
        return Blob(ref, raw.body), Frame(item, self.channel, self.account, self.brand, raw.received_at, ref)

    def read_again(self, original: bytes, kept: QuarantineItem) -> Accepted:
        """A quarantined original as it is read now: the same item. Changes nothing by itself."""
        facts = dict(kept.envelope)
        name = facts.pop(NAME, f"raw:{kept.original.sha256}")
        return self.read(RawItem(name, original, kept.received_at, kept.original.media_type, facts))


def raw_name(body: bytes) -> str:
    """The name of an item that its source gave none: what it holds."""
    return f"raw:{sha256(body)}"


def _ignored(frame: Frame, raw: RawItem, reason: str) -> InteractionIgnored:
    fields = frame.fields(f"{frame.channel}:ignored:{frame.item.hex}", frame.received_at)
    return InteractionIgnored(**fields, external_id=raw.name[:500], reason=reason[:REASON_CHARACTERS])


def _quarantined(frame: Frame, raw: RawItem, stage: str, reason: str) -> Quarantined:
    return Quarantined(
        item=frame.item,
        channel=frame.channel,
        account=frame.account,
        original=frame.original,
        stage=stage,
        reason=reason[:REASON_CHARACTERS],
        received_at=raw.received_at,
        envelope={**raw.facts, NAME: raw.name},
    )


def taken(accepted: Accepted) -> Taken:
    """What became of an item, once it is on the log."""
    if accepted.quarantined is not None:
        return Taken(accepted.item, Fate.QUARANTINED, accepted.quarantined.reason)
    ignored = [each for each in accepted.interactions if isinstance(each, InteractionIgnored)]
    if ignored and len(ignored) == len(accepted.interactions):
        return Taken(accepted.item, Fate.IGNORED, ignored[0].reason)
    return Taken(accepted.item, Fate.ACCEPTED)
