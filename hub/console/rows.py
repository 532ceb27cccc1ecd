"""A case as one row of a list: who, what, since when, how urgent, whose."""

from dataclasses import dataclass
from uuid import UUID

from hub.channels import channels
from hub.console.faces import Face, Faces
from hub.console.places import Place
from hub.console.words import Moment, Words
from schemas.cases import CaseState
from schemas.configuration import Priority
from schemas.documents import Case

CHANNEL_ICONS = {
    "email": "mail",
    "webform": "file-text",
    "webhook": "webhook",
    "webhook_in": "webhook",
    "slack": "hash",
    "x": "at-sign",
}
TAGS_SHOWN = 2
CLOSED = frozenset({CaseState.RESOLVED, CaseState.SPAM, CaseState.MERGED})
MARKED = frozenset({Priority.HIGH, Priority.URGENT})


@dataclass(frozen=True, slots=True)
class Row:
    id: UUID
    number: str
    url: str
    revision: int
    name: str
    subject: str
    channel: str
    channel_icon: str
    when: Moment
    late: bool
    waiting: bool
    closed: bool
    tags: tuple[str, ...]
    more_tags: int
    priority: str
    assignee: Face | None


def channel_icon(channel: str) -> str:
    return CHANNEL_ICONS.get(channel, "message-square")


def channel_name(words: Words, channel: str) -> str:
    """In the words of the console; a channel that it has none for goes by its own title."""
    known = channels().get(channel)
    return words.t.either(
        f"channel.{channel}", known.title if known is not None else words.t("channel.other")
    )


def row(case: Case, words: Words, faces: Faces, place: Place) -> Row:
    when, late = urgency(case, words)
    return Row(
        id=case.id,
        number=case.number,
        url=place.case_url(case.number),
        revision=case.revision,
        name=faces.customer(case.handle) or case.number,
        subject=case.subject or words.t("list.no-subject"),
        channel=channel_name(words, case.channel),
        channel_icon=channel_icon(case.channel),
        when=when,
        late=late,
        waiting=case.state is CaseState.OPEN and case.waiting_since is not None,
        closed=case.state in CLOSED,
        tags=case.tags[:TAGS_SHOWN],
        more_tags=max(0, len(case.tags) - TAGS_SHOWN),
        priority=words.t(f"priority.{case.priority}") if case.priority in MARKED else "",
        assignee=faces.agent(case.assignee),
    )


def is_late(case: Case, words: Words) -> bool:
    return case.due_at is not None and case.due_at <= words.now and case.state not in CLOSED


def urgency(case: Case, words: Words) -> tuple[Moment, bool]:
    """The one time that a row shows: how late it is, else when it comes back, else since when it waits or rests."""
    if case.due_at is not None and is_late(case, words):
        return words.due(case.due_at), True
    if case.state is CaseState.SNOOZED and case.snoozed_until is not None:
        return words.when(case.snoozed_until), False
    return words.age(case.waiting_since or case.updated_at), False
