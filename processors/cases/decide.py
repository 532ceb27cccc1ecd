"""The decider: whatever changes a case comes through here. `wants` says what must be known, `decide` makes the Step."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from processors.cases import own_changes, privately, undelivered
from processors.cases.answers import receiver_of
from processors.cases.blocked import hold
from processors.cases.changes import Kept, change, settle
from processors.cases.receive import UNKNOWN_SENDER, receive, references_of
from processors.cases.request import request
from processors.cases.work import CONSUMER, MOST_MERGES, NAMES_CASE, Facts, Nothing, Work, marker, named_case
from processors.customers import handle_wants
from processors.identity import HandleId
from schemas.automation import AutomationSuppressed
from schemas.blocking import Block, block_ids
from schemas.cases import CaseDelivery
from schemas.commands import (
    AnswerFromTemplate,
    Command,
    DeleteReply,
    EditReply,
    HideMessage,
    MergeCase,
    SettleDelivery,
    StartCase,
)
from schemas.documents import Case, Delivery, Handle, MessageChanges, changes_id
from schemas.errors import NotYet, Refused
from schemas.events import SYSTEM, Event
from schemas.ids import case_id
from schemas.interactions import (
    InteractionBounced,
    InteractionChange,
    InteractionIgnored,
    InteractionReceipt,
    InteractionReceived,
)
from schemas.outbound import (
    DeliveryEvent,
    DeliveryFailed,
    DeliverySent,
    DeliverySettled,
    DeliveryState,
    DeliveryUnknown,
)
from schemas.steps import Found, OutcomeKind, References
from schemas.topics import Topic

TOPICS = (Topic.INTERACTIONS, Topic.COMMANDS, Topic.DELIVERIES)
ABOUT_SENT = (SettleDelivery, EditReply, DeleteReply)
ROUNDS = 3 + MOST_MERGES
"""Three, but for a case that was merged into a case that was merged: each such step leads one look further."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one input. `kind` None: applied."""

    kind: OutcomeKind | None = None
    reason: str = ""
    error: Exception | None = None


APPLIED = Result()


def wants(inputs: Sequence[Event], found: Found, handle_id: HandleId) -> References:
    """What must be loaded before deciding, asked until it is empty (three times, but for merges of merges).

    First the ids and references that the inputs name; then the cases that these lead to, and linked handles; then the
    cases that those were merged into.
    """
    references = References()
    follow = bool(found.asked)
    for event in inputs:
        try:
            if follow:
                _follow(event, found, handle_id, references)
            else:
                _ask(event, handle_id, references)
        except Exception:  # noqa: BLE001, S112  what cannot be asked for fails again when it is decided, and is told then
            continue
    return _unseen(references, found)


def _ask(event: Event, handle_id: HandleId, references: References) -> None:
    """What an input names."""
    data = event.data
    references.handled.add(marker(event))
    references.handled.add(event.id)
    if isinstance(data, InteractionReceived):
        _ask_received(event.id, data, handle_id, references)
    elif isinstance(data, InteractionBounced | InteractionReceipt):
        _ask_returned(data, references)
    elif isinstance(data, InteractionChange):
        references.want(MessageChanges, changes_id(data.target))
    elif isinstance(data, Command):
        references.want(Case, data.case)
        if isinstance(data, StartCase):
            references.want(Handle, handle_id(data.to[0].scheme, data.to[0].value))
        if isinstance(data, MergeCase):
            references.want(Case, data.into)
        if isinstance(data, ABOUT_SENT):
            references.want(Delivery, data.message)
        if isinstance(data, HideMessage):
            references.want(MessageChanges, changes_id(data.external_id))
    elif isinstance(data, DeliveryEvent) and data.case is not None:
        references.want(Case, data.case)
        _ask_sent(data, references)


def _ask_received(id: UUID, data: InteractionReceived, handle_id: HandleId, references: References) -> None:
    sender = data.sender or UNKNOWN_SENDER
    references.want(Handle, handle_id(sender.scheme, sender.value))
    for block in block_ids(sender):
        references.want(Block, block)
    references.want(Case, case_id(id))
    for reference in (*data.tokens, *references_of(data)):
        _ask_case(reference, references)
    references.numbers.update(data.numbers)
    if data.may_change:
        references.want(MessageChanges, changes_id(data.external_id))


def _ask_sent(data: DeliveryEvent, references: References) -> None:
    if isinstance(data, DeliveryFailed | DeliveryUnknown):
        references.want(Delivery, data.message)
    if data.change is not None:
        references.want(MessageChanges, changes_id(data.change.external_id))
    elif isinstance(data, DeliverySent) and data.may_change:
        references.want(MessageChanges, changes_id(data.external_id))
    if isinstance(data, DeliverySent) and data.conversation:
        references.threads.add(data.conversation)


