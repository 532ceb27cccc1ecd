"""An answer that was sent is edited or taken back: asked for once at a time, shown once the channel did it."""

from typing import Any
from uuid import UUID

import pytest

from processors.cases.work import Facts
from processors.search import search_texts
from schemas.capabilities import Capabilities
from schemas.case_messages import (
    CaseChangeAsked,
    CaseDelivery,
    CaseMessageDeleted,
    CaseMessageEdited,
    CaseMessageHidden,
)
from schemas.commands import DeleteReply, EditReply, HideMessage, ReplyToCase, SettleDelivery
from schemas.documents import Delivery, Entry
from schemas.errors import Invalid, Stale, Unknown
from schemas.events import Event, Payload
from schemas.ids import derive
from schemas.interactions import InteractionDeleted
from schemas.message_changes import MessageChanges, changes_id
from schemas.outbound import (
    ChangeKind,
    DeliveryFailed,
    DeliverySent,
    DeliveryState,
    DeliveryUnknown,
    OutboundMessage,
    OutboundQueued,
)
from tests.processors.test_changes import MESSAGE, change, message
from tests.processors.world import AGENT, NOW, World, event_of

ABLE = Capabilities(reply=True, edit=True, delete=True, longest=20, splits=True)
OURS = "slack:T1:C1:100.9"
HIDING = ABLE.model_copy(update={"hide": True})
PARTS = ("slack:T1:C1:100.8", OURS)


class Chat(World):
    """A case with an answer that the channel took, in two parts."""

    def __init__(self, able: Capabilities = ABLE) -> None:
        super().__init__()
        self.able = able
        self.decide(message())
        (results,) = [self.do(ReplyToCase(case=self.case().id, actor=AGENT, text="It is on its way"))]
        assert results[0].error is None
        self.answer = self.queued()[-1]
        self.became(self.answer, DeliverySent, external_id=OURS, may_change=True, parts=PARTS)

    def facts(self, refuse: bool = False) -> Facts:
        facts = super().facts(refuse)
        return Facts(**{**facts.__dict__, "capabilities": {"slack:acme": self.able}})

    def queued(self) -> list[OutboundMessage]:
        return [each.message for each in self.told(OutboundQueued)]

    def became(self, sent: OutboundMessage, kind: type[Payload], **more: Any) -> None:
        """As the dispatcher says it: the delivery's state, and the event."""
        state = {DeliverySent: "sent", DeliveryFailed: "failed", DeliveryUnknown: "unknown"}[kind]
        known = self.documents.get(sent.message)
        delivery = Delivery(
            id=sent.message,
            revision=(known.revision if known else 0) + 1,
            message=sent,
            state=DeliveryState(state),
            next_attempt_at=NOW,
            changed_at=NOW,
            external_id=more.get("external_id", ""),
            parts=more.get("parts", ()),
        )
        self.documents[delivery.id] = delivery
        base = {"message": sent.message, "case": sent.case, "channel": "slack", "account": "acme"}
        data = kind.model_validate({**base, "change": sent.change, **more})
        id = derive("delivery", str(sent.message), state)
        self.decide(Event(id, sent.conversation, NOW, data, "/sinks/slack/acme", id))

    def ask(self, kind: type[EditReply] | type[DeleteReply], of: UUID | None = None, **more: Any) -> Any:
        asked = kind(case=self.case().id, actor=AGENT, message=of or self.answer.message, **more)
        return self.do(asked, refuse=True)[0].error

    def changes(self) -> MessageChanges:
        found = self.documents[changes_id(OURS)]
        assert isinstance(found, MessageChanges)
        return found


def test_an_edit_leaves_as_a_message_of_its_own_and_counts_once_the_channel_did_it() -> None:
    chat = Chat()
    assert chat.ask(EditReply, text="It arrives today") is None
    asked = chat.queued()[-1]
    assert asked.change is not None
    assert (asked.change.kind, asked.change.message, asked.change.parts) == (
        ChangeKind.EDIT,
        chat.answer.message,
        PARTS,
    )
    assert asked.text == "It arrives today" and asked.conversation == chat.answer.conversation
    assert not chat.changes().edits and chat.told(CaseChangeAsked)
    chat.became(asked, DeliverySent, external_id=OURS)
    (edited,) = chat.told(CaseMessageEdited)
    assert (edited.text, edited.actor, edited.entry) == ("It arrives today", AGENT, chat.answer.message)
    assert chat.changes().edits[-1].content.text == "It arrives today" and chat.changes().asked is None
    (text,) = search_texts([(event_of(edited), chat.entries[chat.answer.message])])
    assert text.text == "It arrives today"


def test_an_answer_that_was_taken_back_is_told_to_be_deleted_by_who_asked_for_it() -> None:
    chat = Chat()
    assert chat.ask(DeleteReply) is None
    chat.became(chat.queued()[-1], DeliverySent, external_id=OURS)
    (deleted,) = chat.told(CaseMessageDeleted)
    assert deleted.actor == AGENT and chat.changes().deleted_at is not None
    assert isinstance(chat.ask(DeleteReply), Stale)
    assert isinstance(chat.ask(EditReply, text="again"), Stale)


def test_a_channel_that_tells_of_the_deletion_before_it_answers_us_does_not_make_it_somebody_elses() -> None:
    chat = Chat()
    chat.ask(DeleteReply)
    chat.decide(change(InteractionDeleted, "d1", 5, target=OURS, author=None))
    chat.became(chat.queued()[-1], DeliverySent, external_id=OURS)
    (deleted,) = chat.told(CaseMessageDeleted)
    assert deleted.actor == AGENT and chat.changes().asked is None


