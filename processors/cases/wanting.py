"""What must be known before inputs are decided: the cases, people and messages that they name, and what these lead to."""

from collections.abc import Sequence
from uuid import UUID

from processors.cases.answers import receiver_of
from processors.cases.receive import UNKNOWN_SENDER, references_of
from processors.cases.work import MOST_MERGES, NAMES_CASE, marker, named_case
from processors.customers import handle_wants
from processors.identity import HandleId
from schemas.blocking import Block, block_ids
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
from schemas.documents import Case, Delivery, Handle
from schemas.events import Event
from schemas.ids import case_id
from schemas.interactions import (
    InteractionBounced,
    InteractionChange,
    InteractionReceipt,
    InteractionReceived,
)
from schemas.message_changes import MessageChanges, changes_id
from schemas.outbound import DeliveryEvent, DeliveryFailed, DeliverySent, DeliveryUnknown
from schemas.steps import Found, References

ABOUT_SENT = (SettleDelivery, EditReply, DeleteReply)
ROUNDS = 3 + MOST_MERGES
"""Three, but for a case that was merged into a case that was merged: each such step leads one look further."""


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
        if delivery.message.case is not None:
            references.want(Case, delivery.message.case)  # it may have been merged since


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
