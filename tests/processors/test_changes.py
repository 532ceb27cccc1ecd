"""Edits, deletions and reactions: whichever comes first, they end in the message's case, once."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from processors.search import search_texts
from schemas.case_messages import CaseMessageDeleted, CaseMessageEdited, CaseMessageReacted
from schemas.documents import Case, EntryKind
from schemas.events import Event
from schemas.ids import item_id, part_id
from schemas.interactions import (
    BlobRef,
    Content,
    InteractionChange,
    InteractionDeleted,
    InteractionEdited,
    InteractionEvent,
    InteractionReaction,
    InteractionReceived,
    Kind,
    Part,
    Participant,
    Role,
)
from schemas.message_changes import MessageChanges, changes_id
from schemas.outbound import DeliverySent
from schemas.steps import OutcomeKind
from tests.processors.world import NOW, World

ANN = Participant(role=Role.FROM, scheme="slack", value="T1/U1", name="Ann", verified=True)
MODERATOR = Participant(role=Role.FROM, scheme="slack", value="T1/U9", name="Mo")
MESSAGE = "slack:T1:C1:100.1"


def event(data: InteractionEvent) -> Event:
    id = part_id(data.part.item, 0)
    return Event(id, data.conversation, data.received_at, data, "/connectors/slack/acme", id)


def shared(name: str, seconds: int, conversation: str = MESSAGE) -> dict[str, Any]:
    at = NOW + timedelta(seconds=seconds)
    return {
        "part": Part(item=item_id("slack", "acme", name)),
        "channel": "slack",
        "account": "acme",
        "brand": "default",
        "conversation": conversation,
        "occurred_at": at,
        "received_at": at,
        "original": BlobRef(sha256="0" * 64, size=1),
    }


def message(name: str = "m", seconds: int = 0, sender: Participant = ANN, **more: Any) -> Event:
    given = {"external_id": MESSAGE, "content": Content(text="the first text"), **more}
    return event(
        InteractionReceived(
            **shared(name, seconds),
            kind=Kind.MESSAGE,
            participants=(sender,),
            may_change=True,
            thread_is_proven=True,
            **given,
        )
    )


def change(kind: type[InteractionChange], name: str, seconds: int, **more: Any) -> Event:
    given = {"target": MESSAGE, "author": ANN, **more}
    return event(kind(**shared(name, seconds, MESSAGE), external_id=f"slack:event:{name}", **given))


def edit(name: str, seconds: int, text: str) -> Event:
    return change(InteractionEdited, name, seconds, content=Content(text=text))


def known(world: World) -> MessageChanges:
    found = world.documents[changes_id(MESSAGE)]
    assert isinstance(found, MessageChanges)
    return found


def told(world: World, kind: type[Any]) -> list[Any]:
    return [each.data for each in world.log if isinstance(each.data, kind)]


def inputs() -> list[Event]:
    return [
        message(),
        edit("e1", 10, "the second text"),
        edit("e2", 20, "the third text"),
        change(InteractionReaction, "r1", 30, reaction="👍"),
        change(InteractionDeleted, "d1", 40, author=MODERATOR),
    ]


@pytest.mark.parametrize("order", list(permutations(range(5)))[::7])
@pytest.mark.parametrize("together", [True, False])
def test_message_and_changes_end_alike_in_any_order(order: tuple[int, ...], together: bool) -> None:
    world, events = World(), inputs()
    ordered = [events[each] for each in order]
    for batch in [ordered] if together else [[each] for each in ordered]:
        world.decide(*batch)
    changes = known(world)
    assert [each.content.text for each in changes.edits] == ["the second text", "the third text"]
    assert [(each.emoji, each.added) for each in changes.reactions] == [("👍", True)]
    assert changes.deleted_by is not None and changes.deleted_by.name == "Mo"
    assert changes.entry == events[0].id
    assert len(told(world, CaseMessageDeleted)) == 1
    assert len(told(world, CaseMessageReacted)) == 1


def test_an_edit_is_told_to_the_case_and_leaves_a_line_in_its_timeline() -> None:
    world = World()
    first = message()
    world.decide(first)
    work, _ = world.decide(edit("e1", 10, "better"))
    (line,) = work.step.entries
    assert line.kind is EntryKind.STEP and line.step == "message-edited"
    assert line.detail["entry"] == str(first.id)
    assert told(world, CaseMessageEdited)[0].text == "better"


def test_a_change_before_its_message_is_kept_and_not_lost() -> None:
    world = World()
    _, (result,) = world.decide(edit("e1", 10, "better"))
    assert result.kind is OutcomeKind.IGNORED
    assert known(world).case is None
    world.decide(message())
    assert [each.text for each in told(world, CaseMessageEdited)] == ["better"]


def test_the_same_change_twice_is_told_once() -> None:
    world = World()
    world.decide(message())
    world.decide(edit("e1", 10, "better"))
    _, (again,) = world.decide(edit("e1", 10, "better"))
    assert again.kind is OutcomeKind.DUPLICATE
    _, (other_event,) = world.decide(edit("e1 by another way", 10, "better"))
    assert other_event.kind is OutcomeKind.IGNORED
    assert len(told(world, CaseMessageEdited)) == 1


def test_a_mark_taken_away_does_not_come_back_by_an_older_addition() -> None:
    world = World()
    world.decide(message())
    world.decide(change(InteractionReaction, "r2", 30, reaction="👍", removed=True))
    world.decide(change(InteractionReaction, "r1", 20, reaction="👍"))
    assert [each.added for each in known(world).reactions] == [False]
    assert told(world, CaseMessageReacted) == []


def test_somebody_new_in_a_thread_that_the_channel_vouches_for_joins_its_case() -> None:
    world = World()
    world.decide(message())
    world.decide(message("m2", 5, MODERATOR, external_id="slack:T1:C1:100.2"))
    assert len({each.case for each in world.entries.values()}) == 1


def test_a_reaction_to_our_own_answer_reaches_its_case() -> None:
    world = World()
    world.decide(message())
    case = next(iter(world.entries.values())).case
    ours = "slack:T1:C1:100.9"
    sent = DeliverySent(
        message=item_id("x", "y", "z"),
        case=case,
        channel="slack",
        account="acme",
        external_id=ours,
        may_change=True,
    )
    id = part_id(item_id("x", "y", "sent"), 0)
    reaction = change(InteractionReaction, "r1", 30, reaction="🎉", target=ours)
    world.decide(reaction)
    world.decide(Event(id, MESSAGE, NOW, sent, "/sinks/slack/acme", id))
    (reacted,) = told(world, CaseMessageReacted)
    assert (reacted.case, reacted.entry, reacted.emoji) == (case, sent.message, "🎉")


def test_a_message_is_found_by_what_it_says_now_and_not_at_all_when_it_is_withheld() -> None:
    world = World()
    first = message()
    world.decide(first)
    entry = world.entries[first.id]
    work, _ = world.decide(edit("e1", 10, "better words"))
    (told,) = [each for each in work.step.events if isinstance(each.data, CaseMessageEdited)]
    (text,) = search_texts([(told, entry)])
    assert (text.entry, text.text, text.subject) == (first.id, "better words", "")
    work, _ = world.decide(change(InteractionDeleted, "d1", 20, withheld=True))
    (told,) = [each for each in work.step.events if isinstance(each.data, CaseMessageDeleted)]
    (text,) = search_texts([(told, entry)])
    assert (text.entry, text.text) == (first.id, "")


def test_who_reacts_to_a_message_or_takes_it_back_brings_nothing_that_it_said_before_into_search() -> None:
    world = World()
    first = message()
    world.decide(first)
    world.decide(edit("e1", 10, "better words"))
    world.decide(change(InteractionReaction, "r1", 20, reaction="🎉"))
    world.decide(change(InteractionDeleted, "d1", 30))
    happened = [each for each in world.log if isinstance(each.data, CaseMessageReacted | CaseMessageDeleted)]
    assert len(happened) == 2
    assert search_texts([(each, world.entries[first.id]) for each in happened]) == []


def test_a_case_is_called_as_its_first_message_reads_and_by_nothing_when_that_is_withheld() -> None:
    world = World()
    world.decide(message(content=Content(subject="first words", text="first words")))
    case = next(iter(world.entries.values())).case

    def subject() -> str:
        found = world.documents[case]
        assert isinstance(found, Case)
        return found.subject

    world.decide(change(InteractionEdited, "e1", 10, content=Content(subject="better", text="better words")))
    assert subject() == "better"
    world.decide(change(InteractionDeleted, "d1", 20, withheld=True))
    assert subject() == ""
