"""Merged cases: where their mail, waiting customers, answers and deliveries are afterwards."""

import itertools
from datetime import timedelta
from uuid import UUID, uuid4

from processors.cases.evolve import evolve
from processors.identity import MOST_LINKS
from processors.timeline import change_of
from schemas.cases import CaseEvent, CaseState
from schemas.commands import (
    CancelReply,
    ClearSpam,
    MarkSpam,
    MergeCase,
    ReplyToCase,
    ResolveCase,
    SettleDelivery,
    SnoozeCase,
    TimerDue,
)
from schemas.documents import Case, Delivery, Handle, Link
from schemas.errors import Invalid
from schemas.events import Event
from schemas.identity import Evidence, HandlesLinked
from schemas.interactions import FormSubmission, InteractionReceived, Kind, Participant, Role
from schemas.outbound import DeliverySent, DeliveryState, DeliveryUnknown, OutboundQueued
from schemas.steps import EntryChange, OutcomeKind
from tests.processors.world import AGENT, BOB, NOW, World, event_of, mail, opened


def chain_of(world: World, count: int) -> list[Case]:
    """So many cases, each merged into the next."""
    world.do(*(mail(str(place)) for place in range(count)))
    cases = world.cases()
    for one, next_one in itertools.pairwise(cases):
        world.do(MergeCase(case=one.id, actor=AGENT, into=next_one.id))
    return [case_of(world, each.id) for each in cases]


def case_of(world: World, id: UUID) -> Case:
    case = world.documents[id]
    assert isinstance(case, Case)
    return case


def latest(world: World, entry: UUID) -> DeliveryState | None:
    """What an engine keeps of an entry: a change counts when its place is above that of the last one."""
    folded: dict[UUID, Case] = {}
    known: EntryChange | None = None
    for change in changes(world.log, folded):
        if change.entry == entry and (known is None or change.sequence > known.sequence):
            known = change
    return known.delivery if known else None


def changes(log: list[Event], folded: dict[UUID, Case]) -> list[EntryChange]:
    found = []
    for event in log:
        if isinstance(event.data, CaseEvent):
            case = folded[event.data.case] = evolve(
                folded.get(event.data.case), event.data, event.time, event.chain
            )
            change = change_of(event, case)
            if change is not None:
                found.append(change)
    return found


def told(world: World, message: UUID, case: UUID, kind: type[DeliverySent] | type[DeliveryUnknown]) -> None:
    more = {"external_id": "mail:x"} if kind is DeliverySent else {"reason": "lost"}
    data = kind.model_validate(
        {"message": message, "case": case, "channel": "email", "account": "support", **more}
    )
    world.decide(event_of(data))


def test_the_last_case_of_a_chain_knows_all_that_lead_to_it() -> None:
    world = World()
    *merged_ones, last = chain_of(world, 6)
    assert last.absorbed == tuple(each.id for each in merged_ones)
    world.do(mail("answer", parents=("mail:0",)))
    assert case_of(world, last.id).messages == 2


def test_a_merged_message_still_waits_for_its_answer() -> None:
    for close in (ResolveCase, SnoozeCase):
        world = World()
        world.do(mail("a"), mail("b"))
        first, second = world.cases()
        more = {"until": NOW + timedelta(days=9)} if close is SnoozeCase else {}
        world.do(close.model_validate({"case": first.id, "actor": AGENT, **more}))
        world.do(MergeCase(case=second.id, actor=AGENT, into=first.id))
        target = case_of(world, first.id)
        assert (target.state, target.waiting_since) == (CaseState.OPEN, NOW)
        assert target.due_at == second.due_at


def test_nothing_is_merged_into_spam() -> None:
    world = World()
    world.do(mail("a"), mail("b"))
    first, second = world.cases()
    world.do(MarkSpam(case=first.id, actor=AGENT))
    (result,) = world.do(MergeCase(case=second.id, actor=AGENT, into=first.id), refuse=True)
    assert isinstance(result.error, Invalid)
    assert case_of(world, second.id).state is CaseState.OPEN