def test_a_change_that_failed_leaves_the_answer_as_it_was_and_may_be_asked_for_again() -> None:
    chat = Chat()
    chat.ask(EditReply, text="It arrives today")
    chat.became(chat.queued()[-1], DeliveryFailed, reason="too late")
    told = chat.told(CaseDelivery)[-1]
    assert (told.state, told.change) == (DeliveryState.FAILED, ChangeKind.EDIT)
    assert not chat.changes().edits and chat.ask(EditReply, text="It arrives today") is None


def test_while_it_is_unknown_whether_one_was_done_no_other_is_asked_for() -> None:
    chat = Chat()
    chat.ask(EditReply, text="It arrives today")
    first = chat.queued()[-1]
    chat.became(first, DeliveryUnknown, reason="no answer")
    assert isinstance(chat.ask(EditReply, text="No, tomorrow"), Stale)
    settle = SettleDelivery(case=chat.case().id, actor=AGENT, message=first.message, state=DeliveryState.SENT)
    assert chat.do(settle, refuse=True)[0].error is None
    assert chat.changes().edits[-1].content.text == "It arrives today"
    assert chat.ask(EditReply, text="No, tomorrow") is None


def test_a_case_is_the_fold_of_its_events_and_each_change_has_a_line_that_tells_its_state() -> None:
    chat = Chat()
    chat.ask(DeleteReply)
    asked = chat.queued()[-1]
    entry: Entry = chat.entries[asked.message]
    assert entry.step == "change-asked" and entry.delivery is DeliveryState.QUEUED
    assert entry.detail == {"kind": "delete", "of": str(chat.answer.message)}


@pytest.mark.parametrize("able", [Capabilities(reply=True), Capabilities(reply=True, edit=True)])
def test_a_channel_that_does_not_offer_it_is_never_asked(able: Capabilities) -> None:
    chat = Chat(able)
    before = len(chat.queued())
    refused = chat.ask(DeleteReply) if able.edit else chat.ask(EditReply, text="other words")
    assert isinstance(refused, Invalid) and len(chat.queued()) == before


def test_an_edit_is_one_message_also_where_long_answers_are_split() -> None:
    assert isinstance(Chat().ask(EditReply, text="x" * 21), Invalid)


def test_only_an_answer_of_this_case_that_was_sent_can_be_changed() -> None:
    chat = Chat()
    assert isinstance(chat.ask(DeleteReply, of=derive("nobody's")), Unknown)
    chat.ask(EditReply, text="It arrives today")
    assert isinstance(chat.ask(DeleteReply, of=chat.queued()[-1].message), Unknown)
    chat.do(ReplyToCase(case=chat.case().id, actor=AGENT, text="Another"))
    waiting = chat.queued()[-1]
    chat.documents[waiting.message] = Delivery(
        id=waiting.message, revision=1, message=waiting, next_attempt_at=NOW, changed_at=NOW
    )
    assert isinstance(chat.ask(DeleteReply, of=waiting.message), Stale)


def test_the_same_words_again_are_no_edit() -> None:
    assert isinstance(Chat().ask(EditReply, text="It is on its way"), Stale)


# -- what a customer wrote is hidden ------------------------------------------------------------------------------------


class Public(Chat):
    """A public thread with a message of a customer's."""

    def __init__(self, able: Capabilities = HIDING) -> None:
        super().__init__(able)

    def hide(self, of: str = MESSAGE, hidden: bool = True) -> Any:
        asked = HideMessage(case=self.case().id, actor=AGENT, external_id=of, hidden=hidden)
        return self.do(asked, refuse=True)[0].error

    def theirs(self) -> MessageChanges:
        found = self.documents[changes_id(MESSAGE)]
        assert isinstance(found, MessageChanges)
        return found


def test_a_message_is_hidden_once_the_channel_did_it_and_shown_again() -> None:
    chat = Public()
    assert chat.hide() is None and chat.theirs().hidden_at is None
    asked = chat.queued()[-1]
    assert asked.change is not None and (asked.change.kind, asked.change.external_id) == (
        ChangeKind.HIDE,
        MESSAGE,
    )
    chat.became(asked, DeliverySent, external_id=MESSAGE)
    (hidden,) = chat.told(CaseMessageHidden)
    assert (hidden.hidden, hidden.actor, hidden.entry) == (True, AGENT, chat.theirs().entry)
    assert (chat.theirs().hidden_at, chat.theirs().hidden_by, chat.theirs().asked) == (NOW, AGENT, None)
    assert isinstance(chat.hide(), Stale), "it is hidden already"
    assert chat.hide(hidden=False) is None
    chat.became(chat.queued()[-1], DeliverySent, external_id=MESSAGE)
    assert chat.theirs().hidden_at is None and not chat.told(CaseMessageHidden)[-1].hidden


def test_what_the_channel_refuses_to_hide_stays_seen_and_may_be_tried_again() -> None:
    chat = Public()
    chat.hide()
    assert isinstance(chat.hide(), Stale), "one at a time"
    chat.became(chat.queued()[-1], DeliveryFailed, reason="the conversation is not ours")
    assert chat.theirs().hidden_at is None and chat.hide() is None


def test_only_a_message_of_this_case_is_hidden_and_only_where_the_channel_can() -> None:
    assert isinstance(Public().hide(of="slack:T1:C1:1.1"), Unknown)
    assert isinstance(Public(ABLE).hide(), Invalid)
    gone = Public()
    gone.decide(change(InteractionDeleted, "d1", 5))
    assert isinstance(gone.hide(), Stale)
