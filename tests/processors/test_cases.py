"""The cases decider: what a message, a request or a timer does to a case."""

from datetime import timedelta

import pytest

from processors.cases.evolve import fold
from schemas.case_messages import CaseOpened, CaseReceived
from schemas.cases import CaseEvent, CaseState
from schemas.commands import (
    AssignCase,
    ClaimCase,
    MergeCase,
    ReopenCase,
    ReplyToCase,
    ResolveCase,
    SnoozeCase,
    TagCase,
    TimerDue,
    TransferCase,
)
from schemas.documents import Case, Handle
from schemas.errors import Stale
from schemas.events import Actor
from schemas.identity import HandleSeen, HandlesLinked
from schemas.ids import case_number
from schemas.interactions import (
    FormSubmission,
    Kind,
    Participant,
    Role,
)
from schemas.steps import OutcomeKind
from tests.processors.world import AGENT, ANN, BOB, NOW, World, mail, opened


def test_a_message_opens_a_case_with_its_entry_and_its_handle() -> None:
    world = World()
    case = opened(world)
    assert (case.state, case.queue, case.subject, case.messages) == (CaseState.OPEN, "inbox", "Invoice 7", 1)
    assert case.due_at == NOW + timedelta(hours=1)
    assert case.number == case_number(case.id)
    assert [entry.step for entry in world.entries.values()] == ["opened", "routed"]
    assert [event.sequence for event in world.log if isinstance(event.data, CaseEvent)] == [1, 2]
    assert world.told(HandleSeen)[0].value == "ann@example.com"


def test_a_customer_waits_since_the_message_came_however_late_it_is_decided() -> None:
    world = World()
    world.now += timedelta(hours=3)
    case = opened(world)
    assert (case.waiting_since, case.opened_at) == (NOW, NOW + timedelta(hours=3))
    assert case.due_at == NOW + timedelta(hours=1)


def test_a_case_is_the_fold_of_its_events() -> None:
    world = World()
    case = opened(world)
    world.do(mail("b", parents=("mail:a",)))
    world.do(
        ReplyToCase(case=case.id, actor=AGENT, text="Here."), TagCase(case=case.id, actor=AGENT, add=("vip",))
    )
    world.do(SnoozeCase(case=case.id, actor=AGENT, until=NOW + timedelta(days=1)))
    events = [event for event in world.log if isinstance(event.data, CaseEvent)]
    assert fold(events) == world.case()


def test_an_answer_joins_the_case_of_its_thread_even_in_one_batch() -> None:
    world = World()
    world.do(mail("a"), mail("b", parents=("mail:a",)), mail("c", parents=("mail:b", "mail:a")))
    assert world.case().messages == 3
    assert [type(data) for data in world.told(CaseOpened) + world.told(CaseReceived)] == [
        CaseOpened,
        CaseReceived,
        CaseReceived,
    ]


def test_a_stranger_who_names_the_thread_gets_a_case_of_his_own() -> None:
    world = World()
    opened(world)
    world.do(mail("b", sender=BOB, parents=("mail:a",)))
    assert len(world.cases()) == 2


def test_someone_in_copy_may_join_the_thread() -> None:
    world = World()
    opened(world, participants=(ANN, BOB.model_copy(update={"role": Role.CC})))
    world.do(mail("b", sender=BOB, parents=("mail:a",)))
    assert world.case().messages == 2


def test_the_same_message_twice_is_a_duplicate() -> None:
    world = World()
    results = world.do(mail("a"), mail("a"))
    assert [result.kind for result in results] == [None, OutcomeKind.DUPLICATE]
    assert world.do(mail("a"))[0].kind is OutcomeKind.DUPLICATE
    assert world.case().messages == 1


def test_a_number_in_the_subject_joins_for_a_participant_only() -> None:
    world = World()
    case = opened(world)
    world.do(mail("b", numbers=(case.number,)), mail("c", sender=BOB, numbers=(case.number,)))
    assert len(world.cases()) == 2
    assert world.told(CaseReceived)[0].joined_by == "number"


def test_an_answer_to_a_resolved_case_reopens_it_but_a_machine_does_not() -> None:
    world = World()
    case = opened(world)
    world.do(ResolveCase(case=case.id, actor=AGENT))
    world.do(mail("b", parents=("mail:a",), kind=Kind.AUTO_REPLY, flags=("auto",)))
    assert world.case().state is CaseState.RESOLVED
    world.do(mail("c", parents=("mail:a",)))
    assert world.case().state is CaseState.OPEN


