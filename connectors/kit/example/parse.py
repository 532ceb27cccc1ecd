"""From the vendor's payload to events. Pure: no clock, no network. Put the address of the vendor's documentation here."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.kit.items import Frame, NotForUs, RawItem, Understand, Unreadable
from connectors.kit.json_body import load_json
from schemas.interactions import (
    Content,
    InteractionDeleted,
    InteractionEdited,
    InteractionEvent,
    InteractionReaction,
    InteractionReceived,
    Kind,
    Participant,
    Role,
)

CHANNEL = "example"
Json = Mapping[str, Any]


def load(body: bytes) -> Json:
    """The payload as an object. Raises Unreadable."""
    payload = load_json(body)
    if not isinstance(payload, dict):
        raise Unreadable("it is no JSON object")
    return payload


def text_at(payload: Json, name: str) -> str:
    """A text that must be there. Raises Unreadable."""
    value = payload.get(name)
    if not isinstance(value, str) or not value:
        raise Unreadable(f"`{name}` is missing or no text")
    return value


def understanding(queue: str | None) -> Understand:
    """What turns an item into events, for one account."""

    def understand(raw: RawItem, frame: Frame) -> Sequence[InteractionEvent]:
        payload = load(raw.body)
        kind = text_at(payload, "type")
        make = EVENT_TYPES.get(kind)
        if make is None:
            raise NotForUs(f"events of the type {kind[:60]} are not used")
        if payload.get("from_us") is True:
            raise NotForUs("own echo")
        return [make(payload, frame, queue)]

    return understand


def _received(payload: Json, frame: Frame, queue: str | None) -> InteractionEvent:
    text = text_at(payload, "text")
    return InteractionReceived(
        **_shared(payload, frame),
        kind=Kind.MESSAGE,
        external_id=_named(text_at(payload, "message")),
        participants=(_author(payload, Role.FROM),),
        content=Content(text=text, text_new=text),
        queue_hint=queue,
        may_change=True,
    )


def _edited(payload: Json, frame: Frame, queue: str | None) -> InteractionEvent:
    text = text_at(payload, "text")
    return InteractionEdited(**_change(payload, frame), content=Content(text=text, text_new=text))


def _deleted(payload: Json, frame: Frame, queue: str | None) -> InteractionEvent:
    return InteractionDeleted(**_change(payload, frame))


def _reaction(payload: Json, frame: Frame, queue: str | None) -> InteractionEvent:
    return InteractionReaction(**_change(payload, frame), reaction=text_at(payload, "emoji"))


EVENT_TYPES: Mapping[str, Callable[[Json, Frame, str | None], InteractionEvent]] = {
    "message": _received,
    "edited": _edited,
    "deleted": _deleted,
    "reaction": _reaction,
}
"""The vendor's type -> what it becomes. Also the list of what is supported."""


def _shared(payload: Json, frame: Frame) -> dict[str, Any]:
    return frame.fields(_named(text_at(payload, "conversation")), _moment(payload))


def _change(payload: Json, frame: Frame) -> dict[str, Any]:
    return {
        **_shared(payload, frame),
        "external_id": _named(text_at(payload, "id")),
        "target": _named(text_at(payload, "message")),
        "author": _author(payload, Role.FROM),
    }


def _author(payload: Json, role: Role) -> Participant:
    """The channel proves who wrote: it is `verified`."""
    name = payload.get("name")
    return Participant(
        role=role,
        scheme=CHANNEL,
        value=text_at(payload, "author"),
        name=name[:200] if isinstance(name, str) else "",
        verified=True,
    )


def _moment(payload: Json) -> datetime:
    """The vendor's clock: seconds since 1970."""
    seconds = payload.get("at")
    if not isinstance(seconds, int | float) or not 0 < seconds < 4_000_000_000:
        raise Unreadable("`at` is no time in seconds since 1970")
    return datetime.fromtimestamp(seconds, UTC)


def _named(name: str) -> str:
    """A name that is told apart from those of other channels."""
    return f"{CHANNEL}:{name[:200]}"
