"""The entry point: bytes to `ParsedMail`. Pure and total: no clock, no network, no exception for any bytes."""

import re
from dataclasses import dataclass, field

from connectors.email.parse import automatic, bounces
from connectors.email.parse.addresses import read_addresses
from connectors.email.parse.attachments import read_attachments
from connectors.email.parse.body import BodyReader
from connectors.email.parse.charsets import presentable
from connectors.email.parse.digest import body_digest, raw_digest
from connectors.email.parse.headers import Headers
from connectors.email.parse.identifiers import message_id, message_ids, read_date
from connectors.email.parse.limits import DEFAULT_LIMITS, MailLimits
from connectors.email.parse.model import (
    MailAddress,
    MailAuthentication,
    MailBounce,
    MailFlag,
    MailKind,
    ParsedMail,
)
from connectors.email.parse.notifications import read_notification
from connectors.email.parse.replies import new_text
from connectors.email.parse.structure import Part, Structure
from connectors.kit.language import guess_language

CALENDAR_METHOD = re.compile(rb"(?im)^METHOD:([A-Z]{1,20})")
SCHEDULING_METHODS = frozenset({"request", "reply", "cancel", "counter", "declinecounter", "refresh", "add"})
FORWARD_SUBJECT = re.compile(
    r"(?i)\s*(?:fwd?|wg|tr|rv|enc|i|doorst|vb|vl|pd|továbbítás|转发|轉寄|пересл|fs|ilt)\s{0,2}[::]"
)


def parse_mail(raw: bytes, limits: MailLimits = DEFAULT_LIMITS) -> ParsedMail:
    """Reads one mail in any state. What cannot be read at all is `kind="unparsed"`, with the reason in `warnings`."""
    try:
        return _Reading(raw, limits).parse()
    except Exception as error:  # noqa: BLE001 the promise is total: one mail must never stop a mailbox
        return ParsedMail(
            kind="unparsed",
            warnings=(f"unreadable: {type(error).__name__}",),
            body_digest=raw_digest(raw[: limits.message_bytes]),
        )


@dataclass
class _Reading:
    raw: bytes
    limits: MailLimits
    warnings: dict[str, None] = field(default_factory=dict)
    flags: set[MailFlag] = field(default_factory=set)

    def parse(self) -> ParsedMail:
        raw = self._bounded(self.raw)
        start = len(raw) - len(raw.lstrip(b"\r\n \t\x00"))
        if start == len(raw):
            return ParsedMail(kind="unparsed", warnings=("empty",), body_digest=raw_digest(raw))
        structure = Structure(raw, self.limits)
        root = structure.read(start if b":" in raw[start : start + 200] else 0, len(raw))
        headers = root.headers
        body = BodyReader(raw, self.limits)
        segment = body.read(root)
        attachments, payloads, faults = read_attachments(raw, body.attached, self.limits)
        for warning in (*structure.warnings, *body.warnings, *faults):
            self.warnings[warning] = None
        text = presentable(segment.text)
        if len(text) > 2 * self.limits.text_characters:
            body.is_truncated = True
            text = text[: 2 * self.limits.text_characters]
        subject = presentable(headers.text("subject"))
        sender = self._sender(headers)
        return_path = _return_path(headers)
        self._collect_flags(headers, root, subject, return_path, text, body)
        kind, bounce = self._kind(raw, headers, root, sender, return_path, subject, text)
        text_new, is_forward = new_text(text, segment.html)
        if is_forward or FORWARD_SUBJECT.match(subject):
            self.flags.add("forwarded")
        if not headers.values and not text and not attachments:
            kind = "unparsed"
            self.warnings["neither headers nor a body"] = None
        identifier = message_id(headers.raw("message-id"))
        if identifier is None:
            self.warnings["no Message-ID"] = None
        return ParsedMail(
            kind=kind,
            message_id=identifier,
            in_reply_to=message_id(headers.raw("in-reply-to")),
            references=self._references(headers),
            date=read_date(headers.text("date")),
            sender=sender,
            reply_to=self._addresses(headers, "reply-to"),
            to=self._addresses(headers, "to"),
            cc=self._addresses(headers, "cc"),
            delivered_to=_delivered_to(headers),
            return_path=return_path,
            subject=subject,
            text=text,
            text_new=text_new or text,
            html=presentable(segment.html),
            attachments=tuple(attachments),
            payloads=tuple(payloads),
            bounce=bounce,
            flags=tuple(sorted(self.flags)),
            authentication=_authentication(headers),
            language=guess_language(text_new or text or subject),
            warnings=tuple(self.warnings),
            body_digest=body_digest(raw, root),
        )

    def _bounded(self, raw: bytes) -> bytes:
        if len(raw) > self.limits.message_bytes:
            self.warnings["mail cut"] = None
            self.flags.add("truncated")
            raw = raw[: self.limits.message_bytes]
        # Old Macintosh line ends: no line feed where the headers are.
        if b"\n" not in raw[: self.limits.header_bytes] and b"\r" in raw[: self.limits.header_bytes]:
            raw = raw.replace(b"\r", b"\n")
        return raw

    def _sender(self, headers: Headers) -> MailAddress | None:
        for name in ("from", "sender", "x-sender", "resent-from"):
            found = self._addresses(headers, name)
            if found:
                if name != "from":
                    self.warnings[f"sender taken from {name.title()}"] = None
                return found[0]
        return None

    def _addresses(self, headers: Headers, name: str) -> tuple[MailAddress, ...]:
        found: list[MailAddress] = []
        for value in headers.raw_all(name)[:20]:
            found.extend(read_addresses(value, self.limits.addresses - len(found)))
        if len(found) >= self.limits.addresses:
            self.warnings[f"more than {self.limits.addresses} addresses in {name.title()}"] = None
        return tuple(found)

    def _references(self, headers: Headers) -> tuple[str, ...]:
        found = message_ids(" ".join(headers.raw_all("references")))
        half = self.limits.references // 2
        return tuple(found if len(found) <= self.limits.references else found[:half] + found[-half:])

    def _collect_flags(
        self, headers: Headers, root: Part, subject: str, return_path: str | None, text: str, body: BodyReader
    ) -> None:
        self.flags |= automatic.automatic_flags(headers, subject, return_path)
        self.flags |= _crypto_flags(root, text)
        if not body.is_exact:
            self.flags.add("replaced_characters")
        cut = {"header cut", "header block cut", "nesting too deep", "too many parts"}
        if body.is_truncated or cut & self.warnings.keys():
            self.flags.add("truncated")
        if any(part.media_type == "text/calendar" for part in root.walk()):
            self.flags.add("calendar")

    def _kind(
        self,
        raw: bytes,
        headers: Headers,
        root: Part,
        sender: MailAddress | None,
        return_path: str | None,
        subject: str,
        text: str,
    ) -> tuple[MailKind, MailBounce | None]:
        complaint = bounces.read_complaint(raw, root, subject)
        if complaint is not None:
            return self._correlated("complaint", complaint, raw, root, text)
        if any(part.media_type == "message/disposition-notification" for part in root.walk()):
            return "receipt", None
        notification = read_notification(text)
        if notification is not None:
            return notification
        status = bounces.read_status(raw, root)
        if status is not None:
            kind: MailKind = "receipt" if status.action in ("delivered", "relayed", "expanded") else "bounce"
            if status.recipient is None:
                weaker = bounces.read_unstructured(raw, headers, text)
                status = status.model_copy(
                    update={"recipient": weaker.recipient, "recipients": weaker.recipients}
                )
            return self._correlated(kind, status, raw, root, text)
        is_answer = automatic.is_auto_reply(headers, subject) and not bounces.is_daemon(sender)
        if not is_answer and bounces.looks_like_bounce(headers, sender, return_path, subject, text, root):
            return self._correlated("bounce", bounces.read_unstructured(raw, headers, text), raw, root, text)
        if _is_scheduling(raw, root):
            return "calendar", None
        return ("auto_reply" if automatic.is_auto_reply(headers, subject) else "message"), None

    def _correlated(
        self, kind: MailKind, bounce: MailBounce, raw: bytes, root: Part, text: str
    ) -> tuple[MailKind, MailBounce]:
        returned = bounces.returned_headers(raw, root, self.limits)
        identifier = bounce.original_message_id or bounces.original_message_id(
            returned, text, raw[root.start :][-200_000:]
        )
        recipient = bounce.recipient
        if recipient is None and returned is not None:
            # Hotmail's feedback loop names the recipient in a header of its own.
            to = read_addresses(returned.raw("x-hmxmroriginalrecipient") or returned.raw("to"), 1)
            recipient = to[0].address if to else None
        return kind, bounce.model_copy(
            update={
                "original_message_id": identifier,
                "recipient": recipient,
                "recipients": bounce.recipients or ((recipient,) if recipient else ()),
            }
        )


