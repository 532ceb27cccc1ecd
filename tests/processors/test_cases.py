"""The cases decider: what a message, a request, a timer or a delivery does to a case."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from processors.cases.decide import ROUNDS, decide, wants
from processors.cases.evolve import fold
from processors.cases.work import Facts, Work
from processors.routing import Router
from schemas.cases import CaseEvent, CaseOpened, CaseReceived, CaseReplied, CaseReplyCancelled, CaseState
from schemas.commands import (
    AnswerFromTemplate,
    AssignCase,
    CancelReply,
    ClaimCase,
    MarkSpam,
    MergeCase,
    ReopenCase,
    ReplyToCase,
    ResolveCase,
    SnoozeCase,
    TagCase,
    TimerDue,
    TransferCase,
)
from schemas.configuration import Configuration, Queue, Template
from schemas.documents import Case, Document, Entry, Handle
from schemas.errors import Stale
from schemas.events import Actor, Event, Payload
from schemas.identity import HandleSeen, HandlesLinked
from schemas.ids import case_number, handle_id, item_id, part_id
from schemas.interactions import (
    BlobRef,
    Content,
    FormSubmission,
    InteractionBounced,
    InteractionReceived,
    Kind,
    Part,
    Participant,
    Role,
)
from schemas.outbound import DeliverySent, DeliveryState, OutboundQueued
from schemas.steps import Found, OutcomeKind, References, Step

SECRET = b"secret of the tests"
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
ANN = Participant(role=Role.FROM, scheme="email", value="ann@example.com", name="Ann")
BOB = Participant(role=Role.FROM, scheme="email", value="bob@example.net", name="Bob")
AGENT = Actor(kind="agent", id="mia", name="Mia")
RULE = Actor(kind="automation", id="thanks")
CONFIGURATION = Configuration(
    queues=(
        Queue(name="inbox", title="Inbox", first_response_minutes=60),
        Queue(name="billing", title="Billing", reopen_days=7),
    ),
    templates=(Template(name="thanks", text={"default": "Thank you, your number is {{ case.number }}."}),),
    automatic_answers_per_day=2,
)


class World:
    """What an engine would hold: applies steps and answers look-ups, in memory."""

    def __init__(self, configuration: Configuration = CONFIGURATION) -> None:
        self.now = NOW
        self.configuration = configuration
        self.documents: dict[UUID, Document] = {}
        self.threads: dict[str, UUID] = {}
        self.entries: dict[UUID, Entry] = {}
        self.ignored: set[UUID] = set()
        self.log: list[Event] = []

    def handle_id(self, scheme: str, value: str) -> UUID:
        return handle_id(SECRET, scheme, value)

    def facts(self, refuse: bool = False) -> Facts:
        return Facts(
            now=self.now,
            version=1,
            configuration=self.configuration,
            router=Router(self.configuration, 1),
            handle_id=self.handle_id,
            answer_accounts={"default": "support"},
            refuse=refuse,
        )

    def load(self, references: References) -> Found:
        wanted = {id for ids in references.documents.values() for id in ids}
        numbers = {each.number: each.id for each in self.documents.values() if isinstance(each, Case)}
        return Found(
            handled={id for id in references.handled if id in self.entries or id in self.ignored},
            threads={each: self.threads[each] for each in references.threads if each in self.threads},
            documents={id: self.documents[id] for id in wanted if id in self.documents},
            numbers={each: numbers[each] for each in references.numbers if each in numbers},
        )

    def decide(self, *inputs: Event, refuse: bool = False) -> tuple[Work, list[Any]]:
        found = Found()
        for _ in range(ROUNDS):
            references = wants(inputs, found, self.handle_id)
            if not references:
                break
            found.absorb(references, self.load(references))
        work, results = decide(inputs, found, self.facts(refuse))
        self.apply(work.finish())
        self.ignored |= {
            event.id
            for event, result in zip(inputs, results, strict=True)
            if result.kind is OutcomeKind.IGNORED
        }
        return work, results

    def apply(self, step: Step) -> None:
        for document, expected in step.documents:
            known = self.documents.get(document.id)
            assert (known.revision if known else 0) == expected
            revision = max(document.revision, expected + 1)
            self.documents[document.id] = document.model_copy(update={"revision": revision})
        self.threads.update(step.claims)
        for entry in step.entries:
            self.entries.setdefault(entry.id, entry)
        self.log += step.events

    def do(self, *payloads: Payload, refuse: bool = False) -> list[Any]:
        return self.decide(*(event_of(each) for each in payloads), refuse=refuse)[1]

    def cases(self) -> list[Case]:
        return [each for each in self.documents.values() if isinstance(each, Case)]

    def case(self) -> Case:
        (case,) = self.cases()
        return case

    def told(self, kind: type[Payload]) -> list[Any]:
        return [event.data for event in self.log if isinstance(event.data, kind)]


def event_of(payload: Payload) -> Event:
    if isinstance(payload, InteractionReceived | InteractionBounced):
        id = part_id(payload.part.item, payload.part.index)
        return Event(id, payload.conversation, NOW, payload, "/test", id)
    id = uuid4()
    return Event(id, "case", NOW, payload, "/test", id)


def mail(name: str, sender: Participant = ANN, **changes: Any) -> InteractionReceived:
    fields: dict[str, Any] = {
        "part": Part(item=item_id("email", "support", name)),
        "channel": "email",
        "account": "support",
        "brand": "default",
        "conversation": f"mail:{name}",
        "occurred_at": NOW,
        "received_at": NOW,
        "original": BlobRef(sha256="0" * 64, size=1),
        "kind": Kind.MESSAGE,
        "external_id": f"mail:{name}",
        "participants": (sender,),
        "content": Content(subject="Invoice 7", text="Where is it?"),
    }
    return InteractionReceived(**{**fields, **changes})


def opened(world: World, **changes: Any) -> Case:
    world.do(mail("a", **changes))
    return world.case()


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
