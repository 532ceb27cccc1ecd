"""The interaction that an entry is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from connectors.kit.language import guess_language
from connectors.kit.uploads import store
from connectors.webform.parse.checks import LIST_SEPARATOR, YES, normalized_address, normalized_phone
from connectors.webform.parse.entry import Entry
from connectors.webform.settings import FieldType, Form, FormField, in_language
from schemas.interactions import (
    BlobRef,
    Content,
    FormSubmission,
    InteractionReceived,
    Kind,
    Part,
    Participant,
    Role,
)
from schemas.steps import Blob

CHANNEL = "webform"
SUBJECT_CHARACTERS = 200
FIRST_CHARACTERS = 60
CUSTOMER_REF = "customer-ref"
EMAIL_TYPED = "email-typed"
PHONE_TYPED = "phone-typed"
UNDETERMINED = "und"
ANONYMOUS = "anonymous"
"""Scheme of who left no way to be reached: a handle of its own for each entry."""
FileNames = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What belongs to an entry and does not stand in it."""

    item: UUID
    key: str
    received_at: datetime
    original: BlobRef
    page_language: str | None = None
    """Of the page of ours on which it was written: the surest sign."""
    visitor_language: str | None = None
    """The first that the browser asks for: better than nothing."""
    page_url: str = ""
    customer_ref: str = ""
    """Stated by a server that signed the post; empty for every visitor."""
    flags: tuple[str, ...] = ()


def to_interaction(
    form: Form, entry: Entry, circumstances: Circumstances
) -> tuple[InteractionReceived, Sequence[Blob]]:
    """The event of an entry without problems, and the bytes of its files."""
    stored = [store(upload) for upload in entry.uploads]
    file_names: dict[str, list[str]] = {}
    for upload, (attachment, _) in zip(entry.uploads, stored, strict=True):
        file_names.setdefault(upload.field, []).append(attachment.name)
    received = InteractionReceived(
        part=Part(item=circumstances.item),
        channel=CHANNEL,
        account=form.name,
        brand=form.brand,
        conversation=f"form:{circumstances.item.hex}",
        occurred_at=circumstances.received_at,
        received_at=circumstances.received_at,
        original=circumstances.original,
        kind=Kind.FORM,
        external_id=circumstances.key,
        participants=_participants(form, entry, circumstances),
        content=_content(form, entry, circumstances, file_names),
        attachments=tuple(attachment for attachment, _ in stored),
        flags=circumstances.flags,
        form=FormSubmission(
            form=form.name,
            version=form.version,
            fields=entry.fields,
            page_url=circumstances.page_url,
            consent=entry.consents,
        ),
        queue_hint=form.queue,
    )
    return received, [blob for _, blob in stored]


def _participants(form: Form, entry: Entry, circumstances: Circumstances) -> tuple[Participant, ...]:
    """The best-known handle first: it is the sender's. What a visitor typed is never verified."""
    name = _value(form.field_that_means("name"), entry)
    address = normalized_address(_value(form.field_that_means("email"), entry))
    phone = normalized_phone(_value(form.field_that_means("phone"), entry), form.country_code)
    handles = [
        (CUSTOMER_REF, circumstances.customer_ref, True),
        (EMAIL_TYPED, address, False),
        (PHONE_TYPED, phone, False),
    ]
    known = [(scheme, value, verified) for scheme, value, verified in handles if value]
    return tuple(
        Participant(role=Role.FROM, scheme=scheme, value=value, name=name, verified=verified)
        for scheme, value, verified in known or [(ANONYMOUS, circumstances.item.hex, False)]
    )


def _content(form: Form, entry: Entry, circumstances: Circumstances, file_names: FileNames) -> Content:
    message = _value(form.field_that_means("message"), entry)
    text = _labelled(form, entry, file_names)
    title = in_language(form.title, form.default_language)
    subject = _shown(form.field_that_means("subject"), entry, form) or _first_words(message, title)
    return Content(
        subject=subject[:SUBJECT_CHARACTERS],
        text=text,
        text_new=message or text,
        language=circumstances.page_language or _guessed(message or text, circumstances.visitor_language),
    )


def _first_words(message: str, title: str) -> str:
    """What a form without a subject is about: the title alone would be the same for all that comes by it."""
    first = " ".join(message[: 4 * FIRST_CHARACTERS].split())
    if not first:
        return title
    if len(first) > FIRST_CHARACTERS:
        first = first[: FIRST_CHARACTERS - 1].rsplit(" ", 1)[0].rstrip(".,;:") + "…"
    return f"{first} ({title})"


def _guessed(text: str, otherwise: str | None) -> str:
    guess = guess_language(text)
    return otherwise if otherwise and guess == UNDETERMINED else guess


def _labelled(form: Form, entry: Entry, file_names: FileNames) -> str:
    """Every filled field under its label, as a person would read it; long ones as paragraphs behind the short ones."""
    short: list[str] = []
    long: list[str] = []
    for field in form.fields:
        shown = _shown(field, entry, form) or LIST_SEPARATOR.join(file_names.get(field.name, ()))
        if not shown or field.type == FieldType.HIDDEN:
            continue
        label = in_language(field.label, form.default_language)
        if field.type == FieldType.TEXTAREA:
            long.append(f"{_with_colon(label)}\n{shown}")
        else:
            short.append(f"{_with_colon(label)} {shown}")
    return "\n\n".join([*(["\n".join(short)] if short else []), *long])


def _with_colon(label: str) -> str:
    return label if label.endswith((":", "?", "？", "؟")) else f"{label}:"


def _shown(field: FormField | None, entry: Entry, form: Form) -> str:
    """A value with the label of its option, where it has one."""
    value = _value(field, entry)
    if field is None or not value:
        return ""
    if not field.options:
        return "✓" if field.type == FieldType.CHECKBOX and value == YES else value
    labels = {option.value: in_language(option.label, form.default_language) for option in field.options}
    if field.type == FieldType.SELECT:
        return labels.get(value, value)
    return LIST_SEPARATOR.join(
        label for chosen, label in labels.items() if chosen in value.split(LIST_SEPARATOR)
    )


def _value(field: FormField | None, entry: Entry) -> str:
    return entry.fields.get(field.name, "") if field is not None else ""