def _return_path(headers: Headers) -> str | None:
    """None where no relay wrote one; empty for the null sender."""
    if "return-path" not in headers:
        return None
    value = headers.raw("return-path").strip()
    found = read_addresses(value, 1)
    return found[0].address if found else "" if value in ("<>", "") else None


def _delivered_to(headers: Headers) -> tuple[str, ...]:
    found = [
        address.address
        for name in ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to")
        for value in headers.raw_all(name)[:50]
        for address in read_addresses(value, 50)
    ]
    return tuple(dict.fromkeys(found))


def _authentication(headers: Headers) -> tuple[MailAuthentication, ...]:
    values = headers.text_all("authentication-results")[:50]
    return tuple(
        MailAuthentication(
            authserv_id=value.partition(";")[0].split(" ")[0].strip().lower()[:255], results=value[:8000]
        )
        for value in values
    )


def _crypto_flags(root: Part, text: str) -> set[MailFlag]:
    flags: set[MailFlag] = set()
    for part in root.walk():
        match part.media_type:
            case "multipart/encrypted" | "application/pgp-encrypted":
                flags.add("encrypted")
            case (
                "multipart/signed"
                | "application/pkcs7-signature"
                | "application/x-pkcs7-signature"
                | "application/pgp-signature"
            ):
                flags.add("signed_unverified")
            case "application/pkcs7-mime" | "application/x-pkcs7-mime":
                smime_type = part.content_type.parameters.get("smime-type", "").lower()
                flags.add("signed_unverified" if smime_type == "signed-data" else "encrypted")
    if "-----BEGIN PGP MESSAGE-----" in text:
        flags.add("encrypted")
    if "-----BEGIN PGP SIGNED MESSAGE-----" in text:
        flags.add("signed_unverified")
    return flags


def _is_scheduling(raw: bytes, root: Part) -> bool:
    """An invitation, a change or an answer to one (RFC 5546); a calendar that is only published is an attachment."""
    for part in root.walk():
        if part.media_type != "text/calendar":
            continue
        method = part.content_type.parameters.get("method", "")
        if not method and (found := CALENDAR_METHOD.search(part.content(raw, 8_192)[0])):
            method = found.group(1).decode("ascii")
        if method.lower() in SCHEDULING_METHODS:
            return True
    return False
