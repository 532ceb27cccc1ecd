"""Reports that a sending service mails as JSON: Amazon SES through SNS.

https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
"""

import json
from typing import Any

from connectors.email.parse.identifiers import message_id
from connectors.email.parse.model import BounceAction, MailBounce, MailKind

LONGEST = 100_000
LONG_LINE_BREAK = "!\n "  # how sendmail breaks lines that are too long for SMTP
KINDS: dict[str, MailKind] = {"Bounce": "bounce", "Complaint": "complaint", "Delivery": "receipt"}
RECIPIENTS = {"Bounce": "bouncedRecipients", "Complaint": "complainedRecipients", "Delivery": "recipients"}


def read_notification(text: str) -> tuple[MailKind, MailBounce] | None:
    """The report inside a text that begins with JSON; None for any other text."""
    start = text[: 2 * LONGEST].lstrip().replace(LONG_LINE_BREAK, "")
    if not start.startswith("{") or len(start) > LONGEST or "otificationType" not in start:
        return None
    try:
        # The service appends its unsubscribe footer below the JSON.
        report, _ = json.JSONDecoder().raw_decode(start)
    except (ValueError, RecursionError):
        return None
    if not isinstance(report, dict):
        return None
    name = str(report.get("notificationType") or report.get("eventType"))
    kind = KINDS.get(name)
    if kind is None:
        return None
    return kind, _bounce(name, _mapping(report.get(name.lower())), _mapping(report.get("mail")))


def _bounce(name: str, details: dict[str, Any], mail: dict[str, Any]) -> MailBounce:
    found = details.get(RECIPIENTS[name])
    entries = found if isinstance(found, list) else []
    addresses = [
        address
        for entry in entries
        if isinstance(address := entry.get("emailAddress") if isinstance(entry, dict) else entry, str)
    ]
    first = _mapping(entries[0]) if entries else {}
    is_transient = details.get("bounceType") == "Transient"
    identifier = _mapping(mail.get("commonHeaders")).get("messageId")
    return MailBounce(
        recipient=addresses[0] if addresses else None,
        recipients=tuple(addresses),
        status=_text(first.get("status")),
        action="unknown"
        if name == "Complaint"
        else "delivered"
        if name == "Delivery"
        else _action(is_transient),
        diagnostic=_text(first.get("diagnosticCode")) or _text(details.get("complaintFeedbackType")),
        original_message_id=message_id(identifier)
        if isinstance(identifier, str)
        else _text(mail.get("messageId")),
    )


def _action(is_transient: bool) -> BounceAction:
    return "delayed" if is_transient else "failed"


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value[:2000] if isinstance(value, str) and value else None
