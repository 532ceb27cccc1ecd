"""A payload to interactions, as the settings say. Pure."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from connectors.kit.downloads import Wanted
from connectors.kit.items import Frame, NotForUs, RawItem, Understand, Unreadable
from connectors.kit.json_body import load_json
from connectors.kit.language import guess_language
from connectors.webhook.pointers import find, text_at
from connectors.webhook.settings import Mapping, WebhookSource
from schemas.ids import sha256
from schemas.interactions import (
    Attachment,
    Content,
    InteractionEvent,
    InteractionReceived,
    Kind,
    Participant,
    Role,
)

CHANNEL = "webhook_in"
EMAIL = "email-typed"
LONGEST_NAME, LONGEST_KEY, LONGEST_SUBJECT = 200, 300, 200
MOST_FILES = 20
EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)


def items_of(document: object, mapping: Mapping) -> Sequence[object]:
    """The messages of a payload. Raises Unreadable where a list is expected and is not there."""
    if mapping.items is None:
        return [document]
    found = find(document, mapping.items)
    if not isinstance(found, list):
        raise Unreadable(f"there is no list at {mapping.items!r}", "split")
    return found


def item_name(item: object, mapping: Mapping) -> str:
    """What names a message: its id, else its content, whatever the order of its fields."""
    id = text_at(item, mapping.id, LONGEST_KEY)
    if id:
        return f"id:{id}"
    canonical = json.dumps(item, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"digest:{sha256(canonical.encode('utf-8', 'surrogatepass'))}"


def understanding(source: WebhookSource) -> Understand:
    """The `Understand` of one source."""
    mapping = source.mapping

    def understand(raw: RawItem, frame: Frame) -> Sequence[InteractionEvent]:
        item = load_json(raw.body)
        for condition in mapping.when:
            if text_at(item, condition.at) not in condition.is_one_of:
                raise NotForUs(f"{condition.at} is not among what the settings name")
        if find(item, mapping.text) is None:
            raise Unreadable(f"there is no text at {mapping.text!r}", "map")
        return [_received(source, item, raw, frame)]

    return understand


def _received(source: WebhookSource, item: object, raw: RawItem, frame: Frame) -> InteractionReceived:
    mapping = source.mapping
    sender = _sender(source, item)
    if sender is None:
        raise Unreadable(f"nobody stands at {mapping.sender_id or mapping.sender_email!r}", "map")
    name = f"{CHANNEL}:{source.name}:{raw.name[:LONGEST_KEY]}"
    key = text_at(item, mapping.conversation, LONGEST_KEY)
    text = _text(item, mapping)
    return InteractionReceived(
        **frame.fields(
            f"{CHANNEL}:{source.name}:{key}" if key else name, _when(item, mapping, raw.received_at)
        ),
        kind=Kind.MESSAGE,
        external_id=name,
        participants=(sender,),
        content=Content(
            subject=_subject(item, mapping, text), text=text, text_new=text, language=guess_language(text)
        ),
        attachments=tuple(
            Attachment(name=each.name, media_type="application/octet-stream", size=0, note="not fetched")
            for each in files_of(item, mapping)
        ),
        queue_hint=source.queue,
        thread_is_proven=bool(key),
    )


def _sender(source: WebhookSource, item: object) -> Participant | None:
    """By the source's own id where answers go back to it, else by a mail address that answers can go to."""
    mapping = source.mapping
    name = text_at(item, mapping.sender_name, LONGEST_NAME)
    id = text_at(item, mapping.sender_id, LONGEST_KEY)
    email = text_at(item, mapping.sender_email, 254).strip().lower()
    by_email = Participant(role=Role.FROM, scheme=EMAIL, value=email, name=name) if "@" in email else None
    if not id or (by_email is not None and source.reply is None):
        return by_email
    value = f"{source.name}/{id}"
    return Participant(role=Role.FROM, scheme=CHANNEL, value=value, name=name, verified=source.verified)


def _text(item: object, mapping: Mapping) -> str:
    fields = [(title, text_at(item, pointer)) for title, pointer in mapping.fields.items()]
    told = "\n".join(f"{title}: {value}" for title, value in fields if value)
    return "\n\n".join(each for each in (text_at(item, mapping.text).strip(), told) if each)


def _subject(item: object, mapping: Mapping, text: str) -> str:
    subject = text_at(item, mapping.subject) or text.partition("\n")[0]
    return " ".join(subject.split())[:LONGEST_SUBJECT]


def _when(item: object, mapping: Mapping, received_at: datetime) -> datetime:
    """The source's clock where it can be: neither in the future nor before there were webhooks."""
    told = text_at(item, mapping.occurred_at, 60)
    try:
        at = _number_time(float(told)) if told.replace(".", "", 1).isdigit() else datetime.fromisoformat(told)
    except (ValueError, OverflowError, OSError):
        return received_at
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    # compared first: a time at the edge of what a calendar holds has no counterpart in UTC
    return at.astimezone(UTC) if EARLIEST <= at <= received_at else received_at


def _number_time(number: float) -> datetime:
    return datetime.fromtimestamp(number / 1000 if number > 1e11 else number, UTC)


def files_of(item: object, mapping: Mapping) -> list[Wanted]:
    """The files that an item names, to be fetched."""
    if mapping.files is None:
        return []
    listed = find(item, mapping.files.at)
    found = []
    for each in listed[:MOST_FILES] if isinstance(listed, list) else ():
        url = text_at(each, mapping.files.url, 2000)
        name = text_at(each, mapping.files.name, 200) or url.partition("?")[0].rpartition("/")[2] or "file"
        if url:
            found.append(Wanted(url, name))
    return found
