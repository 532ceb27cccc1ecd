"""Reports of mail that did not arrive, from the strictest evidence to the weakest.

1. a delivery status part (RFC 3464); 2. the formats of many mail servers by `flufl.bounce`; 3. our own reading of
addresses and codes in a text that a mail system wrote. The returned mail gives the ids to correlate with.
"""

import email
import email.policy
import logging
import re
from collections.abc import Sequence

from connectors.email.parse.addresses import BARE, read_addresses
from connectors.email.parse.headers import Headers, read_headers
from connectors.email.parse.identifiers import message_id
from connectors.email.parse.limits import MailLimits
from connectors.email.parse.model import BounceAction, MailAddress, MailBounce
from connectors.email.parse.reports import STATUS, delivery_status, feedback, read_groups
from connectors.email.parse.structure import Part

DAEMONS = (
    "mailer-daemon",
    "postmaster",
    "mail-daemon",
    "mailerdaemon",
    "mdaemon",
    "maildaemon",
    "bounce",
    "mailsystem",
    "post_master",
)
SUBJECTS = tuple(
    """undeliver|delivery status notification|delivery failure|delivery failed|delivery report|delivery has failed
    |delivery notification|failure notice|failed delivery|failed mail|mail delivery|mail could not be delivered
    |returned mail|returned message|message delivery|message status|message undeliverable|message not delivered
    |could not send message|non delivery|non-delivery|nondeliver|not delivered|mail system error|mail failure
    |rejected mail|rejected message|[bounce]|bounce|warning: could not send|warning: message|delayed mail
    |unzustellbar|nicht zustellbar|zustellung fehlgeschlagen|unzustellbarkeitsbericht|non remis|échec de la remise
    |échec de remise|no se puede entregar|no entregado|não foi possível|não entregue|mancato recapito|onbestelbaar
    |niet bestelbaar|kunde inte levereras|ikke leveret|ei voitu toimittaa|nie można dostarczyć|niedostarczona
    |не удалось доставить|недоставленное|уведомление о доставке|配信不能|配信エラー|配信できません|未送达|退信|系统退信|전송 실패
    |undelivered|delivery problem|delivery error|unable to deliver|cannot deliver|problem delivering|returned to sender
    |loop alert|user unknown|considered unsolicited|permanent delivery failure|notification d'échec""".replace(
        "\n    ", ""
    ).split("|")
)
FAILURES = (
    "could not be delivered", "mailbox is full", "mailbox full", "user unknown", "unknown user", "no such user",
    "delivery to the following", "undeliverable", "was not delivered", "address rejected", "delivery failed",
    "does not exist", "returned to sender",
)  # fmt: skip
FLUFL_BYTES = 300_000
NOT_ASCII = bytes(range(128, 256))
TEXT_CHARACTERS = 30_000
# Where a mail system puts the mail that it returns into its own text.
RETURNED = re.compile(
    r"(?im)^[-=* ]{0,40}(?:this is a copy of (?:the|your) message|below this line is a copy|original message|returned message"
    r"|message header follow|unsent message|the header of the original|original message headers?|undelivered message"
    r"|start of returned message|received: from|return-path:|message text|the original message was)"
)
ID_LINE = re.compile(
    r"(?im)^[> \t|]{0,8}message-id[ \t]{0,4}:[ \t]*\n?[ \t]*(<[^<>\s]{3,500}>|[^\s<>]{3,500}@[^\s<>]{1,250})"
)
TO_LINE = re.compile(
    r"(?im)^[> \t]{0,8}(?:to|x-failed-recipients|final-recipient)[ \t]{0,4}:[ \t]*([^\n]{3,500})"
)
SMTP_CODE = re.compile(r"(?<![\d.])([45]\d\d)(?:[ -]|[:,;)])")


def is_daemon(sender: MailAddress | None) -> bool:
    local = sender.address.partition("@")[0].lower() if sender else ""
    return local.startswith(DAEMONS) or local.endswith(("-daemon", "mailer_daemon"))


def looks_like_bounce(
    headers: Headers, sender: MailAddress | None, return_path: str | None, subject: str, text: str, root: Part
) -> bool:
    """Enough to look for recipients in the text; a person who writes "delivery failed" is not enough."""
    if "x-failed-recipients" in headers:
        return True
    if root.media_type == "multipart/report" and _report_type(root) in ("delivery-status", ""):
        return True
    if is_daemon(sender):
        return True
    notice = text[:3000]
    says_failure = any(words in notice.lower() for words in FAILURES)
    if return_path == "" and says_failure:
        return True
    lowered = subject.lower()
    if not any(wording in lowered for wording in SUBJECTS):
        return False
    is_from_nobody = return_path == "" or sender is None
    is_auto = headers.raw("auto-submitted").lower().startswith(("auto-replied", "auto-generated"))
    has_code = STATUS.search(notice) is not None or SMTP_CODE.search(notice) is not None
    return is_from_nobody or is_auto or (lowered.startswith(SUBJECTS) and (says_failure or has_code))


def _report_type(root: Part) -> str:
    return root.content_type.parameters.get("report-type", "").lower()


def read_complaint(raw: bytes, root: Part, subject: str) -> MailBounce | None:
    # Microsoft's junk mail reports came without the report part: https://sendersupport.olc.protection.outlook.com/snds
    if subject.lower().startswith("complaint about message from ") and any(
        part.media_type == "message/rfc822" for part in root.walk()
    ):
        return MailBounce(diagnostic="abuse")
    for part in root.walk():
        if part.media_type == "message/feedback-report":
            return feedback(read_groups(part.content(raw)[0]))
    return None