def test_what_becomes_of_an_answer_after_the_merge_is_told_at_the_answer() -> None:
    world = World()
    world.do(mail("a"), mail("b"))
    first, second = world.cases()
    for place in range(9):
        world.do(mail(f"more {place}", parents=("mail:b",)))
    world.do(ReplyToCase(case=second.id, actor=AGENT, text="Here."))
    message = world.told(OutboundQueued)[0].message.message
    told(world, message, second.id, DeliveryUnknown)
    world.do(MergeCase(case=second.id, actor=AGENT, into=first.id))
    told(world, message, second.id, DeliverySent)
    assert latest(world, message) is DeliveryState.SENT


def test_a_message_of_a_case_merged_twice_over_can_be_settled() -> None:
    world = World()
    world.do(mail("a"))
    (case,) = world.cases()
    world.do(ReplyToCase(case=case.id, actor=AGENT, text="Here."))
    message = world.told(OutboundQueued)[0].message
    delivery = Delivery(
        id=message.message,
        revision=1,
        message=message,
        state=DeliveryState.UNKNOWN,
        next_attempt_at=NOW,
        changed_at=NOW,
    )
    world.documents[delivery.id] = delivery
    world.do(mail("b"), mail("c"))
    chain = world.cases()
    for one, next_one in itertools.pairwise(chain):
        world.do(MergeCase(case=one.id, actor=AGENT, into=next_one.id))
    settle = SettleDelivery(
        case=chain[-1].id, actor=AGENT, message=message.message, state=DeliveryState.FAILED
    )
    (result,) = world.do(settle, refuse=True)
    assert result.error is None


def test_a_case_does_not_take_more_than_a_hundred() -> None:
    world = World()
    world.do(mail("target"), *(mail(str(place)) for place in range(101)))
    target, *others = world.cases()
    results = [
        world.do(MergeCase(case=each.id, actor=AGENT, into=target.id), refuse=True)[0] for each in others
    ]
    assert [each.error is None for each in results] == [True] * 100 + [False]


def test_an_answer_taken_back_leaves_the_customer_waiting_as_before() -> None:
    world = World()
    case = opened(world)
    later = NOW + timedelta(hours=2)
    world.now += timedelta(minutes=5)
    world.do(ReplyToCase(case=case.id, actor=AGENT, text="One", send_at=later))
    world.do(ReplyToCase(case=case.id, actor=AGENT, text="Two", send_at=later))
    first, second = (each.message.message for each in world.case().pending)
    world.do(CancelReply(case=case.id, actor=AGENT, message=first))
    assert (world.case().state, world.case().waiting_since) == (CaseState.WAITING, None)
    world.do(CancelReply(case=case.id, actor=AGENT, message=second))
    after = world.case()
    assert (after.state, after.waiting_since, after.due_at, after.responded_at) == (
        CaseState.OPEN,
        case.waiting_since,
        case.due_at,
        None,
    )
    assert after.timers == case.timers


def test_taking_an_answer_back_changes_nothing_where_another_one_left() -> None:
    world = World()
    case = opened(world)
    later = NOW + timedelta(hours=2)
    world.do(ReplyToCase(case=case.id, actor=AGENT, text="Later", send_at=later))
    world.do(ReplyToCase(case=case.id, actor=AGENT, text="Now"))
    (pending,) = world.case().pending
    world.do(CancelReply(case=case.id, actor=AGENT, message=pending.message.message))
    after = world.case()
    assert (after.state, after.waiting_since, after.responded_at) == (CaseState.WAITING, None, NOW)


def test_a_resolved_case_whose_answer_is_taken_back_is_open_again() -> None:
    world = World()
    case = opened(world)
    later = NOW + timedelta(seconds=10)
    world.do(ReplyToCase(case=case.id, actor=AGENT, text="Bye", send_at=later, resolve=True))
    (pending,) = world.case().pending
    (result,) = world.do(CancelReply(case=case.id, actor=AGENT, message=pending.message.message))
    assert result.kind is None
    assert (world.case().state, world.case().waiting_since) == (CaseState.OPEN, NOW)


