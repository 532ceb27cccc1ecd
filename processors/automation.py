"""Automations: when a case event happens and a condition holds, ask for actions. A policy: events in, commands out.

Which case event pulls which trigger:

| trigger | event | why this one |
|---|---|---|
| opened | the first `case.routed` (the case's second event) | `case.opened` knows no queue, priority or tags yet |
| routed | every `case.routed`, `case.transferred` | the case came into a queue |
| received, reopened, replied, resolved, tagged, prioritized, overdue | the event of that name | |
| claimed | `case.claimed`, `case.assigned` to somebody | somebody has it now |
| bounced | `case.delivery` of state bounced or failed | our message did not arrive |
| scheduled | `case.schedule-reached` that names the automation | |

Conditions see the case as it was right after the event (`after`), never as it is by now.

Loops end in four ways. An automation never answers its own effect: the events that follow from a run bear its name in their
chain, and so do the timers that they set and all that these bring about, however much later. A chain is at most MAX_DEPTH long. No automatic answer goes to a machine (RFC 3834, section 2); how many go to one
sender in a day is counted by the case decider. And nobody gets a notice of what he wrote himself, or two help desks that tell
each other of new mail would never end. A run that was held back is recorded with its reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from processors import hours
from processors.automation_actions import command
from processors.conditions import Compiled, compile_condition
from processors.facts import case_facts, needs_entry
from processors.looking import Facts, Looked
from schemas.automation import AutomationFired, AutomationSuppressed
from schemas.case_messages import CaseDelivery, CaseReceived, CaseReplied, MessageEvent
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
from schemas.cases import CaseEvent, CaseState, CaseSummary
from schemas.configuration import (
    Action,
    Answer,
    Automation,
    BusinessHours,
    Configuration,
    NotifyMail,
    Trigger,
)
from schemas.documents import Entry
from schemas.events import Actor, Event, Payload
from schemas.interactions import Role
from schemas.outbound import DeliveryState
from schemas.sentences import said

MAX_DEPTH = 5
FIRST_ROUTING = 2
"""The sequence of the `case.routed` that belongs to the opening: `case.opened` is 1."""

AUTOMATIC_FLAGS = frozenset({"auto", "bulk", "list", "loop", "null_sender", "suppress_auto_reply"})
"""Flags of mail that a machine wrote or that asks for no automatic answer (RFC 3834, RFC 2919, RFC 5321 section 4.5.5)."""

DOUBTFUL_FLAGS = frozenset({"suspect", "spam"})
"""Flags of what a channel holds for abuse: an answer could be a mail to a stranger whose address somebody typed."""

NOT_ANSWERED = frozenset({CaseState.SPAM, CaseState.MERGED})
UNDELIVERED = frozenset({DeliveryState.BOUNCED, DeliveryState.FAILED})


@dataclass(frozen=True, slots=True)
class Reaction:
    """What an automation emits. The runner gives it an id (`effect_id(event.id, "automation", index)`) and this chain."""

    payload: Payload
    chain: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Needs:
    """What `react` wants to know of an event: the message by the id of its entry, the customer's attributes."""

    entry: UUID | None = None
    attributes: bool = False


NOTHING = Needs()


@dataclass(frozen=True, slots=True)
class CompiledAutomation:
    automation: Automation
    condition: Compiled | None
    needs_entry: bool
    """An answer and a notice need it too: the message says whether a machine wrote it, and who did."""
    needs_attributes: bool


def _compiled(automation: Automation) -> CompiledAutomation:
    condition = compile_condition(automation.when) if automation.when is not None else None
    fields = [clause.field for clause in condition.clauses] if condition else []
    answers = any(isinstance(action, Answer | NotifyMail) for action in automation.actions)
    return CompiledAutomation(
        automation,
        condition,
        needs_entry=answers or any(map(needs_entry, fields)),
        needs_attributes=any(field.startswith("customer.") for field in fields),
    )


def triggers_of(event: Event) -> tuple[Trigger, ...]:
    """What a case event pulls; nothing for most."""
    payload = event.data
    if isinstance(payload, CaseRouted):
        is_first = event.sequence is not None and event.sequence <= FIRST_ROUTING
        return (Trigger.OPENED, Trigger.ROUTED) if is_first else (Trigger.ROUTED,)
    if isinstance(payload, CaseAssigned):
        return (Trigger.CLAIMED,) if payload.assignee is not None else ()
    if isinstance(payload, CaseDelivery):
        return (Trigger.BOUNCED,) if payload.state in UNDELIVERED else ()
    if isinstance(payload, CaseReplied) and payload.message.forwarded is not None:
        return ()
    return PULLS.get(type(payload), ())


PULLS: dict[type[Payload], tuple[Trigger, ...]] = {
    CaseTransferred: (Trigger.ROUTED,),
    CaseReceived: (Trigger.RECEIVED,),
    CaseReopened: (Trigger.REOPENED,),
    CaseReplied: (Trigger.REPLIED,),
    CaseClaimed: (Trigger.CLAIMED,),
    CaseResolved: (Trigger.RESOLVED,),
    CaseTagged: (Trigger.TAGGED,),
    CasePrioritized: (Trigger.PRIORITIZED,),
    CaseOverdue: (Trigger.OVERDUE,),
    CaseScheduleReached: (Trigger.SCHEDULED,),
}


def entry_id(event: Event) -> UUID | None:
    """The timeline entry of the message that an event tells of or follows from.

    A routing or a reopening has the interaction as its cause, and a message's entry has the interaction's id.
    """
    payload = event.data
    if isinstance(payload, MessageEvent):
        return payload.interaction
    return event.causation if isinstance(payload, CaseRouted | CaseReopened) else None


