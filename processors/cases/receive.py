"""A message comes in: which case it joins, or the case that it opens, and who wrote it."""

from datetime import datetime, timedelta
from uuid import UUID

from processors.automation import AUTOMATIC_FLAGS
from processors.cases.work import Work, named_case
from processors.facts import RECIPIENT_ROLES, interaction_facts
from processors.hours import add_business_minutes
from processors.identity import MOST_LINKS, are_linked, consents, linked, proves, seen
from schemas.case_messages import CaseOpened, CaseReceived
from schemas.case_work import CaseReopened, CaseRouted, CaseWoken
from schemas.cases import CaseState
from schemas.documents import Case, Handle
from schemas.errors import Never
from schemas.events import SYSTEM, Actor
from schemas.identity import Evidence
from schemas.ids import case_id, case_number
from schemas.interactions import InteractionReceived, Kind, Participant, Role

CC, REPLY_TO = Role.CC, Role.REPLY_TO
TOKEN, THREAD, NUMBER = "token", "thread", "number"
UNKNOWN_SENDER = Participant(role=Role.FROM, scheme="unknown", value="unknown")


def is_automatic(received: InteractionReceived) -> bool:
    return received.kind is Kind.AUTO_REPLY or not AUTOMATIC_FLAGS.isdisjoint(received.flags)


def references_of(received: InteractionReceived) -> tuple[str, ...]:
    """All references that could lead to the message's case, the nearest first; the same may come twice."""
    return (*received.parents, received.conversation, received.external_id)


def receive(work: Work, received: InteractionReceived) -> Case:
    """Decide what an interaction does: join, reopen, follow up or open; link a typed address that it proves. Returns its case."""
    sender = received.sender or UNKNOWN_SENDER
    handle = _sender(work, sender, received)
    joined = _find(work, received, handle)
    if joined is None:
        case = _open(work, received, sender, handle, None)
    elif _is_over(work, joined[0]):
        case = _open(work, received, sender, handle, joined[0].id)
    else:
        case = _join(work, received, sender, handle, *joined)
        _prove(work, received, sender, handle, joined[1])
    work.claim(received.conversation, case.id)
    work.claim(received.external_id, case.id)
    if received.form is not None:
        _consent(work, received, handle)
    return case


def _consent(work: Work, received: InteractionReceived, handle: UUID) -> None:
    given = consents(handle, work.cause.id, received)
    for consent in given:
        work.tell_identity(consent)
    known = work.get(Handle, handle)
    if given and known is not None:
        texts = {each.consent: each.text_version for each in given}
        work.put(known.model_copy(update={"consents": {**known.consents, **texts}}))


def _sender(work: Work, sender: Participant, received: InteractionReceived) -> UUID:
    id = work.facts.handle_id(sender.scheme, sender.value)
    known = work.get(Handle, id)
    if known is None:
        document, event = seen(id, sender, received.channel, work.facts.now)
        work.put(document)
        work.tell_identity(event)
    elif sender.name and not known.name:
        work.put(known.model_copy(update={"name": sender.name}))
    return id


def _find(work: Work, received: InteractionReceived, handle: UUID) -> tuple[Case, str] | None:
    """The case to join and how it was known. A token is proof, and so is a thread that the channel vouches for; else it needs a known participant."""
    for token in received.tokens:
        case = _case_of(work, token)
        if case is not None:
            return case, TOKEN
    for reference in references_of(received):
        case = _case_of(work, reference)
        if case is not None and (received.thread_is_proven or _takes_part(case, handle)):
            return case, THREAD
    for number in received.numbers:
        id = work.number(number)
        case = work.case(id) if id else None
        if case is not None and _takes_part(case, handle):
            return case, NUMBER
    return None


def _takes_part(case: Case, handle: UUID) -> bool:
    return handle in case.participants or handle in case.outside


def _is_outside(case: Case, handle: UUID) -> bool:
    """Whether a message was forwarded to who writes: what they say is read, and the customer is answered as before."""
    return handle in case.outside and handle not in case.participants


def _case_of(work: Work, reference: str) -> Case | None:
    id = work.thread(reference)
    return work.case(id) if id else None


def _is_over(work: Work, case: Case) -> bool:
    """Whether the queue wants a new case for an answer that comes this long after resolving."""
    queue = work.facts.queues.get(case.queue)
    if queue is None or queue.reopen_days is None or case.resolved_at is None:
        return False
    if case.state is not CaseState.RESOLVED:
        return False
    return work.facts.now - case.resolved_at > timedelta(days=queue.reopen_days)


def _participants(work: Work, received: InteractionReceived) -> tuple[UUID, ...]:
    return tuple(
        [
            work.facts.handle_id(each.scheme, each.value)
            for each in received.participants
            if each.role in RECIPIENT_ROLES and not each.scheme.endswith("-own")
        ]
    )


