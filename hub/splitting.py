"""Messages that go on in a case of their own: which may, to whom an answer goes there, and since when it waits."""

from collections.abc import Sequence
from uuid import UUID

from hub.queries import PAGE_LIMIT
from hub.service import Service
from schemas.accounts import Principal
from schemas.commands import SplitCase
from schemas.documents import Case, Entry, EntryKind
from schemas.errors import Invalid
from schemas.events import Actor
from schemas.ids import case_id
from schemas.interactions import Participant, Role

MOST = 100


async def split_of(
    service: Service,
    principal: Principal,
    case: Case,
    actor: Actor,
    request: UUID,
    chosen: Sequence[UUID],
    *,
    queue: str,
    subject: str = "",
    expected: int | None = None,
) -> SplitCase:
    """Raises Invalid where there is no message of the customer's among them, or none would be left."""
    page = await service.timeline(
        principal, case, PAGE_LIMIT, kinds=(EntryKind.MESSAGE, EntryKind.REPLY, EntryKind.NOTE)
    )
    wanted = set(chosen)
    entries = [each for each in reversed(page.items) if each.id in wanted]
    messages = [each for each in entries if each.kind is EntryKind.MESSAGE]
    everything = [each for each in page.items if each.kind is EntryKind.MESSAGE]
    if len(entries) != len(wanted) or len(entries) > MOST:
        raise Invalid("these are not messages of the case", {"entries": "choose messages that stand in it"})
    if not messages:
        raise Invalid("nobody wrote what is chosen", {"entries": "choose a message of the customer"})
    if len(messages) == len(everything) and page.next is None:
        raise Invalid("nothing would be left", {"entries": "leave at least one message of the customer"})
    return SplitCase(
        case=case.id,
        actor=actor,
        expected_sequence=expected,
        into=case_id(request),
        entries=tuple(each.id for each in entries),
        handle=messages[0].handle,
        to=_answered(messages[-1]) or case.reply_recipients,
        subject=" ".join((subject or messages[0].subject).split())[:250],
        queue=queue,
        waiting_since=messages[0].received_at,
    )


def _answered(message: Entry) -> tuple[Participant, ...]:
    """Where the writer asks for the answer, with those in copy."""
    of = {role: [each for each in message.participants if each.role is role] for role in Role}
    to = of[Role.REPLY_TO] or of[Role.FROM]
    copies = [each for each in of[Role.CC] if not each.scheme.endswith("-own")]
    return (*(each.model_copy(update={"role": Role.TO}) for each in to), *copies)
