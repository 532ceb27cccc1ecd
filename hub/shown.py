"""Entries as they are shown: with what happened to their messages since. Every reader of entries for people goes through here.

What is stored stays as it was written. An edit shows the last text; a deletion shows that it was deleted, and where the
channel's terms ask for it nothing else; reactions stand in `detail`.
"""

from collections.abc import Sequence
from uuid import UUID

from schemas.documents import Delivery, Entry
from schemas.message_changes import MessageChanges, changes_id
from schemas.ports import Engine
from schemas.steps import References

NAMED = "external_id"
"""In the detail of entries whose message may change."""
ACCOUNT = "account"
"""In the detail of the same: of the entry's channel, by which the message came or left."""


async def shown(engine: Engine, entries: Sequence[Entry]) -> list[Entry]:
    """The entries, each with its changes. Costs no query where none may change."""
    names = {each.id: changes_id(name) for each in entries if (name := name_of(each))}
    names |= _edited_later(entries)
    names |= await _answers(engine, entries)
    if not names:
        return list(entries)
    found = await engine.load(References(documents={MessageChanges: set(names.values())}))
    return [
        _with(each, found.documents.get(names[each.id])) if each.id in names else each for each in entries
    ]


async def shown_entry(engine: Engine, id: UUID) -> Entry | None:
    """One entry; None where there is none."""
    entry = (await engine.load(References(entries={id}))).entries.get(id)
    if entry is None:
        return None
    return (await shown(engine, [entry]))[0]


async def _answers(engine: Engine, entries: Sequence[Entry]) -> dict[UUID, UUID]:
    """Of answers that were sent: the channel's name of one is known by its delivery."""
    sent = {each.message for each in entries if each.kind == "reply" and each.delivery == "sent"}
    wanted = {each for each in sent if each is not None}
    if not wanted:
        return {}
    found = (await engine.load(References(documents={Delivery: wanted}))).documents
    deliveries = {each.id: each for each in found.values() if isinstance(each, Delivery)}
    return {
        each.id: changes_id(deliveries[each.message].external_id)
        for each in entries
        if each.kind == "reply" and each.message in deliveries and deliveries[each.message].external_id
    }


def _edited_later(entries: Sequence[Entry]) -> dict[UUID, UUID]:
    """Of channels whose messages do not change: those that were read again and are told to be edited beside them."""
    found: dict[UUID, UUID] = {}
    for each in entries:
        edited, name = each.detail.get("entry"), each.detail.get(NAMED)
        if each.step == "message-edited" and edited and isinstance(name, str):
            found[UUID(str(edited))] = changes_id(name)
    return found


def name_of(entry: Entry) -> str:
    """The channel's name of a customer's message that may change; empty for all else."""
    name = entry.detail.get(NAMED)
    return name if isinstance(name, str) and entry.kind == "message" else ""


def _with(entry: Entry, changes: object) -> Entry:
    if not isinstance(changes, MessageChanges) or changes.entry not in (None, entry.id):
        return entry
    detail = dict(entry.detail)
    if changes.way is not None:
        detail[ACCOUNT] = changes.way.account
    update: dict[str, object] = {"detail": detail}
    if changes.edits:
        last = changes.edits[-1]
        content = last.content
        detail["edited_at"] = last.at.isoformat()
        detail["edited_by"] = last.by.name
        update |= {
            "subject": content.subject,
            "text": content.text,
            "text_new": content.text_new if content.text_new != content.text else "",
            "html": content.html,
        }
        if entry.kind == "message":  # an edit of ours changes the words alone
            update["attachments"] = last.attachments
    reactions = _reactions(changes)
    if reactions:
        detail["reactions"] = reactions
    if changes.deleted_at is not None:
        detail["deleted_at"] = changes.deleted_at.isoformat()
        detail["deleted_by"] = changes.deleted_by.name if changes.deleted_by else ""
    if changes.hidden_at is not None:
        detail["hidden_at"] = changes.hidden_at.isoformat()
        detail["hidden_by"] = changes.hidden_by.name if changes.hidden_by else ""
    if changes.asked is not None:
        detail["asked"] = {"kind": str(changes.asked.kind), "message": str(changes.asked.message)}
    if changes.withheld:
        detail["withheld"] = True
        update |= {"subject": "", "text": "", "text_new": "", "html": "", "attachments": (), "original": None}
    return entry.model_copy(update=update)


def _reactions(changes: MessageChanges) -> list[dict[str, object]]:
    """Each emoji with who marks the message by it now."""
    people: dict[str, list[str]] = {}
    for each in changes.reactions:
        if each.added:
            people.setdefault(each.emoji, []).append(each.by.name)
    return [{"emoji": emoji, "by": names} for emoji, names in people.items()]
