"""A case's timeline as a conversation: the customer's side, ours, notes across, steps as quiet lines, days between them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from markupsafe import Markup

from hub.console.faces import Faces
from hub.console.text import safe_html, split_quoted, split_rest
from hub.console.words import Moment, Words
from hub.http.previews import kind_of
from hub.shown import ACCOUNT, name_of
from schemas.capabilities import Capabilities
from schemas.documents import Entry, EntryKind
from schemas.events import Actor
from schemas.interactions import Attachment, Role
from schemas.outbound import DeliveryState

SIDES = {EntryKind.MESSAGE: "theirs", EntryKind.REPLY: "ours", EntryKind.NOTE: "note"}
BAD = frozenset({DeliveryState.FAILED, DeliveryState.UNKNOWN, DeliveryState.BOUNCED})
TOLD_LATER = frozenset({DeliveryState.FAILED, DeliveryState.BOUNCED})
"""What may come long after the answer, so that a line of its own says when."""
TIMES = ("until", "due_at")
QUIET_STEPS = frozenset({"send-released"})
CHANGE_ASKED = "change-asked"
NOTHING = Capabilities()
PLAIN = Markup("")
QueueTitle = Callable[[str], str]


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
class DeliveryView:
    """What became of an answer of ours. `state` decides what can be done about it."""

    state: str
    words: str
    message: UUID
    is_bad: bool
    is_change: bool = False


@dataclass(frozen=True, slots=True)
class ChangeView:
    """What can be asked of an answer that was sent."""

    message: UUID
    text: str
    can_edit: bool
    can_delete: bool


@dataclass(frozen=True, slots=True)
class HideView:
    """That a customer's message can be hidden from those who read along, or is and can be shown again."""

    external_id: str
    is_hidden: bool


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


@dataclass(frozen=True, slots=True)
class Telling:
    """What lines are told with."""

    words: Words
    faces: Faces
    queue_title: QueueTitle
    files: str
    """The address of the case, below which its files have theirs; they are served from the origin of files."""
    offered: Capabilities = NOTHING
    """What the channel of the case can do with answers that left by it."""
    channel: str = ""
    able: Mapping[str, Capabilities] = field(default_factory=dict)
    """`channel:account` -> what it can do, for messages that came or left by another account than the case's."""
    sign: Callable[[UUID, str], str] = lambda _entry, _sha256: ""
    """Where a file of an entry is shown, for some minutes."""


def lines(entries: Sequence[Entry], telling: Telling, subject: str = "") -> list[Line]:
    """Oldest first, of entries that come newest first. A subject is shown where it is another than the case's."""
    told: list[Line] = []
    day = ""
    for entry in reversed(entries):
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
            _delivery_step(entry, telling) if entry.kind is EntryKind.DELIVERY else step_words(entry, telling)
        )
        at = telling.words.clock(shown_at(entry))
        what_became = _change_became(entry, telling.words) if entry.step == CHANGE_ASKED else None
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
        delivery=_delivery(entry, telling.words),
        change=_change(entry, telling),
        hide=_hide(entry, telling),
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


def actor_name(actor: Actor, telling: Telling) -> str:
    t = telling.words.t
    if actor.kind == "agent":
        return actor.name or telling.faces.agents.get(actor.id) or actor.id
    if actor.kind == "automation":
        return t("actor.automation", id=actor.name or actor.id)
    if actor.kind == "customer":
        return actor.name or t("actor.customer")
    return actor.name or t("actor.system")


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


def _delivery(entry: Entry, words: Words) -> DeliveryView | None:
    if entry.kind is not EntryKind.REPLY or entry.delivery is None or entry.message is None:
        return None
    reason = words.t.said(entry.delivery_reason) or words.t("delivery.no-reason")
    send_at = entry.detail.get("send_at")
    when = words.when(datetime.fromisoformat(send_at)).words if isinstance(send_at, str) else ""
    said = words.t(f"delivery.{entry.delivery}", reason=reason, when=when)
    return DeliveryView(str(entry.delivery), said, entry.message, entry.delivery in BAD)


