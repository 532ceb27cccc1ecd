"""Machine-readable reports: delivery status (RFC 3464), disposition (RFC 8098), feedback (RFC 5965)."""

import re
from collections.abc import Sequence

from connectors.email.parse.addresses import BARE
from connectors.email.parse.charsets import decode_text
from connectors.email.parse.identifiers import message_id
from connectors.email.parse.model import BounceAction, MailBounce
from connectors.email.parse.words import decode_words

Fields = dict[str, str]
FIELD = re.compile(r"([A-Za-z][A-Za-z0-9-]{1,60})[ \t]*:[ \t]*(.*)\Z")
STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
ACTIONS: dict[str, BounceAction] = {
    "failed": "failed",
    "failure": "failed",
    "expired": "failed",
    "error": "failed",
    "delayed": "delayed",
    "delivered": "delivered",
    "relayed": "relayed",
    "expanded": "expanded",
}
MOST_GROUPS = 500


def read_groups(content: bytes) -> list[Fields]:
    """The groups of fields between empty lines; lower-case names, unfolded values, the first of a name counts."""
    groups: list[Fields] = [{}]
    last = ""
    for line in decode_text(content[: 512 * 1024]).text.split("\n"):
        if not line.strip():
            if groups[-1]:
                groups.append({})
                if len(groups) > MOST_GROUPS:
                    break
            last = ""
            continue
        if line[0] in " \t" and last:
            groups[-1][last] = f"{groups[-1][last]} {line.strip()}"[:4000]
            continue
        match = FIELD.match(line[:4000])
        if match is None:
            last = ""
            continue
        last = match.group(1).lower()
        if last in ("final-recipient", "original-recipient") and last in groups[-1]:
            groups.append({})  # the empty line between two recipients was lost
        if last in groups[-1]:
            last = ""
            continue
        groups[-1][last] = match.group(2).strip()
    return [group for group in groups if group]


def typed_value(value: str) -> str:
    """`rfc822; user@example.com` without its type (RFC 3464, 2.1.2)."""
    kind, semicolon, rest = value.partition(";")
    return (rest if semicolon and "@" not in kind else value).strip()


def recipient_of(value: str) -> str | None:
    text = decode_words(typed_value(value)).strip()
    found = BARE.search(text)
    if found is not None:
        return found.group().strip("<>")
    plain = text.strip('<>" ')
    return plain[:320] if plain and " " not in plain else None


def delivery_status(groups: Sequence[Fields]) -> MailBounce | None:
    """A report with at least one recipient; the one that failed is preferred to those that only wait."""
    message_fields: Fields = {}
    recipients: list[tuple[str | None, Fields]] = []
    for group in groups:
        names = [group[name] for name in ("original-recipient", "final-recipient") if name in group]
        if not names and "action" not in group and "status" not in group:
            message_fields = {**group, **message_fields}
            continue
        # The original recipient is what we wrote to; the final one may be an inner alias of it (RFC 3464, 2.3.1).
        known = [found for name in names if (found := recipient_of(name))]
        with_host = [name for name in known if "@" in name]
        best = with_host or known
        recipients.append((best[0] if best else None, group))
    if not recipients:
        return None
    ranked = sorted(range(len(recipients)), key=lambda index: (_rank(recipients[index][1]), index))
    recipient, group = recipients[ranked[0]]
    return MailBounce(
        recipient=recipient,
        recipients=tuple(dict.fromkeys(name for name, _ in recipients if name)),
        status=_status(group),
        action=_action(group),
        diagnostic=_diagnostic(group),
        original_envelope_id=message_fields.get("original-envelope-id") or None,
        original_message_id=message_id(
            message_fields.get("x-original-message-id", "") or message_fields.get("original-message-id", "")
        ),
    )


def _rank(group: Fields) -> int:
    return {"failed": 0, "unknown": 1, "delayed": 2}.get(_action(group), 3)


def _action(group: Fields) -> BounceAction:
    word = re.split(r"[\s(;]", group.get("action", "").strip().lower(), maxsplit=1)[0]
    if word in ACTIONS:
        return ACTIONS[word]
    match (_status(group) or "")[:1]:
        case "5":
            return "failed"
        case "4":
            return "delayed"
        case "2":
            return "delivered"
    return "unknown"


def _status(group: Fields) -> str | None:
    found = STATUS.search(group.get("status", ""))
    if found is not None and not found.group(1).endswith(".0.0"):
        return found.group(1)
    better = STATUS.search(group.get("diagnostic-code", ""))
    if better is not None:
        return better.group(1)
    return found.group(1) if found else None


def _diagnostic(group: Fields) -> str | None:
    return typed_value(group.get("diagnostic-code", ""))[:2000] or None


def feedback(groups: Sequence[Fields]) -> MailBounce:
    """A complaint (RFC 5965): who complained is often removed; the ids are in the mail that comes with it."""
    merged: Fields = {}
    for group in groups:
        merged = {**group, **merged}
    recipient = recipient_of(merged.get("original-rcpt-to", "")) or recipient_of(
        merged.get("removal-recipient", "")
    )
    return MailBounce(
        recipient=recipient,
        recipients=(recipient,) if recipient else (),
        action="unknown",
        diagnostic=merged.get("feedback-type") or None,
        original_envelope_id=merged.get("original-envelope-id") or None,
    )