def test_a_customer_waits_as_before_when_a_wrong_resolve_is_taken_back() -> None:
    world = World()
    case = opened(world)
    before = world.case()
    world.now += timedelta(minutes=5)
    world.do(ResolveCase(case=case.id, actor=AGENT))
    assert (world.case().waiting_since, world.case().due_at, world.case().timers) == (None, None, ())
    world.do(ReopenCase(case=case.id, actor=AGENT))
    after = world.case()
    assert before.due_at is not None
    assert (after.waiting_since, after.due_at, after.timers) == (
        before.waiting_since,
        before.due_at,
        before.timers,
    )
    assert after.unanswered is None


def test_nobody_waits_in_a_case_that_is_opened_again_after_an_answer() -> None:
    world = World()
    case = opened(world)
    world.do(ReplyToCase(case=case.id, actor=AGENT, text="Yes.", resolve=True))
    world.do(ReopenCase(case=case.id, actor=AGENT))
    assert (world.case().waiting_since, world.case().due_at) == (None, None)


def test_who_writes_to_a_resolved_case_waits_since_then() -> None:
    world = World()
    case = opened(world)
    world.do(ResolveCase(case=case.id, actor=AGENT))
    world.now += timedelta(hours=1)
    world.do(mail("b", parents=("mail:a",), received_at=world.now))
    assert world.case().waiting_since == world.now


def test_a_late_answer_opens_a_new_case_where_the_queue_wants_it() -> None:
    world = World()
    case = opened(world)
    world.do(TransferCase(case=case.id, actor=AGENT, queue="billing"), ResolveCase(case=case.id, actor=AGENT))
    world.now += timedelta(days=8)
    world.do(mail("b", parents=("mail:a",)))
    new = next(each for each in world.cases() if each.id != case.id)
    assert new.related == case.id


def test_a_claim_tells_who_was_first() -> None:
    world = World()
    case = opened(world)
    world.do(ClaimCase(case=case.id, actor=AGENT), refuse=True)
    (result,) = world.do(ClaimCase(case=case.id, actor=Actor(kind="agent", id="tom")), refuse=True)
    assert isinstance(result.error, Stale)
    assert result.error.now["assignee"] == "mia"


def test_a_request_on_an_older_state_is_stale() -> None:
    world = World()
    case = opened(world)
    (result,) = world.do(
        AssignCase(case=case.id, actor=AGENT, assignee="mia", expected_sequence=1), refuse=True
    )
    assert isinstance(result.error, Stale)


def test_a_token_proves_a_typed_address() -> None:
    world = World()
    typed = Participant(role=Role.FROM, scheme="email-typed", value="ann@example.com")
    form = mail(
        "f", sender=typed, channel="webform", kind=Kind.FORM, conversation="form:1", external_id="form:1"
    )
    world.do(form.model_copy(update={"form": FormSubmission(form="contact", version="1", fields={})}))
    case = world.case()
    world.do(mail("b", tokens=(f"case:{case.id}",), conversation=f"case:{case.id}"))
    (link,) = world.told(HandlesLinked)
    assert link.evidence.kind == "reply-token"
    handles = [each for each in world.documents.values() if isinstance(each, Handle)]
    assert all(len(handle.links) == 1 for handle in handles)
    assert world.case().messages == 2


def test_a_merged_case_sends_its_mail_to_the_other_one() -> None:
    world = World()
    world.do(mail("a"), mail("b"))
    first, second = world.cases()
    world.do(MergeCase(case=second.id, actor=AGENT, into=first.id))
    world.do(mail("c", parents=("mail:b",)))
    target = world.documents[first.id]
    assert isinstance(target, Case)
    assert (target.messages, target.absorbed) == (2, (second.id,))


def test_mails_without_a_sender_share_one_handle() -> None:
    world = World()
    world.do(mail("a", participants=()))
    world.do(mail("b", participants=()))
    assert [case.handle for case in world.cases()] == [world.handle_id("unknown", "unknown")] * 2


@pytest.mark.parametrize("state", [CaseState.SNOOZED, CaseState.OPEN])
def test_snooze_ends_by_time_or_by_an_answer(state: CaseState) -> None:
    world = World()
    case = opened(world)
    until = NOW + timedelta(hours=4)
    world.do(SnoozeCase(case=case.id, actor=AGENT, until=until))
    if state is CaseState.OPEN:
        world.do(mail("b", parents=("mail:a",)))
    assert world.case().state is state
    world.now = until
    (result,) = world.do(TimerDue(case=case.id, actor=AGENT, timer="snooze", due_at=until))
    assert world.case().state is CaseState.OPEN
    assert (result.kind is OutcomeKind.IGNORED) is (state is CaseState.OPEN)


def test_an_input_that_fails_leaves_nothing_behind_and_the_others_go_on() -> None:
    world = World()
    broken = mail("b", tokens=("case:not-a-case",))
    results = world.do(mail("a"), broken, mail("c"))
    assert [result.kind for result in results] == [None, OutcomeKind.DEAD_LETTERED, None]
    assert len(world.cases()) == 2
