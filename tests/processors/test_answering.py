"""The cases decider: answers, now or later, by people and automations, and what becomes of them."""

from datetime import timedelta

import pytest

from processors.cases.wording import Written, worded
from schemas.capabilities import Capabilities
from schemas.case_messages import CaseReplied, CaseReplyCancelled
from schemas.cases import CaseState
from schemas.commands import (
    AnswerFromTemplate,
    CancelReply,
    MarkSpam,
    MergeCase,
    ReplyToCase,
    TimerDue,
)
from schemas.documents import Case
from schemas.ids import item_id
from schemas.interactions import (
    InteractionBounced,
    Kind,
    Part,
    Participant,
    Role,
)
from schemas.outbound import DeliverySent, DeliveryState, OutboundQueued
from schemas.steps import OutcomeKind
from tests.processors.world import AGENT, NOW, RULE, World, event_of, mail, opened


def test_a_reply_goes_out_in_the_thread_and_takes_the_case() -> None:
    world = World()
    case = opened(world)
    world.do(ReplyToCase(case=case.id, actor=AGENT, text="Here it is."))
    (sent,) = world.told(OutboundQueued)
    assert sent.message.in_reply_to == "mail:a"
    assert sent.message.recipients[0].value == "ann@example.com"
    assert sent.message.subject == f"Re: Invoice 7 [#{case.number}]"
    after = world.case()
    assert (after.state, after.assignee, after.due_at, after.waiting_since) == (
        CaseState.WAITING,
        "mia",
        None,
        None,
    )
    assert world.entries[sent.message.message].delivery is DeliveryState.QUEUED


def test_a_reply_for_later_waits_for_its_timer_and_can_be_cancelled() -> None:
    world = World()
    case = opened(world)
    later = NOW + timedelta(seconds=10)
    world.do(ReplyToCase(case=case.id, actor=AGENT, text="One", send_at=later))
    world.do(ReplyToCase(case=case.id, actor=AGENT, text="Two", send_at=later))
    first, second = (each.message.message for each in world.case().pending)
    world.do(CancelReply(case=case.id, actor=AGENT, message=first))
    assert world.told(OutboundQueued) == []
    timers = [timer for timer in world.case().timers if timer.name.startswith("send:")]
    assert [timer.name for timer in timers] == [f"send:{second}"]
    world.now = later
    due = [TimerDue(case=case.id, actor=AGENT, timer=timer.name, due_at=timer.due_at) for timer in timers]
    results = world.do(*due, *due)
    assert [result.kind for result in results] == [None, OutcomeKind.IGNORED]
    assert [each.message.message for each in world.told(OutboundQueued)] == [second]


def test_automatic_answers_stop_at_the_daily_cap_and_never_answer_a_machine() -> None:
    world = World()
    case = opened(world)
    answers = [AnswerFromTemplate(case=case.id, actor=RULE, template="thanks") for _ in range(3)]
    results = world.do(*answers)
    assert [result.kind for result in results] == [None, None, OutcomeKind.IGNORED]
    assert case.number in world.told(OutboundQueued)[0].message.text
    robot = Participant(role=Role.FROM, scheme="email", value="robot@example.org")
    world.do(mail("r", sender=robot, kind=Kind.AUTO_REPLY, flags=("auto",)))
    other = next(each for each in world.cases() if each.id != case.id)
    (result,) = world.do(AnswerFromTemplate(case=other.id, actor=RULE, template="thanks"))
    assert result.kind is OutcomeKind.IGNORED
    assert "machine" in result.reason


def test_a_delivery_is_told_to_the_message_and_to_the_thread() -> None:
    world = World()
    case = opened(world)
    world.do(ReplyToCase(case=case.id, actor=AGENT, text="Here."))
    (sent,) = world.told(OutboundQueued)
    message = sent.message.message
    sent_event = event_of(
        DeliverySent(
            message=message,
            case=case.id,
            channel="email",
            account="support",
            external_id="mail:ours@example.com",
        )
    )
    _, results = world.decide(sent_event, sent_event)
    assert [result.kind for result in results] == [None, OutcomeKind.DUPLICATE]
    assert "mail:ours@example.com" in world.case().references


def test_a_bounce_marks_our_message() -> None:
    world = World()
    case = opened(world)
    world.do(ReplyToCase(case=case.id, actor=AGENT, text="Here."))
    message = world.told(OutboundQueued)[0].message.message
    bounce = InteractionBounced(
        **mail("x").model_dump(
            include={"channel", "account", "brand", "occurred_at", "received_at", "original"}
        ),
        part=Part(item=item_id("email", "support", "bounce")),
        conversation=f"case:{case.id}",
        external_id="mail:bounce",
        message=message,
        status="5.1.1",
        recipient="ann@example.com",
    )
    work, _ = world.decide(event_of(bounce))
    (change,) = work.step.changes
    assert (change.entry, change.delivery) == (message, DeliveryState.BOUNCED)


def test_an_answer_for_later_leaves_although_its_case_was_merged() -> None:
    world = World()
    world.do(mail("a"), mail("b"))
    first, second = world.cases()
    later = NOW + timedelta(hours=1)
    world.do(ReplyToCase(case=second.id, actor=AGENT, text="Tomorrow.", send_at=later))
    world.do(MergeCase(case=second.id, actor=AGENT, into=first.id))
    target = world.documents[first.id]
    assert isinstance(target, Case)
    timer = next(each for each in target.timers if each.name.startswith("send:"))
    world.now = later
    world.do(TimerDue(case=first.id, actor=AGENT, timer=timer.name, due_at=timer.due_at))
    (sent,) = world.told(OutboundQueued)
    assert (sent.message.text, sent.message.case) == ("Tomorrow.", first.id)
    assert len(world.told(CaseReplyCancelled)) == 1


def test_spam_gets_no_answer_that_was_to_leave_later_and_says_so() -> None:
    world = World()
    case = opened(world)
    world.do(ReplyToCase(case=case.id, actor=AGENT, text="Tomorrow.", send_at=NOW + timedelta(hours=1)))
    world.do(MarkSpam(case=case.id, actor=AGENT))
    (cancelled,) = world.told(CaseReplyCancelled)
    (replied,) = world.told(CaseReplied)
    assert cancelled.message == replied.message.message
    assert (world.case().pending, world.case().timers) == ((), ())


@pytest.mark.parametrize("text", ["Hello", "\n\nHello \n", ""])
def test_how_much_of_an_answer_its_author_wrote_is_counted_without_the_lines_around_it(text: str) -> None:
    says = worded(Capabilities(reply=True), Written(text), "Mia")
    assert (says.text[: says.written], says.text[says.written :].strip()) == (text.strip(), "-- \nMia")