def _change(entry: Entry, telling: Telling) -> ChangeView | None:
    """Of an answer that stands there, and of which nothing is asked already."""
    if entry.kind is not EntryKind.REPLY or entry.message is None:
        return None
    offered = _offered(entry, telling)
    can_edit, can_delete = offered.edit, offered.delete
    is_settled = entry.delivery is DeliveryState.SENT and not entry.detail.keys() & {"deleted_at", "asked"}
    if not is_settled or not (can_edit or can_delete):
        return None
    return ChangeView(entry.message, entry.text, can_edit, can_delete)


def _hide(entry: Entry, telling: Telling) -> HideView | None:
    """Of what a customer wrote that stands there, and of which nothing is asked already."""
    name = name_of(entry)
    if not name or not _offered(entry, telling).hide:
        return None
    if entry.detail.keys() & {"deleted_at", "asked"}:
        return None
    return HideView(name, "hidden_at" in entry.detail)


def _offered(entry: Entry, telling: Telling) -> Capabilities:
    """What the account can do by which the message came or left; the case may be answered by another one by now."""
    account = entry.detail.get(ACCOUNT)
    if account:
        return telling.able.get(f"{entry.channel}:{account}", NOTHING)
    return telling.offered if entry.channel == telling.channel else NOTHING


def _change_became(entry: Entry, words: Words) -> DeliveryView | None:
    """Where it went wrong; that it was done stands at the answer."""
    if entry.delivery not in BAD or entry.message is None:
        return None
    reason = words.t.said(entry.delivery_reason) or words.t("delivery.no-reason")
    return DeliveryView(
        str(entry.delivery),
        words.t(f"delivery.change-{entry.delivery}", reason=reason),
        entry.message,
        is_bad=True,
        is_change=True,
    )


def _delivery_step(entry: Entry, telling: Telling) -> str:
    """Only what went wrong; that an answer was sent stands at the answer itself, and of a change where it was asked for."""
    if entry.delivery not in TOLD_LATER or entry.detail.get("change"):
        return ""
    reason = telling.words.t.said(entry.delivery_reason) or telling.words.t("delivery.no-reason")
    return telling.words.t(f"step.delivery-{entry.delivery}", reason=reason)


def step_words(entry: Entry, telling: Telling) -> str:
    """One quiet sentence."""
    if entry.step in QUIET_STEPS:
        return ""
    t = telling.words.t
    values = {name: _value(name, value, telling) for name, value in entry.detail.items()}
    key = f"step.{entry.step}"
    if entry.step == "assigned" and not entry.detail.get("assignee"):
        key = "step.released"
    if entry.step == "routed" and entry.detail.get("priority") == "normal":
        key = "step.routed-plain"
    if entry.step == "message-reacted" and entry.detail.get("added") is False:
        key = "step.message-unreacted"
    if entry.step == "message-hidden" and entry.detail.get("hidden") is False:
        key = "step.message-shown"
    if entry.step == CHANGE_ASKED:
        if entry.delivery is DeliveryState.SENT:
            return ""
        key = f"step.change-asked-{entry.detail.get('kind')}"
    if entry.step == "tagged":
        values["tags"] = _tags(entry)
    values["actor"] = actor_name(entry.actor, telling)
    if key not in t:
        return t("step.other", step=entry.step, actor=values["actor"])
    return t(
        key,
        **{
            "queue": "",
            "priority": "",
            "automation": "",
            "due_at": "",
            "until": "",
            "assignee": "",
            "emoji": "",
            "reason": "",
            **values,
        },
    )


def _tags(entry: Entry) -> str:
    added, removed = entry.detail.get("added"), entry.detail.get("removed")
    parts = [f"+{tag}" for tag in added] if isinstance(added, list) else []
    parts += [f"−{tag}" for tag in removed] if isinstance(removed, list) else []
    return ", ".join(parts)


def _value(name: str, value: object, telling: Telling) -> str:
    if not isinstance(value, str):
        return ""
    if name in TIMES:
        return telling.words.when(datetime.fromisoformat(value)).words
    if name == "queue":
        return telling.queue_title(value)
    if name == "priority":
        return telling.words.t.either(f"priority.{value}", value)
    if name == "reason":
        return telling.words.t.said(value)
    if name == "assignee":
        face = telling.faces.agent(value)
        return face.name if face else value
    return value