def _ask_returned(data: InteractionBounced | InteractionReceipt, references: References) -> None:
    _ask_case(data.conversation, references)
    if isinstance(data, InteractionBounced) and data.message is not None:
        references.want(Delivery, data.message)


def _ask_case(reference: str, references: References) -> None:
    if reference.startswith(NAMES_CASE):
        references.want(Case, named_case(reference))
    else:
        references.threads.add(reference)


def _follow(event: Event, found: Found, handle_id: HandleId, references: References) -> None:
    """What the answers so far lead to."""
    data = event.data
    if isinstance(data, InteractionReceived):
        _follow_received(data, found, handle_id, references)
    elif isinstance(data, InteractionBounced | InteractionReceipt):
        reference = data.conversation
        named = named_case(reference) if reference.startswith(NAMES_CASE) else found.threads.get(reference)
        _follow_case(named, found, references)
    elif isinstance(data, InteractionChange):
        known = found.documents.get(changes_id(data.target))
        if isinstance(known, MessageChanges):
            _follow_case(known.case, found, references)
    elif isinstance(data, Command):
        _follow_case(data.case, found, references)
        _want_case_handle(data.case, found, references)
        if isinstance(data, MergeCase):
            _follow_case(data.into, found, references)
        if isinstance(data, AnswerFromTemplate):
            _want_receiver(data.case, found, handle_id, references)
        if isinstance(data, ABOUT_SENT):
            _want_sent(data.message, found, references)
    elif isinstance(data, DeliveryEvent):
        _follow_case(data.case, found, references)


def _follow_received(
    data: InteractionReceived, found: Found, handle_id: HandleId, references: References
) -> None:
    sender = data.sender or UNKNOWN_SENDER
    _follow_links(handle_id(sender.scheme, sender.value), found, references)
    for reference in references_of(data):
        _follow_case(found.threads.get(reference), found, references)
    for token in data.tokens:
        case = named_case(token)
        _follow_case(case, found, references)
        _want_case_handle(case, found, references)  # a token may prove the address that the case came from
    for number in data.numbers:
        _follow_case(found.numbers.get(number), found, references)


def _follow_links(id: UUID, found: Found, references: References) -> None:
    known = found.documents.get(id)
    if isinstance(known, Handle) and known.links:
        for linked in handle_wants(found, (id,)).documents.get(Handle, ()):
            references.want(Handle, linked)


def _follow_case(id: UUID | None, found: Found, references: References) -> None:
    """The case, and the one that it was merged into."""
    if id is None:
        return
    references.want(Case, id)
    case = found.documents.get(id)
    if isinstance(case, Case) and case.merged_into is not None:
        _follow_case(case.merged_into, found, references)


def _want_receiver(id: UUID, found: Found, handle_id: HandleId, references: References) -> None:
    """Whom an automatic answer goes to, which need not be who wrote: it is counted for both."""
    case = found.documents.get(id)
    receiver = receiver_of(case) if isinstance(case, Case) else None
    if receiver is not None:
        references.want(Handle, handle_id(receiver.scheme, receiver.value))


def _want_sent(id: UUID, found: Found, references: References) -> None:
    """What is known of a message that was sent, or of the one that it changes."""
    delivery = found.documents.get(id)
    if isinstance(delivery, Delivery):
        change = delivery.message.change
        name = change.external_id if change is not None else delivery.external_id
        references.want(MessageChanges, changes_id(name))


def _want_case_handle(id: UUID, found: Found, references: References) -> None:
    case = found.documents.get(id)
    if isinstance(case, Case):
        references.want(Handle, case.handle)


def _unseen(references: References, found: Found) -> References:
    """Without what was asked for before: asking again would find nothing new."""
    asked = found.asked
    if not asked:
        return references
    return References(
        handled=references.handled - asked.handled,
        threads=references.threads - asked.threads,
        numbers=references.numbers - asked.numbers,
        documents={
            kind: ids - asked.documents.get(kind, set())
            for kind, ids in references.documents.items()
            if ids - asked.documents.get(kind, set())
        },
    )


def leads_on(found: Found, more: Found) -> bool:
    """Whether what was just found opens new questions: asking about a whole batch again takes a tenth of deciding it."""
    if more.threads or more.numbers:
        return True
    handles = found.asked.documents.get(Handle, set())
    for document in more.documents.values():
        if isinstance(document, Case):
            if document.merged_into is not None or document.handle not in handles:
                return True
            writer, receiver = found.documents.get(document.handle), receiver_of(document)
            if receiver is not None and isinstance(writer, Handle) and receiver.value != writer.value:
                return True
        elif isinstance(document, Handle):
            if document.links:
                return True
        elif isinstance(document, Delivery) or (
            isinstance(document, MessageChanges) and document.case is not None
        ):
            return True
    return False


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
            settle(work, data.external_id, case, event.id)
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
    moved = case.moved
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
        case = settle(work, external_id, case, data.message)
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