class Automations:
    """The automations of one version. Raises ValueError where `configuration.problems` finds a fault in a condition."""

    def __init__(self, configuration: Configuration, version: int) -> None:
        self.version = version
        self.hours: dict[str, BusinessHours] = {each.name: each for each in configuration.hours}
        self.queue_hours = {queue.name: queue.hours for queue in configuration.queues}
        self.by_trigger: dict[Trigger, tuple[CompiledAutomation, ...]] = {}
        for automation in configuration.automations:
            known = self.by_trigger.get(automation.event, ())
            self.by_trigger[automation.event] = (*known, _compiled(automation))

    def wants(self, event: Event) -> Needs:
        """What to look up before `react`; nothing where no automation of these triggers looks at it."""
        payload = event.data
        if not isinstance(payload, CaseEvent) or payload.after is None:
            return NOTHING
        candidates = [each for trigger in triggers_of(event) for each in self._candidates(trigger, payload)]
        if not candidates:
            return NOTHING
        return Needs(
            entry=entry_id(event) if any(each.needs_entry for each in candidates) else None,
            attributes=any(each.needs_attributes for each in candidates),
        )

    def react(
        self, event: Event, entry: Entry | None = None, attributes: Mapping[str, str] | None = None
    ) -> list[Reaction]:
        """Commands and records in order. Pure: the same event and facts give the same reactions, so their ids are stable."""
        payload = event.data
        if not isinstance(payload, CaseEvent) or payload.after is None:
            return []
        reactions: list[Reaction] = []
        for trigger in triggers_of(event):
            candidates = self._candidates(trigger, payload)
            if not candidates:
                continue
            looked = Looked(self._facts(event, payload.after, trigger, entry, attributes))
            for each in candidates:
                if each.condition is None or each.condition.holds(looked):
                    reactions += _run(each.automation, event, payload, payload.after, entry)
        return reactions

    def _candidates(self, trigger: Trigger, payload: CaseEvent) -> tuple[CompiledAutomation, ...]:
        candidates = self.by_trigger.get(trigger, ())
        if isinstance(payload, CaseScheduleReached):
            return tuple(each for each in candidates if each.automation.name == payload.automation)
        return candidates

    def _facts(
        self,
        event: Event,
        after: CaseSummary,
        trigger: Trigger,
        entry: Entry | None,
        attributes: Mapping[str, str] | None,
    ) -> Facts:
        calendar = self.hours.get(self.queue_hours.get(after.queue) or "")
        return case_facts(after, trigger.value, entry, attributes, hours.is_open(calendar, event.time))


def _run(
    automation: Automation, event: Event, payload: CaseEvent, after: CaseSummary, entry: Entry | None
) -> list[Reaction]:
    """The commands of one automation whose condition holds, or the record of why there are none."""
    chain = (*event.chain, automation.name)
    loop = _loop(automation, event)
    if loop:
        return [_suppressed(automation, event, payload, loop)]
    silence = _silence(event, payload, after, entry)
    actor = Actor(kind="automation", id=automation.name, name=automation.title)
    held_back = [_held_back(each, silence, entry) for each in automation.actions]
    wanted = [each for each, why in zip(automation.actions, held_back, strict=True) if not why]
    reactions = [Reaction(command(each, event, payload.case, actor, entry), chain) for each in wanted]
    if wanted:
        fired = AutomationFired(
            automation=automation.name,
            case=payload.case,
            event=event.id,
            actions=tuple(each.action for each in wanted),
        )
        reactions.append(Reaction(fired, chain))
    reasons = "; ".join(dict.fromkeys(why for why in held_back if why))
    if reasons:
        reactions.append(_suppressed(automation, event, payload, reasons))
    return reactions


def _held_back(action: Action, silence: str, entry: Entry | None) -> str:
    """Why this action is left undone, or nothing. Telling somebody what he wrote would have two machines talk for ever."""
    if isinstance(action, Answer) and silence:
        return said("no answer: {reason}", reason=silence)
    if isinstance(action, NotifyMail) and entry is not None and _wrote(entry, action.to):
        return said("no notice: {to} wrote the message", to=action.to)
    return ""


def _wrote(entry: Entry, address: str) -> bool:
    written = address.strip().lower()
    return any(each.role is Role.FROM and each.value == written for each in entry.participants)


def _loop(automation: Automation, event: Event) -> str:
    if automation.name in event.chain:
        return "loop: the event follows from this automation itself (" + " → ".join(event.chain) + ")"
    if len(event.chain) >= MAX_DEPTH:
        return f"loop: {MAX_DEPTH} automations led here already (" + " → ".join(event.chain) + ")"
    return ""


def _silence(event: Event, payload: CaseEvent, after: CaseSummary, entry: Entry | None) -> str:
    """Why an automatic answer would go to a machine or to nobody; empty where it may go."""
    if after.state in NOT_ANSWERED:
        return said("the case is {state}", state=said(after.state))
    if isinstance(payload, MessageEvent) and payload.automatic:
        return "the message is marked as automatic"
    if entry is None:
        return ""
    if doubts := sorted(DOUBTFUL_FLAGS.intersection(entry.flags)):
        return said("the message is doubtful ({flags})", flags=", ".join(doubts))
    flags = sorted(AUTOMATIC_FLAGS.intersection(entry.flags))
    return said("the message is marked as automatic ({flags})", flags=", ".join(flags)) if flags else ""


def _suppressed(automation: Automation, event: Event, payload: CaseEvent, reason: str) -> Reaction:
    suppressed = AutomationSuppressed(
        automation=automation.name, case=payload.case, event=event.id, reason=reason
    )
    return Reaction(suppressed, (*event.chain, automation.name))
