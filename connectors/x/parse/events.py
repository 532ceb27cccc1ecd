"""One item of X to an interaction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape

from connectors.kit.items import Frame, NotForUs, RawItem, Understand, Unreadable
from connectors.kit.json_body import load_json
from connectors.kit.language import guess_language
from connectors.x.names import (
    ID,
    message_name,
    post_name,
    private_conversation,
    public_conversation,
)
from connectors.x.parse.items import Json, activity_items, objects, string
from schemas.interactions import (
    Content,
    InteractionDeleted,
    InteractionEdited,
    InteractionEvent,
    InteractionReceived,
    Kind,
    Participant,
    Role,
)

EARLIEST = datetime(2006, 3, 21, tzinfo=UTC)  # the first post
SUBJECT_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class XContext:
    """Whose account it is."""

    own: str
    queue: str | None = None


def understanding(context: XContext) -> Understand:
    """The `Understand` of an account, for posts and for messages."""

    def understand(raw: RawItem, frame: Frame) -> Sequence[InteractionEvent]:
        item = _named(raw)
        kind = KINDS.get(string(item.get("kind")))
        if kind is None:
            raise Unreadable("it is neither a post nor a message")
        return [kind(item, context, frame)]

    return understand


def _named(raw: RawItem) -> Json:
    """The item itself, or the one of this name in the request that it came with, which is kept whole."""
    told = load_json(raw.body)
    if not isinstance(told, dict):
        raise Unreadable("it is no JSON object")
    if "kind" in told:
        return told
    for each in activity_items(told, raw.received_at):
        if each.name == raw.name:
            item: Json = load_json(each.body)
            return item
    raise Unreadable("the request holds nothing of this name")


def _post(item: Json, context: XContext, frame: Frame) -> InteractionEvent:
    """A post as it was first, as far as that is known; what was made of it comes as an edit."""
    post, first = _object(item, "post"), string(item.get("first"))
    sender = _author(string(post.get("author_id")), item, context)
    references = objects(post.get("referenced_tweets"))
    if any(each.get("type") == "retweeted" for each in references):
        raise NotForUs("somebody passed on a post and said nothing")
    parents = [
        post_name(string(each.get("id"))) for each in references if ID.fullmatch(string(each.get("id")))
    ]
    conversation = string(post.get("conversation_id")) or first
    return InteractionReceived(
        **frame.fields(public_conversation(context.own, conversation), _time(post.get("created_at"), frame)),
        kind=Kind.MESSAGE,
        external_id=post_name(first),
        parents=tuple(parents),
        participants=(sender,),
        content=_with_parent(_content(_text(post)), item),
        flags=("public",),
        queue_hint=context.queue,
        may_change=True,
    )


def _edit(item: Json, context: XContext, frame: Frame) -> InteractionEvent:
    """X makes a new post of each edit (https://docs.x.com/x-api/fundamentals/edit-posts)."""
    post, first = _object(item, "post"), string(item.get("first"))
    sender = _author(string(post.get("author_id")), item, context)
    conversation = string(post.get("conversation_id")) or first
    return InteractionEdited(
        **frame.fields(public_conversation(context.own, conversation), _time(post.get("created_at"), frame)),
        external_id=post_name(string(post.get("id"))),
        target=post_name(first),
        author=sender,
        content=_content(_text(post)),
    )


def _message(item: Json, context: XContext, frame: Frame) -> InteractionEvent:
    message = _object(item, "message")
    if string(message.get("event_type")) not in ("MessageCreate", ""):
        raise NotForUs("somebody joined or left a conversation")
    sender = _author(string(message.get("sender_id")), item, context)
    conversation, id = string(message.get("dm_conversation_id")), string(message.get("id"))
    if not conversation:
        raise Unreadable("the message names no conversation")
    return InteractionReceived(
        **frame.fields(
            private_conversation(context.own, conversation), _time(message.get("created_at"), frame)
        ),
        kind=Kind.MESSAGE,
        external_id=message_name(id),
        participants=(sender,),
        content=_content(string(message.get("text"))),
        queue_hint=context.queue,
        thread_is_proven=True,
    )


def _deletion(item: Json, context: XContext, frame: Frame) -> InteractionEvent:
    """X's terms ask that a deleted post be shown to nobody any more. It names only an id: the key is as if it began a thread."""
    if string(item.get("user_id")) == context.own:
        raise NotForUs("own echo")
    target = post_name(string(item.get("id")))
    return InteractionDeleted(
        **frame.fields(
            public_conversation(context.own, string(item.get("id"))), _time(item.get("at"), frame)
        ),
        external_id=f"{target}:deleted",
        target=target,
        withheld=True,
    )


def _gap(item: Json, context: XContext, frame: Frame) -> InteractionEvent:
    """Nothing of a customer's; its reason stands on the log for ever."""
    raise NotForUs(f"a gap: {string(item.get('words'))}")


KINDS: Mapping[object, Callable[[Json, XContext, Frame], InteractionEvent]] = {
    "post": _post,
    "edit": _edit,
    "dm": _message,
    "deletion": _deletion,
    "gap": _gap,
}


def _object(item: Json, name: str) -> Json:
    value = item.get(name)
    if not isinstance(value, dict):
        raise Unreadable(f"the item has no {name}")
    return value


def _author(id: str, item: Json, context: XContext) -> Participant:
    if not ID.fullmatch(id):
        raise Unreadable("nobody is named as its author")
    if id == context.own:
        raise NotForUs("own echo")
    user = item.get("user")
    user = user if isinstance(user, dict) else {}
    username = string(user.get("username"))
    name = string(user.get("name")) or username
    shown = f"{name} (@{username})" if username and username != name else name
    return Participant(role=Role.FROM, scheme="x", value=id, name=shown[:200], verified=True)


def _text(post: Json) -> str:
    """Long posts have their whole text apart (https://docs.x.com/x-api/fundamentals/data-dictionary#note-tweet)."""
    note = post.get("note_tweet")
    return (
        string(note.get("text")) if isinstance(note, dict) and note.get("text") else string(post.get("text"))
    )


def _content(text: str) -> Content:
    """X escapes `&`, `<` and `>` in texts, as HTML does."""
    text = unescape(text).strip()
    first = " ".join(text.partition("\n")[0].split())
    subject = (
        first if len(first) <= SUBJECT_CHARACTERS else first[: SUBJECT_CHARACTERS - 1].rsplit(" ", 1)[0] + "…"
    )
    return Content(subject=subject, text=text, text_new=text, language=guess_language(text))


def _with_parent(content: Content, item: Json) -> Content:
    """With the post that it answers, where the item brought it along."""
    parent = item.get("parent")
    if not isinstance(parent, dict):
        return content
    user = parent.get("user")
    return quoting(
        content, string(parent.get("text")), string(user.get("username")) if isinstance(user, dict) else ""
    )


def quoting(content: Content, text: str, username: str) -> Content:
    """With the post that it answers quoted below it: what the customer says is often not to be understood without."""
    text = unescape(text).strip()
    if not text:
        return content
    quoted = "\n".join(f"> {line}" for line in text.split("\n"))
    whole = f"{content.text}\n\n@{username}:\n{quoted}" if username else f"{content.text}\n\n{quoted}"
    return content.model_copy(update={"text": whole})


def lacks_parent(event: InteractionReceived) -> bool:
    """Whether it answers a post that is not quoted below it."""
    return bool(event.parents) and event.content.text == event.content.text_new


def _time(told: object, frame: Frame) -> datetime:
    """RFC 3339, the older form, or milliseconds since 1970; ours where it is none of them or cannot be."""
    text = string(told)
    try:
        if text.isdigit():
            at = datetime.fromtimestamp(int(text) / 1000, UTC)
        elif text[:1].isdigit():
            at = datetime.fromisoformat(text)
        else:
            at = datetime.strptime(text, "%a %b %d %H:%M:%S %z %Y")
    except (ValueError, OverflowError, OSError):
        return frame.received_at
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return at.astimezone(UTC) if EARLIEST <= at <= frame.received_at else frame.received_at
