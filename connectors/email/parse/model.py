"""What the parser says of a mail. Plain values only: every string is valid Unicode without NUL, every time has a zone."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

MailKind = Literal["message", "auto_reply", "bounce", "complaint", "receipt", "calendar", "unparsed"]

MailFlag = Literal[
    "auto",  # a machine wrote it (RFC 3834, or one of the older signs)
    "bulk",  # sent to many
    "list",  # came through a mailing list (RFC 2369, RFC 2919)
    "spam",  # a filter on the way said so
    "encrypted",  # S/MIME or PGP; the text is not readable here
    "signed_unverified",  # carries a signature that nobody here has checked
    "forwarded",  # somebody passes on a mail of another
    "truncated",  # a limit was met; the original has more
    "replaced_characters",  # some bytes fit no charset
    "null_sender",  # Return-Path <>: never answer (RFC 5321, 4.5.5)
    "loop",  # carries the mark of an answering machine against loops
    "suppress_auto_reply",  # asks that no machine answers (X-Auto-Response-Suppress)
    "calendar",  # carries an invitation or an answer to one
]

BounceAction = Literal["failed", "delayed", "delivered", "relayed", "expanded", "unknown"]


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class MailAddress(Frozen):
    """`address` as written, without comments; `name` is the display name or empty."""

    address: str
    name: str = ""


class MailAttachment(Frozen):
    """`name` is safe as a file name. `size` and `sha256` are of the decoded bytes. `content_id` has no brackets."""

    name: str
    media_type: str
    size: int
    sha256: str
    inline: bool = False
    content_id: str | None = None


class MailBounce(Frozen):
    """One failed recipient (the first one that failed). `status` is an enhanced code (RFC 3463) such as 5.1.1.

    `recipients` names every recipient the report speaks of. Ids have no angle brackets.
    """

    recipient: str | None = None
    recipients: Sequence[str] = ()
    status: str | None = None
    action: BounceAction = "unknown"
    diagnostic: str | None = None
    original_message_id: str | None = None
    original_envelope_id: str | None = None


class MailAuthentication(Frozen):
    """One Authentication-Results header (RFC 8601) as it stands. Trust it only where `authserv_id` is your own server."""

    authserv_id: str
    results: str


class ParsedMail(Frozen):
    """One mail, read.

    Message ids (`message_id`, `in_reply_to`, `references`, `bounce.original_message_id`) have no angle brackets.
    `date` is what the sender claims; the caller clamps the future. `text` is everything a person would read;
    `text_new` leaves out quotes and signature, and equals `text` where nothing else would be left. `html` is safe.
    `payloads` holds the bytes of `attachments`, one for one, and is never serialized.
    `body_digest` with `message_id` is the identity of a mail: it does not change with trace headers, line endings,
    transfer encodings or mbox quoting.
    """

    kind: MailKind
    message_id: str | None = None
    in_reply_to: str | None = None
    references: Sequence[str] = ()
    date: datetime | None = None
    sender: MailAddress | None = None
    reply_to: Sequence[MailAddress] = ()
    to: Sequence[MailAddress] = ()
    cc: Sequence[MailAddress] = ()
    delivered_to: Sequence[str] = ()
    return_path: str | None = None
    subject: str = ""
    text: str = ""
    text_new: str = ""
    html: str = ""
    attachments: Sequence[MailAttachment] = ()
    payloads: Sequence[bytes] = Field(default=(), exclude=True, repr=False)
    bounce: MailBounce | None = None
    flags: Sequence[MailFlag] = ()
    authentication: Sequence[MailAuthentication] = ()
    language: str = "und"
    warnings: Sequence[str] = ()
    body_digest: str = ""
