"""Answers and notices as they will leave: recipients, subject, text, thread."""

from datetime import datetime, timedelta
from uuid import UUID

from processors.cases.wording import Wording, Written, signature_of, worded
from processors.cases.work import Work
from processors.customers import Customer, customer_of
from processors.templates import Variables, render
from schemas.capabilities import Capabilities, FileLimits, first_fault
from schemas.configuration import Brand, Configuration, Template
from schemas.documents import Case, Handle
from schemas.errors import Invalid
from schemas.events import Actor
from schemas.interactions import Participant, Role
from schemas.outbound import OutboundMessage
from schemas.sentences import said
from schemas.steps import Found

MAIL = "email"
WEBHOOK = "webhook"
MAIL_SCHEMES = (MAIL, "email-typed")
ONE_DAY = timedelta(days=1)


def receiver_of(case: Case) -> Participant | None:
    """To whom an automatic answer goes: the writer, or the one address that the writer asked to be answered at."""
    schemes = (*MAIL_SCHEMES, case.channel)
    return next((each for each in case.reply_recipients if each.scheme in schemes), None)


def brand_of(configuration: Configuration, name: str) -> Brand:
    return next(
        (brand for brand in configuration.brands if brand.name == name), Brand(name="none", title=name)
    )


def answer(
    work: Work,
    case: Case,
    message: UUID,
    author: Actor,
    written: Written,
    subject: str = "",
    automatic: bool = False,
) -> OutboundMessage:
    """The answer to whoever a case's customer is: in the case's own conversation where its channel takes answers, else by mail.

    Raises Invalid where there is nobody to answer to, and where the channel does not take such an answer.
    """
    there = _answered_there(work, case)
    if there:
        says = worded(offered_by(work, case.channel, case.account), written)
        _must_fit(work, case, case.channel, case.account, says, written)
        return OutboundMessage(
            message=message,
            case=case.id,
            channel=case.channel,
            account=case.account,
            brand=case.brand,
            conversation=case.conversation,
            recipients=there,
            text=says.text.rstrip() if says.written == 0 else says.text,
            html=says.html,
            written=says.written,
            written_html=says.written_html,
            attachments=written.attachments,
            in_reply_to=case.last_external_id or None,
            references=case.references,
            author=author,
            automatic=automatic,
            queued_at=work.facts.now,
        )
    recipients = tuple(each for each in case.reply_recipients if each.scheme in MAIL_SCHEMES)
    if written.copies is not None:
        recipients = (*(each for each in recipients if each.role is not Role.CC), *written.copies)
    if automatic:  # a machine's answer goes to the writer alone
        recipients = recipients[:1]
    if not recipients:
        raise Invalid(
            said("case {number} has no address to answer to", number=case.number),
            {"case": "add a mail address of the customer first"},
        )
    account = mail_account(work, case)
    signature = "" if automatic else signature_of(brand_of(work.facts.configuration, case.brand), author)
    says = worded(offered_by(work, MAIL, account), written, signature)
    _must_fit(work, case, MAIL, account, says, written)
    references = tuple(each for each in case.references if each.startswith("mail:"))
    return OutboundMessage(
        message=message,
        case=case.id,
        channel=MAIL,
        account=account,
        brand=case.brand,
        conversation=f"case:{case.id}",
        recipients=recipients,
        subject=subject or answer_subject(case),
        text=says.text,
        html=says.html,
        written=says.written,
        written_html=says.written_html,
        attachments=written.attachments,
        in_reply_to=references[-1] if references else None,
        references=references,
        author=author,
        automatic=automatic,
        queued_at=work.facts.now,
    )


def mail_account(work: Work, case: Case) -> str:
    """Our mailbox that a mail about the case comes from."""
    account = case.account if case.channel == MAIL else work.facts.answer_account(case.brand)
    if account is None:
        raise Invalid(
            "no mail account can answer",
            {"email.accounts": said("add an account for the brand {brand!r}", brand=case.brand)},
        )
    return account


def offered_by(work: Work, channel: str, account: str) -> Capabilities:
    known = work.facts.capabilities.get(f"{channel}:{account}")
    return known or Capabilities(
        reply=True, html=channel == MAIL, copies=channel == MAIL, subject=True, files=FileLimits()
    )