def _recipients(received: InteractionReceived, sender: Participant) -> tuple[Participant, ...]:
    """To whom an answer goes: where the writer asks for it, with those in copy."""
    asked = [each for each in received.participants if each.role is REPLY_TO]
    to = asked or ([sender] if sender is not UNKNOWN_SENDER else [])
    copies = [each for each in received.participants if each.role is CC and not each.scheme.endswith("-own")]
    answered = [each.model_copy(update={"role": Role.TO}) for each in to]
    if not copies:
        return tuple(answered)
    known = {(each.scheme, each.value) for each in answered}
    return tuple(answered + [each for each in copies if (each.scheme, each.value) not in known])


def _customer(sender: Participant, handle: UUID) -> Actor:
    return Actor.model_construct(kind="customer", id=str(handle), name=sender.name or sender.value)


def _open(
    work: Work, received: InteractionReceived, sender: Participant, handle: UUID, related: UUID | None
) -> Case:
    id = case_id(work.cause.id)
    if work.get(Case, id) is not None:
        raise Never(f"case {id} exists already, and yet its interaction was not applied")
    opened = CaseOpened.model_construct(
        case=id,
        actor=_customer(sender, handle),
        interaction=work.cause.id,
        handle=handle,
        participants=_participants(work, received),
        external_id=received.external_id,
        received_at=received.received_at,
        reply_recipients=_recipients(received, sender),
        automatic=is_automatic(received),
        number=case_number(id),
        brand=received.brand,
        channel=received.channel,
        account=received.account,
        conversation=received.conversation,
        subject=received.content.subject,
        language=received.content.language,
        related=related,
    )
    case = work.emit(None, opened, received)
    return _route(work, case, received)


def _route(work: Work, case: Case, received: InteractionReceived) -> Case:
    router = work.facts.router
    within_hours = router.within_hours(received.received_at, received.brand, received.queue_hint)
    known = interaction_facts(received, work.attributes(case.handle), within_hours)
    routing = router.route(known, received.queue_hint)
    return work.emit(
        case,
        CaseRouted.model_construct(
            case=case.id,
            actor=SYSTEM,
            queue=routing.queue,
            priority=routing.priority,
            tags=routing.tags,
            due_at=None if is_automatic(received) else due_at(work, routing.queue, received.received_at),
            decision=routing.decision,
        ),
    )


def due_at(work: Work, queue: str, start: datetime) -> datetime | None:
    """When the first answer of a case that waits in this queue since `start` is due, in the queue's business hours."""
    configured = work.facts.queues.get(queue)
    if configured is None or configured.first_response_minutes is None:
        return None
    return add_business_minutes(work.facts.router.hours_of(queue), start, configured.first_response_minutes)


def _join(
    work: Work, received: InteractionReceived, sender: Participant, handle: UUID, case: Case, joined_by: str
) -> Case:
    automatic = is_automatic(received)
    actor = _customer(sender, handle)
    outside = _is_outside(case, handle)
    joined = CaseReceived.model_construct(
        case=case.id,
        actor=actor,
        interaction=work.cause.id,
        handle=handle,
        participants=_participants(work, received),
        external_id=received.external_id,
        received_at=received.received_at,
        reply_recipients=() if automatic or outside else _recipients(received, sender),
        automatic=automatic,
        joined_by=joined_by,
    )
    case = work.emit(case, joined, received)
    if automatic:
        return case
    if case.state is CaseState.RESOLVED:
        return work.emit(case, CaseReopened(case=case.id, actor=actor, reason="the customer answered"))
    if case.state is CaseState.SNOOZED:
        return work.emit(case, CaseWoken(case=case.id, actor=actor, reason="the customer answered"))
    return case


def _prove(
    work: Work, received: InteractionReceived, sender: Participant, handle: UUID, joined_by: str
) -> None:
    """An answer with our token, from the address that was typed into a form, proves that address.

    The case of the token counts, wherever it was merged to since. Proof is welcome and not needed: without room for the link
    the message joins all the same.
    """
    if joined_by != TOKEN or received.authentication.spoof_suspect:
        return
    named = (work.get(Case, named_case(token)) for token in received.tokens)
    handles = (work.get(Handle, case.handle) for case in named if case is not None)
    typed = next((each for each in handles if each is not None and proves(each, sender)), None)
    writer = work.get(Handle, handle)
    if typed is None or writer is None or are_linked(typed, writer):
        return
    if max(len(typed.links), len(writer.links)) >= MOST_LINKS:
        return
    evidence = Evidence(kind="reply-token", interaction=work.cause.id)
    typed, writer, event = linked(typed, writer, evidence, SYSTEM, work.facts.now)
    work.put(typed)
    work.put(writer)
    work.tell_identity(event)
