"""From public to private in one step: who wrote where everybody reads is answered alone, and what follows stays there.

The public thread may be told once the private answer was sent, and not before: it could be refused.
"""

from uuid import UUID

from processors.cases import answers
from processors.cases.taking_up import must_be_answerable, taken_up
from processors.cases.wording import Written, worded
from processors.cases.work import Work
from schemas.case_messages import CaseReplied, CaseWentPrivate, CaseWentPublic
from schemas.commands import AnswerPrivately
from schemas.documents import Case, Moved
from schemas.errors import Invalid
from schemas.events import SYSTEM
from schemas.interactions import Role
from schemas.outbound import DeliveryEvent, DeliveryFailed, DeliverySent, OutboundMessage
from schemas.sentences import said


def answer_privately(work: Work, case: Case, command: AnswerPrivately) -> None:
    offered = answers.offered_by(work, case.channel, case.account)
    must_be_answerable(case)
    if not offered.private:
        raise Invalid(
            said("{channel} has no private way to who wrote", channel=said(case.channel)),
            {"case": "answer it where it was written"},
        )
    writer = next((each for each in case.reply_recipients if each.scheme == case.channel), None)
    if writer is None:
        raise Invalid(
            said("case {number} has nobody to write to", number=case.number),
            {"case": "nobody is known by name there"},
        )
    public = _public(work, case, command) if command.public_text.strip() else None
    written = Written(command.text, attachments=command.attachments)
    says = worded(answers.offered_by(work, case.channel, offered.private), written)
    answers.must_take(work, case.channel, offered.private, says, written)
    case = taken_up(work, case, command.actor)
    message = OutboundMessage(
        message=work.next_id(),
        case=case.id,
        channel=case.channel,
        account=offered.private,
        brand=case.brand,
        conversation=f"case:{case.id}",
        recipients=(writer.model_copy(update={"role": Role.TO}),),
        text=says.text.rstrip(),
        attachments=command.attachments,
        author=command.actor,
        queued_at=work.facts.now,
    )
    case = work.emit(case, CaseReplied(case=case.id, actor=command.actor, message=message))
    work.send(message)
    work.emit(
        case,
        CaseWentPrivate(
            case=case.id,
            actor=command.actor,
            message=message.message,
            account=message.account,
            conversation=message.conversation,
            public=public,
        ),
    )


def moved_of(work: Work, case: UUID) -> Moved | None:
    """Of the case from which a message left, whatever that one was merged into since."""
    known = work.get(Case, case)
    return known.moved if known is not None else None


def told(work: Work, case: Case, moved: Moved | None, data: DeliveryEvent) -> None:
    """What became of the private answer, where it is one. `moved`: as it was before that was known, of the case that it left from.

    A case into which that one was merged meanwhile says in public what was still to be said. It goes on where it is itself,
    so that a refusal takes nothing back.
    """
    if moved is None or moved.message != data.message:
        return
    if isinstance(data, DeliverySent):
        say_in_public(work, case, moved)
    elif isinstance(data, DeliveryFailed) and case.id == data.case:
        work.emit(
            case,
            CaseWentPublic(
                case=case.id,
                actor=SYSTEM,
                account=moved.account,
                conversation=moved.conversation,
                reason=data.reason,
            ),
        )


def say_in_public(work: Work, case: Case, moved: Moved) -> None:
    """What was still to be said where everybody reads, now that the private answer was sent."""
    if moved.public is None:
        return
    update = {"message": work.next_id(), "case": case.id, "queued_at": work.facts.now}
    said = moved.public.model_copy(update=update)
    work.emit(case, CaseReplied(case=case.id, actor=said.author, message=said))
    work.send(said)


def _public(work: Work, case: Case, command: AnswerPrivately) -> OutboundMessage:
    """As an answer would be now. Its id is that of the event that will tell of it."""
    return answers.answer(work, case, work.cause.id, command.actor, Written(command.public_text.strip()))
