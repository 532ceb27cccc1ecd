"""Who writes: handles as they are seen, and the links between them. Links are facts with evidence; nothing is destroyed."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from schemas.documents import Handle, Link
from schemas.errors import Invalid
from schemas.events import Actor
from schemas.identity import (
    ConsentGiven,
    Evidence,
    HandleDescribed,
    HandleSeen,
    HandlesLinked,
    HandlesUnlinked,
    IdentityEvent,
)
from schemas.interactions import InteractionReceived, Participant
from schemas.sentences import said

MOST_LINKS = 100
HandleId = Callable[[str, str], UUID]
"""(scheme, value) -> id of the handle; bound to the installation's secret."""

TYPED = "-typed"


def seen(handle: UUID, sender: Participant, channel: str, at: datetime) -> tuple[Handle, HandleSeen]:
    """A handle that writes for the first time."""
    document = Handle.model_construct(
        id=handle, scheme=sender.scheme, value=sender.value, name=sender.name, first_seen_at=at
    )
    event = HandleSeen.model_construct(
        handle=handle, scheme=sender.scheme, value=sender.value, name=sender.name, channel=channel
    )
    return document, event


def consents(handle: UUID, interaction: UUID, received: InteractionReceived) -> list[ConsentGiven]:
    if received.form is None:
        return []
    return [
        ConsentGiven.model_construct(
            handle=handle, consent=name, text_version=version, interaction=interaction
        )
        for name, version in received.form.consent.items()
    ]


def proves(typed: Handle, sender: Participant) -> bool:
    """Whether an answer from `sender`, carrying a token that we sent to the typed address, proves that address."""
    return typed.scheme == sender.scheme + TYPED and typed.value == sender.value


def are_linked(first: Handle, second: Handle) -> bool:
    """Whether a link joins the two directly."""
    return any(link.other == second.id for link in first.links)


def linked(
    first: Handle, second: Handle, evidence: Evidence, actor: Actor, at: datetime
) -> tuple[Handle, Handle, HandlesLinked]:
    """Both handles with the link between them, and the event. Raises Invalid when they are linked or have too many."""
    if first.id == second.id:
        raise Invalid("a handle cannot be linked to itself", {"second": "name another handle"})
    if are_linked(first, second):
        raise Invalid("the two handles are linked already")
    for handle in (first, second):
        if len(handle.links) >= MOST_LINKS:
            raise Invalid(
                said(
                    "a handle has at most {n} links; unlink one of {value} first",
                    n=MOST_LINKS,
                    value=handle.value,
                )
            )
    event = HandlesLinked(first=first.id, second=second.id, evidence=evidence, actor=actor)
    return (
        _with_link(first, second.id, evidence, actor, at),
        _with_link(second, first.id, evidence, actor, at),
        event,
    )


def unlinked(
    first: Handle, second: Handle, evidence: Evidence, actor: Actor
) -> tuple[Handle, Handle, HandlesUnlinked]:
    """Both handles without the link, and the event. Raises Invalid when there is none."""
    if not are_linked(first, second):
        raise Invalid(
            "the two handles are not linked with each other", {"second": "see the links of the first"}
        )
    event = HandlesUnlinked(first=first.id, second=second.id, evidence=evidence, actor=actor)
    return _without_link(first, second.id), _without_link(second, first.id), event


def kept_apart(
    first: Handle, second: Handle, evidence: Evidence, actor: Actor
) -> tuple[Handle, Handle, HandlesUnlinked]:
    """Two that are no longer taken for one person, though nobody linked them. Raises Invalid when they are linked."""
    if first.id == second.id or are_linked(first, second):
        raise Invalid("the two handles are one person", {"second": "unlink them"})
    event = HandlesUnlinked(first=first.id, second=second.id, evidence=evidence, actor=actor)
    return _without_link(first, second.id), _without_link(second, first.id), event


def are_apart(first: Handle, second: Handle) -> bool:
    """Whether somebody said that the two are not one person, and nobody linked them since."""
    return second.id in first.apart or first.id in second.apart


def _with_link(handle: Handle, other: UUID, evidence: Evidence, actor: Actor, at: datetime) -> Handle:
    link = Link(other=other, evidence=evidence, actor=actor, since=at)
    apart = tuple(each for each in handle.apart if each != other)
    return handle.model_copy(update={"links": (*handle.links, link), "apart": apart})


def _without_link(handle: Handle, other: UUID) -> Handle:
    links = tuple(link for link in handle.links if link.other != other)
    apart = (*(each for each in handle.apart if each != other), other)[-MOST_LINKS:]
    return handle.model_copy(update={"links": links, "apart": apart})


def key_of(event: IdentityEvent) -> UUID:
    """The handle that orders an identity event."""
    if isinstance(event, HandlesLinked | HandlesUnlinked):
        return event.first
    if isinstance(event, HandleSeen | HandleDescribed | ConsentGiven):
        return event.handle
    raise TypeError(f"{event.type} names no handle")