def test_a_case_taken_from_spam_or_from_sleep_is_not_over() -> None:
    world = World()
    case = opened(world, queue_hint="billing")
    world.do(ResolveCase(case=case.id, actor=AGENT), MarkSpam(case=case.id, actor=AGENT))
    (result,) = world.do(SnoozeCase(case=case.id, actor=AGENT, until=NOW + timedelta(days=1)))
    assert result.kind is OutcomeKind.IGNORED
    world.do(ClearSpam(case=case.id, actor=AGENT))
    world.now += timedelta(days=30)
    world.do(mail("b", parents=("mail:a",)))
    assert world.case().messages == 2


def test_who_was_taken_for_spam_waits_as_before_once_that_is_taken_back() -> None:
    world = World()
    before = opened(world)
    assert before.due_at is not None
    world.now += timedelta(minutes=5)
    world.do(MarkSpam(case=before.id, actor=AGENT))
    assert (world.case().waiting_since, world.case().due_at, world.case().timers) == (None, None, ())
    world.do(ClearSpam(case=before.id, actor=AGENT))
    after = world.case()
    assert (after.waiting_since, after.due_at, after.timers) == (
        before.waiting_since,
        before.due_at,
        before.timers,
    )
    assert (after.state, after.unanswered) == (CaseState.OPEN, None)


def form(name: str, consent: dict[str, str] | None = None) -> InteractionReceived:
    typed = Participant(role=Role.FROM, scheme="email-typed", value="ann@example.com")
    filled = FormSubmission(form="contact", version="1", fields={}, consent=consent or {})
    return mail(
        name, sender=typed, channel="webform", kind=Kind.FORM, conversation=f"form:{name}", form=filled
    )


def test_a_token_proves_the_typed_address_of_its_case_wherever_that_was_merged_to() -> None:
    world = World()
    world.do(form("f"), mail("b", sender=BOB))
    asked, other = world.cases()
    world.do(MergeCase(case=asked.id, actor=AGENT, into=other.id))
    world.do(mail("c", tokens=(f"case:{asked.id}",), conversation=f"case:{asked.id}"))
    assert case_of(world, other.id).messages == 2
    assert [each.evidence.kind for each in world.told(HandlesLinked)] == ["reply-token"]


def test_a_message_joins_even_where_its_address_has_no_room_for_another_link() -> None:
    world = World()
    world.do(form("f"))
    case = world.case()
    typed = world.documents[case.handle]
    assert isinstance(typed, Handle)
    evidence = Evidence(kind="agent")
    links = tuple(Link(other=uuid4(), evidence=evidence, actor=AGENT, since=NOW) for _ in range(MOST_LINKS))
    world.documents[typed.id] = typed.model_copy(update={"links": links})
    (result,) = world.do(mail("c", tokens=(f"case:{case.id}",), conversation=f"case:{case.id}"))
    assert (result.kind, world.case().messages) == (None, 2)
    assert world.told(HandlesLinked) == []


def test_a_handle_says_to_what_its_person_agreed() -> None:
    world = World()
    world.do(form("f", {"privacy": "2026-01"}), form("g", {"news": "3"}))
    handle = world.documents[world.handle_id("email-typed", "ann@example.com")]
    assert isinstance(handle, Handle)
    assert handle.consents == {"privacy": "2026-01", "news": "3"}


def test_a_late_case_whose_answer_is_taken_back_is_late_again_and_is_told_of_once() -> None:
    world = World()
    case = opened(world)
    assert case.due_at is not None
    world.now = case.due_at
    due = TimerDue(case=case.id, actor=AGENT, timer="first-response", due_at=case.due_at)
    world.do(due)
    later = world.now + timedelta(seconds=10)
    world.do(ReplyToCase(case=case.id, actor=AGENT, text="One", send_at=later))
    (pending,) = world.case().pending
    world.do(CancelReply(case=case.id, actor=AGENT, message=pending.message.message))
    after = world.case()
    assert (after.overdue, after.due_at, after.timers) == (True, case.due_at, ())
