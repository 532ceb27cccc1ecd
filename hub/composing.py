"""What somebody typed becomes a command: an answer, the first message of a conversation, a message that is handed on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hub.correspondence import Correspondence, Identity, text_of
from processors.cases.answers import MAIL_SCHEMES
from schemas.commands import ForwardMessage, ReplyToCase, StartCase
from schemas.documents import Case
from schemas.errors import Invalid
from schemas.events import Actor
from schemas.ids import case_id, derive
from schemas.interactions import Attachment, Participant, Role

Typed = str | Sequence[str]
"""Addresses, in one text or in several."""
LONGEST_SUBJECT = 250


@dataclass(frozen=True, slots=True)
class Letter:
    """`html` is the formatted text; `text` is taken where there is none. `cc` None: those in copy so far."""

    text: str = ""
    html: str = ""
    cc: Typed | None = None
    bcc: Typed = ()
    quote: UUID | None = None
    attachments: tuple[Attachment, ...] = ()
    send_at: datetime | None = None

    @property
    def plain(self) -> str:
        """What it says, as plain text. Raises Invalid where that is nothing."""
        text = text_of(self.html) if self.html else self.text
        if not text.strip():
            raise Invalid("the message says nothing", {"text": "write something first"})
        return text


def new_place(user: str) -> UUID:
    """Where files and the draft of a conversation are kept that somebody has not started yet."""
    return derive("new conversation", user)


async def reply_of(
    writing: Correspondence,
    case: Case,
    actor: Actor,
    letter: Letter,
    *,
    resolve: bool = False,
    expected: int | None = None,
) -> ReplyToCase:
    return ReplyToCase(
        case=case.id,
        actor=actor,
        expected_sequence=expected,
        text=letter.plain,
        html=letter.html,
        quoted=await writing.quoted(case, letter.quote) if letter.quote is not None else None,
        copies=_copies(writing, case, letter),
        attachments=letter.attachments,
        send_at=letter.send_at,
        resolve=resolve,
    )


def _copies(writing: Correspondence, case: Case, letter: Letter) -> tuple[Participant, ...] | None:
    if letter.cc is not None:
        return writing.copies(letter.cc, letter.bcc)
    blind = writing.people(Role.BCC, letter.bcc)
    if not blind:
        return None
    before = [each for each in case.reply_recipients if each.role is Role.CC and each.scheme in MAIL_SCHEMES]
    return (*before, *blind)


def start_of(
    writing: Correspondence,
    request: UUID,
    actor: Actor,
    letter: Letter,
    *,
    sender: Identity,
    queue: str,
    to: Typed,
    subject: str,
    language: str = "und",
) -> StartCase:
    people = writing.people(Role.TO, to, sender.channel)
    if not people:
        raise Invalid("say to whom it goes", {"to": "write an address"})
    return StartCase(
        case=case_id(request),
        actor=actor,
        channel=sender.channel,
        account=sender.account,
        brand=sender.brand,
        queue=queue,
        to=people,
        copies=writing.copies(letter.cc or (), letter.bcc),
        subject=_subject(subject),
        language=language,
        text=letter.plain,
        html=letter.html,
        attachments=letter.attachments,
        send_at=letter.send_at,
    )


async def forward_of(
    writing: Correspondence,
    case: Case,
    actor: Actor,
    letter: Letter,
    *,
    entry: UUID,
    to: Typed,
    subject: str = "",
    files: Sequence[str] = (),
    expected: int | None = None,
) -> ForwardMessage:
    """`files`: of the message, by their SHA-256; those in the letter go besides."""
    people = writing.people(Role.TO, to)
    if not people:
        raise Invalid("say to whom it goes", {"to": "write an address"})
    return ForwardMessage(
        case=case.id,
        actor=actor,
        expected_sequence=expected,
        entry=entry,
        to=people,
        copies=writing.copies(letter.cc or (), letter.bcc),
        subject=_subject(subject),
        text=text_of(letter.html) if letter.html else letter.text,
        html=letter.html,
        quoted=await writing.quoted(case, entry, whole=True),
        attachments=(*letter.attachments, *await writing.handed_on(case, entry, files)),
        send_at=letter.send_at,
    )


def _subject(written: str) -> str:
    return " ".join(written.split())[:LONGEST_SUBJECT]