def must_take(
    work: Work, channel: str, account: str, says: Wording, written: Written, wrote_at: datetime | None = None
) -> None:
    """Raises Invalid, before anything is queued, where the channel would not take such a message."""
    offered = work.facts.capabilities.get(f"{channel}:{account}")
    if offered is None:
        return
    count = work.facts.counts.get(channel)
    faults = offered.faults(
        says.text, written.attachments, says.html, wrote_at=wrote_at, now=work.facts.now, count=count
    )
    if written.copies and not offered.copies:
        faults["copies"] = "this channel sends no copies; leave cc and bcc away"
    if faults:
        raise Invalid(
            said("{channel} cannot take this answer: its {field} {fault}", **first_fault(channel, faults)),
            faults,
        )


def _must_fit(work: Work, case: Case, channel: str, account: str, says: Wording, written: Written) -> None:
    must_take(work, channel, account, says, written, case.wrote_at if case.channel == channel else None)


def _answered_there(work: Work, case: Case) -> tuple[Participant, ...]:
    """Whom an answer in the case's own conversation reaches; nobody where its channel takes no answers."""
    offered = work.facts.capabilities.get(f"{case.channel}:{case.account}")
    if case.channel == MAIL or offered is None or not offered.reply:
        return ()
    return tuple(each for each in case.reply_recipients if each.scheme == case.channel)


def answer_subject(case: Case) -> str:
    """The case's subject as an answer carries it, with the number that finds the case again."""
    subject = case.subject.strip() or "Your message"
    if not subject.lower().startswith(("re:", "aw:", "sv:", "odp:")):
        subject = f"Re: {subject}"
    return subject if case.number in subject else f"{subject} [#{case.number}]"


def from_template(
    work: Work, case: Case, template: Template, agent: str = "", message_text: str = ""
) -> tuple[str, str]:
    """(subject, text) of a template in the customer's language. The subject is empty where the case's is kept."""
    handle = work.get(Handle, case.handle)
    customer = customer_of(case.handle, Found(documents={case.handle: handle})) if handle else None
    variables = template_variables(
        case, customer, brand_of(work.facts.configuration, case.brand), agent, message_text
    )
    return render(template, case.language, variables)


def template_variables(
    case: Case, customer: Customer | None, brand: Brand, agent: str, message_text: str
) -> Variables:
    """What a template may name (`processors.templates.VARIABLES`). `agent` is who answers, empty in automatic answers."""
    return {
        "customer": {"name": customer.name if customer else "", **(customer.attributes if customer else {})},
        "case": {
            "number": case.number,
            "subject": case.subject,
            "queue": case.queue,
            "priority": str(case.priority),
            "language": case.language,
            "tags": list(case.tags),
        },
        "brand": {"title": brand.title, "signature": brand.signature},
        "agent": {"name": agent},
        "message": {"text": message_text},
    }


def answered_lately(handle: Handle, now: datetime) -> tuple[datetime, ...]:
    """When this handle got automatic answers in the last day."""
    return tuple(each for each in handle.answered_at if now - each < ONE_DAY)


def notice(
    work: Work, case: Case, message: UUID, author: Actor, to: str, subject: str, text: str
) -> OutboundMessage:
    """A mail about a case to somebody who is not its customer. It belongs to no case, so an answer to it joins none."""
    account = work.facts.answer_account(case.brand)
    if account is None:
        raise Invalid("no mail account can send the notice", {"email.accounts": "add an account"})
    return OutboundMessage(
        message=message,
        case=None,
        channel=MAIL,
        account=account,
        brand=case.brand,
        conversation=f"notice:{case.id}",
        recipients=(Participant(role=Role.TO, scheme=MAIL, value=to),),
        subject=subject or f"[#{case.number}] {case.subject}",
        text=text,
        author=author,
        automatic=True,
        queued_at=work.facts.now,
    )


def webhook(
    work: Work, case: Case, message: UUID, author: Actor, endpoint: str, payload: dict[str, object]
) -> OutboundMessage:
    """A webhook to an integrator's endpoint; `payload` is the CloudEvent that it tells."""
    return OutboundMessage(
        message=message,
        case=None,
        channel=WEBHOOK,
        account=endpoint,
        brand=case.brand,
        conversation=f"webhook:{endpoint}:{case.id}",
        recipients=(),
        text="",
        author=author,
        automatic=True,
        queued_at=work.facts.now,
        payload=payload,
    )
