"""A case's timeline as a conversation: the customer's side, ours, notes across, steps as quiet lines, days between them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from markupsafe import Markup

from hub.console.outcomes import (
    ChangeView,
    DeliveryView,
    HideView,
    change_offered,
    change_that_failed,
    hiding_offered,
    outcome,
)
from hub.console.step_words import CHANGE_ASKED, delivery_words, step_words
from hub.console.telling import Telling, actor_name
from hub.console.text import safe_html, split_quoted, split_rest
from hub.console.words import Moment, Words
from hub.http.previews import kind_of
from schemas.documents import Entry, EntryKind
from schemas.interactions import Attachment, Role

SIDES = {EntryKind.MESSAGE: "theirs", EntryKind.REPLY: "ours", EntryKind.NOTE: "note"}
PLAIN = Markup("")


@dataclass(frozen=True, slots=True)
class FileView:
    name: str
    size: str
    url: str | None
    icon: str
    note: str
    picture: str = ""
    """Where the picture is shown, painted anew."""
    look: str = ""
    """SHA-256 of what can be shown besides: text and PDF."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the conversation. `side`: theirs, ours, note or step; `day` is set where a new day begins."""

    id: UUID
    sequence: int
    side: str
    at: Moment
    day: str = ""
    who: str = ""
    address: str = ""
    text: str = ""
    rest: str = ""
    quoted: str = ""
    html: bool = False
    formatted: Markup = PLAIN
    """Our own text, where it was formatted."""
    forwarded: bool = False
    verified: bool = False
    suspect: bool = False
    typed: bool = False
    automatic: bool = False
    to: str = ""
    subject: str = ""
    files: tuple[FileView, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    consents: tuple[tuple[str, str], ...] = ()
    delivery: DeliveryView | None = None
    edited: str = ""
    deleted: str = ""
    hidden: str = ""
    hide: HideView | None = None
    withheld: bool = False
    reactions: tuple[tuple[str, str], ...] = ()
    """Emoji, and who marked the message by it."""
    asked: str = ""
    """That a change of it is on its way."""
    change: ChangeView | None = None


def lines(entries: Sequence[Entry], telling: Telling, subject: str = "") -> list[Line]:
    """Oldest first, of entries that come newest first. A subject is shown where it is another than the case's."""
    told: list[Line] = []
    day = ""
    taken_in = {entry.detail.get("absorbed") for entry in entries if entry.step == "absorbed"}
    for entry in reversed(entries):
        if entry.step == "merged" and str(entry.case) in taken_in:
            continue  # told from the side of the case that stays
        this_day = telling.words.day(shown_at(entry))
        line = _line(entry, telling, this_day if this_day != day else "", subject)
        if line is not None:
            told.append(line)
            day = this_day
    return told


def shown_at(entry: Entry) -> datetime:
    """A source's clock may be wrong, so a message stands where it arrived."""
    return entry.received_at


def _line(entry: Entry, telling: Telling, day: str, subject: str) -> Line | None:
    side = SIDES.get(entry.kind)
    if side is None:
        said = (
            delivery_words(entry, telling) if entry.kind is EntryKind.DELIVERY else step_words(entry, telling)
        )
        at = telling.words.clock(shown_at(entry))
        what_became = change_that_failed(entry, telling.words) if entry.step == CHANGE_ASKED else None
        step = Line(entry.id, entry.sequence, "step", at, day, text=said, delivery=what_became)
        return step if said else None
    new, quoted = split_quoted(entry.text, entry.text_new)
    if entry.form is not None:
        quoted = ""  # the whole text is the fields once more
    text, rest = split_rest(new)
    line = Line(
        id=entry.id,
        sequence=entry.sequence,
        side=side,
        at=telling.words.clock(shown_at(entry)),
        day=day,
        text=text,
        rest=rest,
        quoted=quoted,
        html=bool(entry.html) and side == "theirs",
        formatted=safe_html(entry.html) if entry.html and side == "ours" else PLAIN,
        forwarded="forwarded" in entry.detail,
        to=_readers(entry, telling.words) if side == "ours" else "",
        subject=entry.subject if side == "theirs" and _differs(entry, subject) else "",
        files=tuple(_file(entry, each, telling) for each in entry.attachments),
        fields=_fields(entry, new),
        consents=tuple(entry.form.consent.items()) if entry.form else (),
        delivery=outcome(entry, telling.words),
        change=change_offered(entry, telling),
        hide=hiding_offered(entry, telling),
    )
    return _signed(_changed(line, entry, telling.words), entry, telling)


def _readers(entry: Entry, words: Words) -> str:
    """To whom a message of ours went; copies are named as such."""
    copies = {Role.CC: words.t("writing.cc"), Role.BCC: words.t("writing.bcc")}
    return ", ".join(
        f"{each.name or each.value} ({copies[each.role]})" if each.role in copies else each.name or each.value
        for each in entry.participants
    )


def _changed(line: Line, entry: Entry, words: Words) -> Line:
    """The line with what happened to its message since it was written (hub.shown)."""
    edited, deleted = _moment(entry, "edited_at", words), _moment(entry, "deleted_at", words)
    by = str(entry.detail.get("deleted_by") or "")
    if deleted:
        key = "message.deleted-by" if by else "message.deleted"
        deleted = words.t(key, when=deleted, name=by)
    asked = entry.detail.get("asked")
    hidden = _moment(entry, "hidden_at", words)
    return replace(
        line,
        hidden=words.t("message.hidden", when=hidden, name=str(entry.detail.get("hidden_by") or ""))
        if hidden
        else "",
        asked=words.t(f"message.asked-{asked.get('kind')}") if isinstance(asked, dict) else "",
        edited=words.t("message.edited", when=edited) if edited else "",
        deleted=deleted,
        withheld=entry.detail.get("withheld") is True,
        reactions=tuple(_reactions(entry.detail.get("reactions"))),
    )


def _moment(entry: Entry, name: str, words: Words) -> str:
    at = entry.detail.get(name)
    return words.ago(datetime.fromisoformat(at)).words if isinstance(at, str) else ""


def _reactions(told: object) -> Iterator[tuple[str, str]]:
    for each in told if isinstance(told, list) else ():
        yield str(each.get("emoji", "")), ", ".join(map(str, each.get("by", ())))


def _fields(entry: Entry, said: str) -> tuple[tuple[str, str], ...]:
    """The fields of a form that are not said already: above as the message, or as the name and address of the writer."""
    if entry.form is None:
        return ()
    known = {said.strip(), *(text for each in entry.participants for text in (each.name, each.value))}
    return tuple((name, value) for name, value in entry.form.fields.items() if value.strip() not in known)


def _differs(entry: Entry, usual: str) -> bool:
    """Where a channel knows no subjects, it is the first words of the text, which need not be said twice."""
    subject = entry.subject.casefold()
    return bool(subject) and usual.casefold() not in subject and not entry.text.casefold().startswith(subject)


def _signed(line: Line, entry: Entry, telling: Telling) -> Line:
    """The line with who wrote it, and how sure that is."""
    automatic = "auto" in entry.flags
    if entry.kind is not EntryKind.MESSAGE:
        return replace(line, who=actor_name(entry.actor, telling), automatic=automatic)
    sender = next((each for each in entry.participants if each.role is Role.FROM), None)
    name = (sender.name or sender.value) if sender else actor_name(entry.actor, telling)
    return replace(
        line,
        who=name,
        address=sender.value if sender and sender.value != name and "@" in sender.value else "",
        verified=entry.verified,
        suspect=entry.spoof_suspect,
        typed=bool(sender and sender.scheme.endswith("-typed")),
        automatic=automatic,
    )


def _file(entry: Entry, attachment: Attachment, telling: Telling) -> FileView:
    words = telling.words
    icon = "image" if attachment.media_type.startswith("image/") else "paperclip"
    note, blob = words.t.said(attachment.note), attachment.blob
    if blob is None:
        note = words.t("message.not-kept", reason=note)
        return FileView(attachment.name, words.size(attachment.size), None, icon, note)
    kind = kind_of(attachment)
    return FileView(
        attachment.name,
        words.size(attachment.size),
        f"{telling.files}/entries/{entry.id}/attachments/{blob.sha256}",
        icon,
        note,
        picture=telling.sign(entry.id, blob.sha256) if kind == "picture" else "",
        look=blob.sha256 if kind in ("text", "pdf") else "",
    )