def read_status(raw: bytes, root: Part) -> MailBounce | None:
    for part in root.walk():
        if part.media_type in (
            "message/delivery-status",
            "message/global-delivery-status",
            "text/delivery-status",
        ):
            found = delivery_status(read_groups(part.content(raw)[0]))
            if found is not None:
                return found
    return None


def read_unstructured(raw: bytes, headers: Headers, text: str) -> MailBounce:
    """Recipients by `flufl.bounce`, by X-Failed-Recipients, by the text; what cannot be told stays None."""
    own = text[:TEXT_CHARACTERS]
    notice = own[: found.start()] if (found := RETURNED.search(own)) and found.start() > 80 else own
    inside = delivery_status(read_groups(own.encode())) if "final-recipient:" in own.lower() else None
    recipients = list(inside.recipients) if inside else []
    recipients = recipients or _failed_header(headers) or _flufl(raw, headers, own) or _from_text(notice, own)
    status = (inside.status if inside else None) or (
        match.group(1) if (match := STATUS.search(notice)) else None
    )
    action: BounceAction = inside.action if inside else "unknown"
    if action == "unknown":
        is_delay = (status is not None and status.startswith("4")) or _says_delay(
            headers.text("subject") + "\n" + notice
        )
        action = "delayed" if is_delay else "failed"
    return MailBounce(
        recipient=recipients[0] if recipients else None,
        recipients=tuple(recipients),
        status=status,
        action=action,
        diagnostic=inside.diagnostic if inside and inside.diagnostic else _diagnostic(notice),
    )


def _says_delay(text: str) -> bool:
    lowered = text[:4000].lower()
    return any(
        words in lowered
        for words in ("will be retried", "will keep trying", "will continue to try", "has been delayed", "delivery is delayed",
                      "(delay)", "still being attempted", "warning message only", "warning: could not send", "not yet been delivered")
    )  # fmt: skip


def _failed_header(headers: Headers) -> list[str]:
    found = [
        match.group()
        for value in headers.raw_all("x-failed-recipients")
        for match in BARE.finditer(value[:10_000])
    ]
    return list(dict.fromkeys(found))


def _flufl(raw: bytes, headers: Headers, text: str) -> list[str]:
    """The library reads a standard message; what it is given is small, pure ASCII and has a sender.

    Its detectors raise on other mail, and it logs what they raise.
    """
    from flufl.bounce import scan_message  # noqa: PLC0415 slow to import, needed by few mails

    logging.getLogger("flufl.bounce").disabled = True
    ascii_only = raw[:FLUFL_BYTES].translate(None, NOT_ASCII)
    try:
        message = email.message_from_bytes(ascii_only, policy=email.policy.compat32)
        sender = str(message.get("from", ""))
        if not read_addresses(sender, 1):
            del message["from"]
            message["From"] = "mailer-daemon@localhost.invalid"
        found = scan_message(message)
    except Exception:  # noqa: BLE001 foreign detectors over foreign bytes: whatever they raise, the mail is still read
        return []
    addresses = {address for item in found if BARE.fullmatch(address := item.decode("ascii", "replace"))}
    # Message ids look like addresses, and the one who is told is not the one who failed.
    ids = {(message_id(identifier) or "") for identifier in ID_LINE.findall(text)}
    told = {address.address for address in read_addresses(headers.raw("to"), 10)}
    likely = addresses - ids - told or addresses - ids
    # As they stand in the text; what is not there (-1) comes last.
    return sorted(likely, key=lambda address: (text.find(address) % (len(text) + 1), address))


def _from_text(notice: str, whole: str) -> list[str]:
    """An address in brackets, else the first that is no daemon's, else whom the returned mail went to."""
    candidates = [match.group() for match in BARE.finditer(notice[:10_000])]
    bracketed = [address for address in candidates if f"<{address}>" in notice]
    for address in bracketed + candidates:
        if not address.lower().startswith((*DAEMONS, "noreply", "no-reply", "abuse@", "support@", "help")):
            return [address]
    for line in TO_LINE.findall(whole):
        if found := BARE.search(line):
            return [found.group()]
    return []


def _diagnostic(notice: str) -> str | None:
    """The lines that carry a code: an enhanced one first, an SMTP reply else."""
    for pattern in (STATUS, SMTP_CODE):
        found = pattern.search(notice)
        if found is not None:
            start = notice.rfind("\n", 0, found.start()) + 1
            end = notice.find("\n", found.end())
            return notice[start : len(notice) if end < 0 else end].strip()[:500] or None
    return None


def returned_headers(raw: bytes, root: Part, limits: MailLimits) -> Headers | None:
    """The headers of the mail that came back, from a part of its own."""
    for part in root.walk():
        if part is root and part.media_type not in ("message/rfc822", "text/rfc822-headers"):
            continue
        if part.media_type in (
            "message/rfc822",
            "text/rfc822-headers",
            "message/global",
            "message/global-headers",
            "message/rfc822-headers",
        ):
            content, _ = part.content(raw)
            start = len(content) - len(content.lstrip())
            block = read_headers(content, start, len(content), limits)
            if block.headers.values:
                return block.headers
    return None


def original_message_id(returned: Headers | None, text: str, tail: bytes) -> str | None:
    """From the returned headers, else from a Message-ID line in the text, else from one anywhere below it."""
    if returned is not None and (found := message_id(returned.raw("message-id"))):
        return found
    for haystack in (text[:200_000], tail.decode("latin-1")):
        lines: Sequence[str] = ID_LINE.findall(haystack)
        if lines:
            return message_id(lines[-1])
    return None
