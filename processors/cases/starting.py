"""Messages of ours that answer nobody: the first of a conversation, and one that is handed on to somebody outside."""

from dataclasses import asdict

from processors.cases import answers
from processors.cases.replying import addressed, emit_written
from processors.cases.taking_up import must_have_room, taken
from processors.cases.wording import Written, signature_of, worded
from processors.cases.work import Work
from processors.identity import seen
from schemas.case_messages import CaseStarted
from schemas.commands import ForwardMessage, StartCase
from schemas.documents import Case, Handle
from schemas.errors import Invalid
from schemas.ids import case_number
from schemas.interactions import Role
from schemas.outbound import OutboundMessage
from schemas.sentences import said


def start(work: Work, command: StartCase) -> None:
    """A case that opens with a message of ours. What the customer answers joins it by the token that the message bears."""
    offered = answers.offered_by(work, command.channel, command.account)
    customer = command.to[0]
    if not offered.starts or customer.scheme != offered.starts:
        raise Invalid(
            said("{channel} starts no conversation with such an address", channel=said(command.channel)),
            {"to": "choose another channel"},
        )
    if offered.subject and not command.subject.strip():
        raise Invalid("a new conversation needs a subject", {"subject": "write one"})
    brand = answers.brand_of(work.facts.configuration, command.brand)
    written = Written(command.text, command.html, None, command.attachments, command.copies)
    says = worded(offered, written, signature_of(brand, command.actor))
    answers.must_take(work, command.channel, command.account, says, written)
    handle = work.facts.handle_id(customer.scheme, customer.value)
    known = work.get(Handle, handle)
    case = work.emit(
        None,
        CaseStarted(
            case=command.case,
            actor=command.actor,
            number=case_number(command.case),
            brand=command.brand,
            channel=command.channel,
            account=command.account,
            conversation=f"case:{command.case}",
            handle=handle,
            queue=command.queue,
            subject=command.subject.strip(),
            language=command.language,
            reply_recipients=(*command.to, *(each for each in command.copies if each.role is Role.CC)),
        ),
    )
    case = taken(work, case, command.actor)
    message = OutboundMessage(
        message=work.next_id(),
        case=case.id,
        channel=case.channel,
        account=case.account,
        brand=case.brand,
        conversation=case.conversation,
        recipients=(*command.to, *command.copies),
        subject=case.subject,
        attachments=command.attachments,
        author=command.actor,
        queued_at=work.facts.now,
        **asdict(says),
    )
    emit_written(work, case, message, command.send_at, addressed(work, message.recipients))
    if known is None:  # behind the case: by its entry it is known that the command was done
        document, event = seen(handle, customer, command.channel, work.facts.now)
        work.put(document)
        work.tell_identity(event)


def forward(work: Work, case: Case, command: ForwardMessage) -> None:
    """A mail of the case to somebody outside. Who is answered, and who waits, stays as it is."""
    must_have_room(case, command.send_at)
    account = answers.mail_account(work, case)
    offered = answers.offered_by(work, answers.MAIL, account)
    brand = answers.brand_of(work.facts.configuration, case.brand)
    written = Written(command.text, command.html, command.quoted, command.attachments, command.copies)
    says = worded(offered, written, signature_of(brand, command.actor) if command.text.strip() else "")
    answers.must_take(work, answers.MAIL, account, says, written)
    message = OutboundMessage(
        message=work.next_id(),
        case=case.id,
        channel=answers.MAIL,
        account=account,
        brand=case.brand,
        conversation=f"case:{case.id}",
        recipients=(*command.to, *command.copies),
        subject=command.subject.strip() or f"Fwd: {case.subject}".strip(),
        attachments=command.attachments,
        author=command.actor,
        forwarded=command.entry,
        queued_at=work.facts.now,
        **asdict(says),
    )
    emit_written(work, case, message, command.send_at, addressed(work, message.recipients))
