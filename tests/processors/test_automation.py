"""Automations: triggers, what is looked up, the commands that follow, and what is held back."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from processors.automation import (
    AUTOMATIC_FLAGS,
    DOUBTFUL_FLAGS,
    MAX_DEPTH,
    Automations,
    Needs,
    Reaction,
    triggers_of,
)
from schemas.automation import AutomationFired, AutomationSuppressed
from schemas.case_messages import CaseDelivery, CaseNoted, CaseOpened, CaseReceived, CaseReplied
from schemas.case_work import (
    CaseAssigned,
    CaseClaimed,
    CaseOverdue,
    CasePrioritized,
    CaseReopened,
    CaseResolved,
    CaseRouted,
    CaseScheduleReached,
    CaseTagged,
    CaseTransferred,
)
from schemas.cases import CaseEvent, CaseState, RoutingDecision
from schemas.commands import (
    AnswerFromTemplate,
    NotifyOutside,
    PrioritizeCase,
    ScheduleAutomation,
    TagCase,
    TransferCase,
)
from schemas.configuration import Priority, Trigger
from schemas.events import SYSTEM, Actor, Payload
from schemas.outbound import DeliveryState, OutboundMessage
from tests.processors.examples import (
    CASE,
    CUSTOMER,
    HANDLE,
    INTERACTION,
    NOW,
    case_event,
    clause,
    configuration,
    entry,
    received,
    summary,
)

MESSAGE = OutboundMessage(
    message=CASE, channel="email", account="help", brand="shop", conversation="c", recipients=(), text="x", author=SYSTEM, queued_at=NOW
)  # fmt: skip
COMMON: dict[str, Any] = {"case": CASE, "actor": SYSTEM}


def case(**more: Any) -> dict[str, Any]:
    return {**COMMON, "after": summary(**more)}


def routed(**more: Any) -> CaseRouted:
    decision = RoutingDecision(configuration=1, rule=None, reason="default")
    return CaseRouted(**case(**more), queue="inbox", priority=Priority.NORMAL, decision=decision)


def joined(automatic: bool = False) -> CaseReceived:
    return CaseReceived(
        **case(), interaction=INTERACTION, handle=HANDLE, external_id="x", automatic=automatic
    )


def automations(*written: dict[str, Any]) -> Automations:
    return Automations(configuration(automations=written), 3)


def rule(name: str, on: str, *actions: dict[str, Any], when: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"name": name, "title": name.title(), "event": on, "actions": actions, "when": when}


ANSWER = {"action": "answer", "template": "thanks"}
TAG = {"action": "tag", "add": ["seen"]}
WELCOME = rule("welcome", "opened", ANSWER)


def payloads(reactions: list[Reaction]) -> list[Payload]:
    return [each.payload for each in reactions]


def suppressed(reactions: list[Reaction]) -> str:
    (reaction,) = reactions
    assert isinstance(reaction.payload, AutomationSuppressed)
    return reaction.payload.reason


TRIGGERS: list[tuple[CaseEvent, int, tuple[str, ...]]] = [
    (routed(), 2, ("opened", "routed")),
    (routed(), 9, ("routed",)),
    (CaseTransferred(**case(), queue="billing"), 5, ("routed",)),
    (joined(), 5, ("received",)),
    (CaseReopened(**case(), reason="reply"), 5, ("reopened",)),
    (CaseReplied(**case(), message=MESSAGE), 5, ("replied",)),
    (CaseClaimed(**case(), assignee="mia"), 5, ("claimed",)),
    (CaseAssigned(**case(), assignee="mia"), 5, ("claimed",)),
    (CaseAssigned(**case(), assignee=None), 5, ()),
    (CaseResolved(**case()), 5, ("resolved",)),
    (CaseTagged(**case(), added=("a",)), 5, ("tagged",)),
    (CasePrioritized(**case(), priority=Priority.HIGH), 5, ("prioritized",)),
    (CaseOverdue(**case(), due_at=NOW), 5, ("overdue",)),
    (CaseDelivery(**case(), message=CASE, state=DeliveryState.BOUNCED), 5, ("bounced",)),
    (CaseDelivery(**case(), message=CASE, state=DeliveryState.FAILED), 5, ("bounced",)),
    (CaseDelivery(**case(), message=CASE, state=DeliveryState.SENT), 5, ()),
    (CaseScheduleReached(**case(), automation="later"), 5, ("scheduled",)),
    (CaseNoted(**case(), text="x"), 5, ()),
]


@pytest.mark.parametrize(("payload", "sequence", "expected"), TRIGGERS)
def test_a_case_event_pulls_its_triggers(
    payload: CaseEvent, sequence: int, expected: tuple[str, ...]
) -> None:
    assert triggers_of(case_event(payload, sequence)) == expected


def test_every_trigger_is_pulled_by_some_event() -> None:
    assert {trigger for _, _, triggers in TRIGGERS for trigger in triggers} == set(Trigger)


def test_the_opening_itself_pulls_nothing_because_the_queue_is_not_known_yet() -> None:
    opened = CaseOpened(
        **case(), interaction=INTERACTION, handle=HANDLE, external_id="x", number="n", brand="shop", channel="email",
        account="help", conversation="c", subject="s", language="en",
    )  # fmt: skip
    assert automations(WELCOME).react(case_event(opened, 1), entry(received())) == []


def test_a_run_asks_for_its_actions_in_order_in_its_own_name_and_says_that_it_fired() -> None:
    actions: list[dict[str, Any]] = [
        ANSWER,
        {"action": "tag", "add": ["a"], "remove": ["b"]},
        {"action": "priority", "priority": "high"},
        {"action": "move", "queue": "billing"},
        {"action": "webhook", "endpoint": "crm"},
        {"action": "mail", "to": "boss@shop.example", "template": "notice"},
        {"action": "schedule", "minutes": 90, "automation": "later"},
    ]
    event = case_event(routed(), chain=("before",))
    reactions = automations(rule("welcome", "opened", *actions)).react(event, entry(received()))
    actor = Actor(kind="automation", id="welcome", name="Welcome")
    assert payloads(reactions) == [
        AnswerFromTemplate(case=CASE, actor=actor, template="thanks", interaction=INTERACTION),
        TagCase(case=CASE, actor=actor, add=("a",), remove=("b",)),
        PrioritizeCase(case=CASE, actor=actor, priority=Priority.HIGH),
        TransferCase(case=CASE, actor=actor, queue="billing"),
        NotifyOutside(case=CASE, actor=actor, endpoint="crm", about=event.id),
        NotifyOutside(case=CASE, actor=actor, to="boss@shop.example", template="notice", about=event.id),
        ScheduleAutomation(case=CASE, actor=actor, automation="later", due_at=NOW + timedelta(minutes=90)),
        AutomationFired(
            automation="welcome",
            case=CASE,
            event=event.id,
            actions=("answer", "tag", "priority", "move", "webhook", "mail", "schedule"),
        ),
    ]
    assert {each.chain for each in reactions} == {("before", "welcome")}


def test_the_same_event_gives_the_same_reactions() -> None:
    rules = automations(WELCOME, rule("tag", "opened", TAG), rule("routed", "routed", TAG))
    event = case_event(routed())
    assert rules.react(event, entry(received())) == rules.react(event, entry(received()))


@pytest.mark.parametrize(
    ("when", "runs"),
    [
        (clause("text", "contains", "three weeks"), True),
        (clause("text", "contains", "refund"), False),
        (clause("case.queue", "is", "inbox"), True),
        (clause("event", "is", "opened"), True),
        (clause("customer.tier", "is", "gold"), True),
        (clause("within_hours", "is", False), True),
        (clause("sender.domain", "is", "example.com"), True),
    ],
)
def test_a_condition_sees_the_case_the_message_the_customer_and_the_hours_of_the_queue(
    when: dict[str, Any], runs: bool
) -> None:
    sunday = replace(case_event(routed()), time=NOW - timedelta(days=1))
    reactions = automations(rule("a", "opened", TAG, when=when)).react(
        sunday, entry(received()), {"tier": "gold"}
    )
    assert bool(reactions) is runs


def test_only_the_automation_that_a_schedule_names_runs() -> None:
    rules = automations(rule("later", "scheduled", TAG), rule("other", "scheduled", TAG))
    reactions = rules.react(case_event(CaseScheduleReached(**case(), automation="later"), 7))
    assert {each.chain for each in reactions} == {("later",)}


def test_an_automation_never_answers_its_own_effect() -> None:
    rules = automations(rule("a", "tagged", TAG))
    reason = suppressed(rules.react(case_event(CaseTagged(**case(), added=("seen",)), 5, chain=("a", "b"))))
    assert reason == "loop: the event follows from this automation itself (a → b)"


def test_a_chain_of_automations_ends() -> None:
    rules = automations(rule("last", "tagged", TAG))
    event = CaseTagged(**case(), added=("seen",))
    chain = tuple(f"a{index}" for index in range(MAX_DEPTH))
    assert "5 automations led here" in suppressed(rules.react(case_event(event, 9, chain=chain)))
    assert len(rules.react(case_event(event, 9, chain=chain[:-1]))) == 2


def test_what_would_not_have_run_is_not_recorded_as_held_back() -> None:
    rules = automations(rule("a", "tagged", TAG, when=clause("case.tags", "contains", "vip")))
    assert rules.react(case_event(CaseTagged(**case(), added=("seen",)), 5, chain=("a",))) == []


@pytest.mark.parametrize("flag", sorted(AUTOMATIC_FLAGS))
def test_a_machine_gets_no_answer(flag: str) -> None:
    reactions = automations(WELCOME).react(case_event(routed()), entry(received(flags=(flag,))))
    assert suppressed(reactions) == f"no answer: the message is marked as automatic ({flag})"


@pytest.mark.parametrize("flag", sorted(DOUBTFUL_FLAGS))
def test_what_is_held_for_abuse_gets_no_answer(flag: str) -> None:
    reactions = automations(WELCOME).react(case_event(routed()), entry(received(flags=(flag,))))
    assert suppressed(reactions) == f"no answer: the message is doubtful ({flag})"


def test_a_message_event_that_is_automatic_gets_no_answer_even_without_its_entry() -> None:
    rules = automations(rule("again", "received", ANSWER))
    assert (
        suppressed(rules.react(case_event(joined(automatic=True), 5)))
        == "no answer: the message is marked as automatic"
    )
    assert isinstance(rules.react(case_event(joined(), 5))[0].payload, AnswerFromTemplate)


def test_spam_gets_no_answer() -> None:
    reactions = automations(WELCOME).react(case_event(routed(state=CaseState.SPAM)), entry(received()))
    assert suppressed(reactions) == "no answer: the case is spam"


def test_the_other_actions_of_a_run_without_answer_are_done() -> None:
    reactions = automations(rule("welcome", "opened", ANSWER, TAG)).react(
        case_event(routed()), entry(received(flags=("auto",)))
    )
    kinds = [type(each) for each in payloads(reactions)]
    assert kinds == [TagCase, AutomationFired, AutomationSuppressed]
    fired = reactions[1].payload
    assert isinstance(fired, AutomationFired)
    assert fired.actions == ("tag",)


NEEDS = [
    (rule("a", "opened", TAG), Needs()),
    (rule("a", "resolved", ANSWER), Needs()),
    (rule("a", "opened", TAG, when=clause("case.queue", "is", "inbox")), Needs()),
    (rule("a", "opened", TAG, when=clause("text", "contains", "x")), Needs(entry=INTERACTION)),
    (
        rule("a", "opened", TAG, when={"not": {"any": [clause("form.order", "is", "x")]}}),
        Needs(entry=INTERACTION),
    ),
    (rule("a", "opened", ANSWER), Needs(entry=INTERACTION)),
    (rule("a", "routed", TAG, when=clause("customer.tier", "is", "gold")), Needs(attributes=True)),
]


@pytest.mark.parametrize(("written", "needs"), NEEDS)
def test_only_what_an_automation_looks_at_is_asked_for(written: dict[str, Any], needs: Needs) -> None:
    assert automations(written).wants(case_event(routed())) == needs


def test_a_message_event_asks_for_its_own_message_and_a_step_for_none() -> None:
    rules = automations(rule("a", "received", ANSWER), rule("b", "resolved", ANSWER))
    assert rules.wants(case_event(joined(), 5, causation=CASE)) == Needs(entry=INTERACTION)
    assert rules.wants(case_event(CaseResolved(**case()), 5)) == Needs()


def test_an_event_without_the_case_or_not_of_a_case_does_nothing() -> None:
    rules = automations(WELCOME)
    bare = case_event(routed().model_copy(update={"after": None}))
    command = TagCase(case=CASE, actor=CUSTOMER, add=("x",))
    assert rules.react(bare) == []
    assert rules.wants(bare) == Needs()
    assert triggers_of(case_event(joined())) == (Trigger.RECEIVED,)
    assert rules.react(replace(bare, data=command)) == []
