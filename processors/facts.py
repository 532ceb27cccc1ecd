"""Facts for conditions: every field of schemas.conditions.FIELDS, from an interaction or from a case and its message.

`within_hours` and the attributes of the customer come from outside and are passed in. A fact that nobody knows is empty.
"""

from collections.abc import Iterable, Mapping

from processors.looking import Fact
from schemas.cases import CaseSummary
from schemas.documents import Entry
from schemas.interactions import FROM, FormSubmission, InteractionReceived, Kind, Participant, Role

RECIPIENT_ROLES = frozenset({Role.TO, Role.CC})
FROM_ENTRY = frozenset(
    {
        "kind", "text", "sender.address", "sender.domain", "sender.name", "sender.verified",
        "recipient", "flags", "attachments", "queue_hint",
    }
)  # fmt: skip
"""Fields of a case's facts that need its message; `form.X` does too."""


def interaction_facts(
    received: InteractionReceived, attributes: Mapping[str, str] | None = None, within_hours: bool = True
) -> dict[str, Fact]:
    """What routing rules look at: the message that opens a case. `case.*` is what a new case starts with."""
    content = received.content
    facts: dict[str, Fact] = {
        "event": "opened",
        "channel": received.channel,
        "account": received.account,
        "brand": received.brand,
        "kind": str(received.kind),
        "subject": content.subject,
        "text": content.text_new or content.text,
        "language": content.language,
        "flags": received.flags,
        "attachments": len(received.attachments),
        "queue_hint": received.queue_hint or "",
        "case.state": "open",
        "case.queue": "",
        "case.priority": "normal",
        "case.assignee": "",
        "case.tags": (),
        "within_hours": within_hours,
    }
    facts |= _people(received.participants)
    return _with_open_fields(facts, received.form, attributes)


def case_facts(
    after: CaseSummary,
    event: str,
    entry: Entry | None = None,
    attributes: Mapping[str, str] | None = None,
    within_hours: bool = True,
) -> dict[str, Fact]:
    """What automations look at: the case right after the event, and the message that the event tells of, if any."""
    facts: dict[str, Fact] = {
        "event": event,
        "channel": after.channel,
        "account": after.account,
        "brand": after.brand,
        "kind": "",
        "subject": after.subject,
        "text": "",
        "language": after.language,
        "flags": (),
        "attachments": 0,
        "queue_hint": "",
        "case.state": after.state.value,
        "case.queue": after.queue,
        "case.priority": after.priority.value,
        "case.assignee": after.assignee or "",
        "case.tags": after.tags,
        "within_hours": within_hours,
    }
    facts |= _people(entry.participants if entry else ())
    if entry is not None:
        facts["kind"] = kind_of(entry)
        facts["subject"] = entry.subject or after.subject
        facts["text"] = entry.text_new or entry.text
        facts["flags"] = entry.flags
        facts["attachments"] = len(entry.attachments)
        hint = entry.detail.get("queue_hint")
        facts["queue_hint"] = hint if isinstance(hint, str) else ""
    return _with_open_fields(facts, entry.form if entry else None, attributes)


def needs_entry(field: str) -> bool:
    """Whether a case's fact is known only with the message at hand."""
    return field in FROM_ENTRY or field.startswith("form.")


def kind_of(entry: Entry) -> str:
    """The kind of the message that an entry shows. Entries keep flags, not kinds: `auto` says that a machine wrote."""
    stated = entry.detail.get("kind")
    if isinstance(stated, str):
        return stated
    if entry.form is not None:
        return Kind.FORM.value
    return Kind.AUTO_REPLY.value if "auto" in entry.flags else Kind.MESSAGE.value


def _people(participants: Iterable[Participant]) -> dict[str, Fact]:
    everybody = tuple(participants)
    sender = None
    for each in everybody:
        if each.role is FROM:
            sender = each
            break
    return {
        "sender.address": sender.value if sender else "",
        "sender.domain": _domain(sender.value) if sender else "",
        "sender.name": sender.name if sender else "",
        "sender.verified": sender.verified if sender else False,
        "recipient": tuple([each.value for each in everybody if each.role in RECIPIENT_ROLES]),
    }


def _domain(address: str) -> str:
    return address.rpartition("@")[2] if "@" in address else ""


def _with_open_fields(
    facts: dict[str, Fact], form: FormSubmission | None, attributes: Mapping[str, str] | None
) -> dict[str, Fact]:
    facts["customer.tier"] = ""
    if attributes:
        facts |= {f"customer.{name}": value for name, value in attributes.items()}
    if form is not None:
        facts |= {f"form.{name}": value for name, value in form.fields.items()}
    return facts
