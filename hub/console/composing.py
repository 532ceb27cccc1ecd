"""What stands in the form of a message: formatted text, copies, a quote. As it was typed, and as the page shows it again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from starlette.datastructures import FormData

from hub.composing import Letter
from hub.correspondence import Proposal, shown
from schemas.capabilities import Capabilities
from schemas.documents import Draft, Entry, EntryKind
from schemas.errors import Invalid
from schemas.interactions import Attachment, Role
from schemas.outbound import OutboundMessage
from schemas.sentences import said

LONGEST_FIELD = 5_000
SIGNATURE = "\n\n-- \n"
LONGEST_HTML = 400_000
KEPT_FIELDS = ("to", "cc", "bcc", "subject", "quote", "sender", "queue")
"""What a draft has beside its text."""


@dataclass(frozen=True, slots=True)
class WritingView:
    """`formats`: the channel shows formatted text; `copies`: it takes cc and bcc, with `known` for suggestions."""

    formats: bool = False
    copies: bool = False
    html: str = ""
    cc: str = ""
    bcc: str = ""
    others: Sequence[str] = ()
    known: Sequence[str] = ()
    quotable: UUID | None = None
    quoting: bool = False
    opens_copies: bool = False
    """Whether somebody wrote there: what stands there by itself is told beside the mode."""


AS_TEXT = WritingView()


def writing_view(
    offered: Capabilities, proposal: Proposal | None, entries: Sequence[Entry], draft: Draft | None
) -> WritingView:
    """`entries` newest first: the customer's last message may be quoted."""
    fields = draft.fields if draft else {}
    last = next((each.id for each in entries if each.kind is EntryKind.MESSAGE and each.text), None)
    formats = offered.html or offered.markdown
    view = WritingView(
        formats=formats,
        html=draft.html if draft and formats else "",
        quotable=last if offered.html else None,
        quoting=bool(fields.get("quote")),
    )
    if proposal is None or not offered.copies:
        return view
    usual = ", ".join(shown(each) for each in proposal.cc)
    cc, bcc = fields.get("cc", usual), fields.get("bcc", "")
    return replace(
        view,
        copies=True,
        cc=cc,
        bcc=bcc,
        opens_copies=bool(bcc) or cc != usual,
        others=[shown(each) for each in proposal.others],
        known=list(dict.fromkeys(shown(each) for each in (*proposal.cc, *proposal.others, *proposal.known))),
    )


def typed(form: FormData, name: str, longest: int = LONGEST_FIELD) -> str:
    """Raises Invalid where it is longer than anything that could be meant."""
    value = form.get(name, "")
    if not isinstance(value, str):
        return ""
    if len(value) > longest:
        raise Invalid("this is too long", {name: said("at most {n} characters", n=longest)})
    return value.replace("\r\n", "\n").replace("\x00", "")


def letter_of(
    form: FormData, text: str, attachments: tuple[Attachment, ...], send_at: datetime | None
) -> Letter:
    """The message that a form holds. Without the field `cc`, those in copy so far get it."""
    return Letter(
        text=text,
        html=typed(form, "html", LONGEST_HTML),
        cc=typed(form, "cc") if "cc" in form else None,
        bcc=typed(form, "bcc"),
        quote=_quote(form),
        attachments=attachments,
        send_at=send_at,
    )


def _quote(form: FormData) -> UUID | None:
    value = typed(form, "quote").strip()
    try:
        return UUID(value) if value else None
    except ValueError:
        raise Invalid("there is no such message", {"quote": "choose a message of this case"}) from None


def kept_fields(form: FormData) -> dict[str, str]:
    """What of the form a draft keeps beside its text."""
    return {name: typed(form, name) for name in KEPT_FIELDS if name in form}


def written_text(message: OutboundMessage) -> str:
    """What the author of a message wrote, without what was put under it."""
    if message.written:
        return message.text[: message.written]
    return message.text.rpartition(SIGNATURE)[0] or message.text


def written_again(view: WritingView, message: OutboundMessage) -> WritingView:
    """The form as it was when the message was sent."""
    html = message.html[: message.written_html] if message.written_html else message.html

    def named(role: Role) -> str:
        return ", ".join(shown(each) for each in message.recipients if each.role is role)

    return replace(view, html=html if view.formats else "", cc=named(Role.CC), bcc=named(Role.BCC))
