"""What happened to a message after it was written: edited, deleted, reacted to.

Message and change commute: a change that is known first is kept, and told when its message comes. Each change is ordered by
the source's clock, so that two edits in the wrong order end as in the right one.
"""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from processors.cases.work import Nothing, Work
from schemas.case_messages import CaseMessageDeleted, CaseMessageEdited, CaseMessageReacted, MessageChanged
from schemas.documents import Case
from schemas.events import Actor
from schemas.interactions import (
    InteractionChange,
    InteractionDeleted,
    InteractionEdited,
    InteractionReaction,
    Participant,
)
from schemas.message_changes import Edit, MessageChanges, Reaction, Way, changes_id
from schemas.outbound import ChangeKind

MOST_EDITS = 10
MOST_REACTIONS = 100


class Kept(Nothing):
    """Nothing follows now, but what was put stays."""


def change(work: Work, data: InteractionChange) -> None:
    """Note the change, and tell the case of the message. Raises Kept where the message has not come, or a later change has."""
    known = work.get(MessageChanges, changes_id(data.target)) or nothing_yet(work, data.target)
    actor = _ours(known, data) or _actor(work, data.author, data.channel)
    after, is_news = APPLY[type(data)](known, data, actor)
    work.put(after)
    if after.case is None:
        raise Kept("its message has not come yet")
    if not is_news:
        raise Kept("a later change is known already")
    case = work.case(after.case)
    if case is None:
        raise Kept(f"the case {after.case} is not there")
    work.emit(case, TELL[type(data)](after, data, actor, case.id))


def settle(work: Work, external_id: str, case: Case, entry: UUID | None, way: Way) -> Case:
    """A message is in its case: note where, and tell what was known of it before it came. Returns the case after that."""
    known = work.get(MessageChanges, changes_id(external_id)) or nothing_yet(work, external_id)
    if known.case is not None:
        return case
    work.put(known.model_copy(update={"case": case.id, "entry": entry, "way": way}))
    base: dict[str, Any] = {"external_id": external_id, "entry": entry}
    if known.edits:
        last = known.edits[-1]
        said: dict[str, Any] = {"text": last.content.text, "subject": last.content.subject}
        case = work.emit(case, CaseMessageEdited(case=case.id, actor=last.by, **said, **base))
    for each in known.reactions:
        if each.added:
            reacted = CaseMessageReacted(case=case.id, actor=each.by, emoji=each.emoji, **base)
            case = work.emit(case, reacted)
    if known.deleted_by is not None:
        deleted = CaseMessageDeleted(case=case.id, actor=known.deleted_by, withheld=known.withheld, **base)
        case = work.emit(case, deleted)
    return case


def nothing_yet(work: Work, external_id: str) -> MessageChanges:
    """What is known of a message of which nothing was heard."""
    return MessageChanges(id=changes_id(external_id), external_id=external_id, noted_at=work.facts.now)


def _ours(known: MessageChanges, data: InteractionChange) -> Actor | None:
    """Who of us asked for it: the channel may tell of a deletion, without saying by whom, before it answers us."""
    asked = known.asked
    is_it = asked is not None and asked.kind is ChangeKind.DELETE and isinstance(data, InteractionDeleted)
    return asked.by if asked is not None and is_it and data.author is None else None


def _actor(work: Work, author: Participant | None, channel: str) -> Actor:
    if author is None:
        return Actor(kind="system", id=channel, name=channel)
    handle = work.facts.handle_id(author.scheme, author.value)
    return Actor(kind="customer", id=str(handle), name=author.name or author.value)


Applied = tuple[MessageChanges, bool]
"""What is known now, and whether it shows."""


def _edited(known: MessageChanges, data: InteractionEdited, by: Actor) -> Applied:
    if any((each.at, each.content) == (data.occurred_at, data.content) for each in known.edits):
        return known, False
    edit = Edit(at=data.occurred_at, by=by, content=data.content, attachments=data.attachments)
    edits = sorted((*known.edits, edit), key=lambda each: each.at)
    is_news = edits[-1] is edit and known.deleted_at is None
    return known.model_copy(update={"edits": bounded(edits)}), is_news


def bounded(edits: Sequence[Edit]) -> tuple[Edit, ...]:
    """The first one and the last ones."""
    return tuple(edits) if len(edits) <= MOST_EDITS else (edits[0], *edits[1 - MOST_EDITS :])


def _deleted(known: MessageChanges, data: InteractionDeleted, by: Actor) -> Applied:
    if known.deleted_at is not None:
        return known.model_copy(update={"withheld": known.withheld or data.withheld}), False
    update = {"deleted_at": data.occurred_at, "deleted_by": by, "withheld": data.withheld}
    return known.model_copy(update=update), True


def _reacted(known: MessageChanges, data: InteractionReaction, by: Actor) -> Applied:
    """Who took a mark away is remembered as well, so that an older addition that comes late does not bring it back."""
    reaction = Reaction(emoji=data.reaction, by=by, at=data.occurred_at, added=not data.removed)
    others = [each for each in known.reactions if (each.emoji, each.by.id) != (reaction.emoji, by.id)]
    before = next((each for each in known.reactions if each not in others), None)
    if before is not None and before.at > reaction.at:
        return known, False
    is_news = reaction.added != (before.added if before else False)
    reactions = (*others, reaction)[-MOST_REACTIONS:]
    return known.model_copy(update={"reactions": reactions}), is_news


def _tell_edited(after: MessageChanges, data: InteractionEdited, by: Actor, case: UUID) -> MessageChanged:
    return CaseMessageEdited(
        case=case,
        actor=by,
        external_id=data.target,
        entry=after.entry,
        text=data.content.text,
        subject=data.content.subject,
    )


def _tell_deleted(after: MessageChanges, data: InteractionDeleted, by: Actor, case: UUID) -> MessageChanged:
    return CaseMessageDeleted(
        case=case, actor=by, external_id=data.target, entry=after.entry, withheld=after.withheld
    )


def _tell_reacted(after: MessageChanges, data: InteractionReaction, by: Actor, case: UUID) -> MessageChanged:
    return CaseMessageReacted(
        case=case,
        actor=by,
        external_id=data.target,
        entry=after.entry,
        emoji=data.reaction,
        added=not data.removed,
    )


APPLY: dict[type[InteractionChange], Callable[[MessageChanges, Any, Actor], Applied]] = {
    InteractionEdited: _edited,
    InteractionDeleted: _deleted,
    InteractionReaction: _reacted,
}
TELL: dict[type[InteractionChange], Callable[[MessageChanges, Any, Actor, UUID], MessageChanged]] = {
    InteractionEdited: _tell_edited,
    InteractionDeleted: _tell_deleted,
    InteractionReaction: _tell_reacted,
}
