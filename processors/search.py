"""What a case is found by: number, names and handles, words of subject and text."""

from collections.abc import Sequence

from schemas.case_messages import CaseMessageDeleted, CaseMessageEdited, MessageChanged
from schemas.cases import CaseEvent
from schemas.documents import Entry, EntryKind
from schemas.events import Event
from schemas.steps import SearchText

FOUND_BY = (EntryKind.MESSAGE, EntryKind.REPLY, EntryKind.NOTE)
MOST_TEXT = 20_000


def search_texts(events: Sequence[tuple[Event, Entry]]) -> list[SearchText]:
    """One text a message, reply or note. Written again, it is the same: it is known by its entry.

    What changed a message comes with the entry of that message, which stays as it was: it is found by what it says now, and
    not again by what it said before when somebody reacts to it or hides it.
    """
    return [
        _text(event.data, entry)
        for event, entry in events
        if entry.kind in FOUND_BY and isinstance(event.data, CaseEvent) and _says(event.data)
    ]


def _says(data: CaseEvent) -> bool:
    """Whether the event settles what the message of its entry says."""
    if isinstance(data, CaseMessageDeleted):
        return data.withheld
    return isinstance(data, CaseMessageEdited) or not isinstance(data, MessageChanged)


def _text(data: CaseEvent, entry: Entry) -> SearchText:
    text = entry.text or entry.text_new
    subject = entry.subject
    if isinstance(data, CaseMessageEdited):
        text, subject = data.text, ""
    elif isinstance(data, CaseMessageDeleted) and data.withheld:
        text, subject = "", ""
    people = {each.name for each in entry.participants} | {each.value for each in entry.participants}
    return SearchText(
        entry=entry.id,
        case=entry.case,
        number=data.after.number if data.after else "",
        names=" ".join(sorted(each for each in people if each)),
        subject=subject,
        text=text[:MOST_TEXT],
        occurred_at=entry.occurred_at,
    )
