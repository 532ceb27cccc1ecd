"""The decider: whatever changes a case comes through here. `decide` makes the Step of what `wants` asked for."""

from collections.abc import Sequence
from dataclasses import dataclass

from processors.cases import own_changes, privately, undelivered
from processors.cases.blocked import hold
from processors.cases.changes import Kept, change, settle
from processors.cases.receive import receive
from processors.cases.request import request
from processors.cases.wanting import ROUNDS, leads_on, wants
from processors.cases.work import CONSUMER, Facts, Nothing, Work
from schemas.automation import AutomationSuppressed
from schemas.case_messages import CaseDelivery
from schemas.commands import AnswerFromTemplate, Command
from schemas.errors import NotYet, Refused
from schemas.events import SYSTEM, Event
from schemas.interactions import (
    InteractionBounced,
    InteractionChange,
    InteractionIgnored,
    InteractionReceipt,
    InteractionReceived,
)
from schemas.message_changes import Way
from schemas.outbound import (
    DeliveryEvent,
    DeliveryFailed,
    DeliverySent,
    DeliverySettled,
    DeliveryState,
    DeliveryUnknown,
)
from schemas.steps import Found, OutcomeKind
from schemas.topics import Topic

TOPICS = (Topic.INTERACTIONS, Topic.COMMANDS, Topic.DELIVERIES)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one input. `kind` None: applied."""

    kind: OutcomeKind | None = None
    reason: str = ""
    error: Exception | None = None


APPLIED = Result()


def decide(inputs: Sequence[Event], found: Found, facts: Facts) -> tuple[Work, list[Result]]:
    """Decide the inputs in order. The work holds the Step; one result an input. Only a defect of ours raises.

    An input whose decision fails leaves nothing behind, and its error in its result: the caller parks or dead-letters it.
    """
    work = Work(found, facts)
    return work, [decide_one(work, event) for event in inputs]


def decide_one(work: Work, event: Event) -> Result:
    work.begin(event)
    if work.is_handled(event):
        return Result(OutcomeKind.DUPLICATE, "applied before")
    try:
        _apply(work, event)
    except Kept as kept:
        return _nothing(work, event, str(kept))
    except Nothing as nothing:
        work.discard()
        return _nothing(work, event, str(nothing))
    except Refused as refusal:
        work.discard()
        if work.facts.refuse:
            return Result(OutcomeKind.IGNORED, str(refusal), refusal)
        return _nothing(work, event, str(refusal))
    except Exception as error:  # noqa: BLE001  the defect of one input must not stop the others
        work.discard()
        kind = OutcomeKind.PARKED if isinstance(error, NotYet) else OutcomeKind.DEAD_LETTERED
        return Result(kind, str(error) or type(error).__name__, error)
    work.keep()
    return APPLIED


def _nothing(work: Work, event: Event, reason: str) -> Result:
    """Nothing follows; for an automatic answer that was held back the automation's own record says so too."""
    command = event.data
    if isinstance(command, AnswerFromTemplate):
        suppressed = AutomationSuppressed(
            automation=command.actor.id, case=command.case, event=event.causation or event.id, reason=reason
        )
        work.tell(suppressed, str(command.case))
    work.keep()
    return Result(OutcomeKind.IGNORED, reason)


def _apply(work: Work, event: Event) -> None:
    data = event.data
    if isinstance(data, InteractionReceived):
        hold(work, data)
        case = receive(work, data)
        if data.may_change:
            way = Way(channel=data.channel, account=data.account, conversation=data.conversation)
            settle(work, data.external_id, case, event.id, way)
    elif isinstance(data, InteractionChange):
        change(work, data)
    elif isinstance(data, Command):
        request(work, data)
    elif isinstance(data, DeliveryEvent):
        _delivered(work, data)
    elif isinstance(data, InteractionBounced):
        _bounced(work, data)
    elif isinstance(data, InteractionReceipt):
        raise Nothing(f"the recipient's system says {data.status}")
    elif isinstance(data, InteractionIgnored):
        raise Nothing(data.reason)
    else:
        raise Nothing(f"{data.type} changes no case")


def _delivered(work: Work, data: DeliveryEvent) -> None:
    if data.case is None:
        raise Nothing("a notice; it belongs to no case")
    if isinstance(data, DeliverySettled):
        raise Nothing("decided with the request that settled it")
    case = work.case(data.case)
    if case is None:
        raise NotYet(f"case {data.case} is not there yet")
    state, external_id, reason = _delivery_state(data)
    moved = privately.moved_of(work, data.case)
    if isinstance(data, DeliverySent):  # what the customer answers there joins the case
        work.claim(data.conversation, case.id)
    case = work.emit(
        case,
        CaseDelivery(
            case=case.id,
            actor=SYSTEM,
            message=data.message,
            state=state,
            external_id="" if data.change else external_id,
            reason=reason,
            change=data.change.kind if data.change else None,
        ),
    )
    if data.change is not None:
        own_changes.told(work, case, data.change, data.message, state)
    elif state is not DeliveryState.SENT:
        case = undelivered.told(work, case, data.message, state)
    elif isinstance(data, DeliverySent) and data.may_change:
        work.claim(external_id, case.id)
        way = Way(channel=data.channel, account=data.account, conversation=data.conversation)
        case = settle(work, external_id, case, data.message, way)
    privately.told(work, case, moved, data)


def _delivery_state(data: DeliveryEvent) -> tuple[DeliveryState, str, str]:
    if isinstance(data, DeliverySent):
        refused = "; ".join(f"{address}: {why}" for address, why in data.refused.items())
        return DeliveryState.SENT, data.external_id, refused
    if isinstance(data, DeliveryFailed):
        return DeliveryState.FAILED, "", data.reason
    if isinstance(data, DeliveryUnknown):
        return DeliveryState.UNKNOWN, "", data.reason
    raise Nothing(f"{data.type} changes no case")


def _bounced(work: Work, data: InteractionBounced) -> None:
    """A message of ours came back: its entry says so. A delay is no failure (RFC 3464, section 2.3.3)."""
    case_of = work.thread(data.conversation)
    case = work.case(case_of) if case_of else None
    if case is None or data.message is None:
        raise Nothing("the message that it tells of is not known to be ours")
    if data.action == "delayed":
        raise Nothing(f"delayed: {data.diagnostic or data.status}")
    why = " ".join(each for each in (data.recipient, data.status, data.diagnostic) if each)
    case = work.emit(
        case,
        CaseDelivery(
            case=case.id,
            actor=SYSTEM,
            message=data.message,
            state=DeliveryState.BOUNCED,
            reason=f"complaint: {why}" if data.action == "complaint" else why,
        ),
    )
    if data.action != "complaint":
        undelivered.told(work, case, data.message, DeliveryState.BOUNCED)


__all__ = ["CONSUMER", "ROUNDS", "TOPICS", "Facts", "Result", "decide", "leads_on", "wants"]
