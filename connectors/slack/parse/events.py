"""One event of Slack to interactions. The tables are the list of what is supported.

https://docs.slack.dev/reference/events · https://docs.slack.dev/reference/events/message
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from connectors.kit.items import Frame, NotForUs, RawItem, Unreadable
from connectors.slack.names import (
    TS,
    conversation_name,
    message_name,
    person_name,
    time_of,
)
from connectors.slack.parse.blocks import Json, string
from connectors.slack.parse.content import attachment_of, content_of, files_of
from connectors.slack.parse.emoji import emoji_of
from connectors.slack.parse.envelope import authorizations, event_of, load, part, teams_named
from schemas.interactions import (
    InteractionDeleted,
    InteractionEdited,
    InteractionEvent,
    InteractionReaction,
    InteractionReceived,
    Kind,
    Participant,
    Role,
)

GAP = "hubbub_gap"
OWN_ECHO = "own echo"
SAID_BY_PEOPLE = frozenset(
    {"", "file_share", "me_message", "thread_broadcast", "bot_message", "file_comment"}
)
"""Subtypes that somebody wrote. All others tell of the channel, and of nothing that a customer said."""


@dataclass(frozen=True, slots=True)
class SlackContext:
    """What an account knows of itself. `own_ids` are app, bot and user ids of ours, filled in once Slack told them; what an
    event says of its own receiver is used as well, so that an echo is recognised without them.
    """

    team: str
    queue: str | None = None
    channels: frozenset[str] = frozenset()
    outsiders_only: bool = False
    own_ids: set[str] = field(default_factory=set)
    teams: set[str] = field(default_factory=set)
    """Where `team` is an organization: its workspaces that the app is in."""


@dataclass(frozen=True, slots=True)
class _Told:
    """One event with what it came in."""

    envelope: Json
    event: Json
    context: SlackContext
    frame: Frame

    @property
    def at(self) -> datetime:
        return self.time(string(self.event.get("event_ts")))

    def time(self, ts: str) -> datetime:
        return time_of(ts) or self.frame.received_at

    def place(self, channel: str, ts: str) -> str:
        if not channel or not TS.fullmatch(ts):
            raise Unreadable("the event names no channel and message")
        if self.context.channels and channel not in self.context.channels and not channel.startswith("D"):
            raise NotForUs(f"channel {channel} is not among the account's channels")
        return message_name(self.context.team, channel, ts)

    def is_own(self, message: Json) -> bool:
        """Whether we wrote it: by our app, bot or user id."""
        own = {*self.context.own_ids, string(self.envelope.get("api_app_id"))}
        for each in authorizations(self.envelope):
            if each.get("is_bot") is True:
                own.add(string(each.get("user_id")))
        own.discard("")
        return any(string(message.get(name)) in own for name in ("app_id", "bot_id", "user"))

    def person(self, message: Json) -> Participant | None:
        user = string(message.get("user")) or string(message.get("bot_id"))
        if not user:
            return None
        team = string(message.get("user_team")) or string(message.get("team")) or self.context.team
        profile = message.get("user_profile")
        name = string(message.get("username"))
        if isinstance(profile, dict):
            name = string(profile.get("display_name")) or string(profile.get("real_name")) or name
        value = person_name(team, user)
        return Participant(role=Role.FROM, scheme="slack", value=value, name=name[:200], verified=True)


def understanding(context: SlackContext) -> Callable[[RawItem, Frame], Sequence[InteractionEvent]]:
    """The `Understand` of an account in one workspace."""
    return understanding_by(lambda _envelope: context)


def understanding_by(
    context_of: Callable[[Json], SlackContext],
) -> Callable[[RawItem, Frame], Sequence[InteractionEvent]]:
    """The `Understand` of one account. `context_of` raises NotForUs for an event of a workspace that it is not in."""

    def understand(raw: RawItem, frame: Frame) -> Sequence[InteractionEvent]:
        envelope = load(raw.body)
        if string(envelope.get("type")) == "app_rate_limited":
            raise NotForUs("Slack held events back: more than 30,000 came within an hour")
        event = event_of(envelope)
        kind = string(event.get("type"))
        handle = EVENTS.get(kind)
        if handle is None:
            raise NotForUs(f"events of type {kind[:60] or '(none)'} are not used")
        context = context_of(envelope)
        _must_be_ours(envelope, context.team)
        return [handle(_Told(envelope, event, context, frame))]

    return understand


def _must_be_ours(envelope: Json, team: str) -> None:
    """In a channel that organizations share an event may come from another workspace, to an app in ours."""
    named = teams_named(envelope)
    if named and team not in named:
        raise NotForUs(f"it is of the workspace {min(named)[:30]}, and this account is of {team}")


def _message(told: _Told) -> InteractionEvent:
    subtype = string(told.event.get("subtype"))
    change = CHANGES.get(subtype)
    if change is not None:
        return change(told)
    if subtype not in SAID_BY_PEOPLE:
        raise NotForUs(f"{subtype[:60]} tells of the channel")
    return _received(told)


def _received(told: _Told) -> InteractionEvent:
    message = told.event
    channel, ts = string(message.get("channel")), string(message.get("ts"))
    name = told.place(channel, ts)
    if told.is_own(message):
        raise NotForUs(OWN_ECHO)
    sender = told.person(message)
    if sender is None:
        raise NotForUs("nobody wrote it")
    ours = {told.context.team, *told.context.teams}
    if told.context.outsiders_only and sender.value.partition("/")[0] in ours:
        raise NotForUs("a colleague wrote it in Slack")
    thread = string(message.get("thread_ts"))
    root = [message_name(told.context.team, channel, thread)] if TS.fullmatch(thread) and thread != ts else []
    is_app = bool(message.get("bot_id"))
    return InteractionReceived(
        **told.frame.fields(conversation_name(told.context.team, channel, ts, thread), told.time(ts)),
        kind=Kind.MESSAGE,
        external_id=name,
        parents=tuple(root),
        participants=(sender,),
        content=content_of(message),
        attachments=tuple(attachment_of(each) for each in files_of(message)),
        flags=("auto",) if is_app else (),
        queue_hint=told.context.queue,
        may_change=True,
        thread_is_proven=True,
    )


def _changed(told: _Told) -> InteractionEvent:
    message, before = part(told.event, "message"), part(told.event, "previous_message")
    channel, ts = string(told.event.get("channel")), string(message.get("ts"))
    target = told.place(channel, ts)
    thread = string(message.get("thread_ts"))
    conversation = conversation_name(told.context.team, channel, ts, thread)
    if string(message.get("subtype")) == "tombstone":
        return InteractionDeleted(
            **told.frame.fields(conversation, told.at), external_id=f"{target}:deleted", target=target
        )
    if told.is_own(message):
        raise NotForUs(OWN_ECHO)
    if not _says_something_else(message, before):
        raise NotForUs("a link preview is no edit")
    edited = part(message, "edited")
    when = string(edited.get("ts"))
    author = told.person({**message, "user": string(edited.get("user")) or string(message.get("user"))})
    return InteractionEdited(
        **told.frame.fields(conversation, time_of(when) or told.at),
        external_id=f"{target}:edited:{when or string(told.event.get('event_ts'))}",
        target=target,
        author=author,
        content=content_of(message),
        attachments=tuple(attachment_of(each) for each in files_of(message)),
    )


def _says_something_else(message: Json, before: Json) -> bool:
    if not before:
        return True
    texts = string(message.get("text")) != string(before.get("text"))
    files = [each.id for each in files_of(message)] != [each.id for each in files_of(before)]
    return texts or files or content_of(message) != content_of(before)


def _deleted(told: _Told) -> InteractionEvent:
    """Slack does not say who took it back."""
    before = part(told.event, "previous_message")
    channel, ts = string(told.event.get("channel")), string(told.event.get("deleted_ts"))
    target = told.place(channel, ts)
    conversation = conversation_name(told.context.team, channel, ts, string(before.get("thread_ts")))
    return InteractionDeleted(
        **told.frame.fields(conversation, told.at), external_id=f"{target}:deleted", target=target
    )


def _reaction(told: _Told) -> InteractionEvent:
    """It names a message and not its thread, so that message's own name is the key."""
    item = part(told.event, "item")
    if string(item.get("type")) != "message":
        raise NotForUs("a reaction to a file")
    if told.is_own(told.event):
        raise NotForUs(OWN_ECHO)
    target = told.place(string(item.get("channel")), string(item.get("ts")))
    reaction, is_removed = string(told.event.get("reaction")), told.event.get("type") == "reaction_removed"
    change = (
        f"{target}:{reaction[:100]}:{string(told.event.get('user'))}:{string(told.event.get('event_ts'))}"
    )
    return InteractionReaction(
        **told.frame.fields(target, told.at),
        external_id=change,
        target=target,
        author=told.person(told.event),
        reaction=emoji_of(reaction),
        removed=is_removed,
    )


def _gap(told: _Told) -> InteractionEvent:
    """Ours: what was not read stands on the log for ever, with the reason."""
    raise NotForUs(f"a gap: {string(told.event.get('words'))[:300]}")


EVENTS: dict[str, Callable[[_Told], InteractionEvent]] = {
    "message": _message,
    "app_mention": _message,  # the same message comes as `message` too where the app is in the channel
    "reaction_added": _reaction,
    "reaction_removed": _reaction,
    GAP: _gap,
}
CHANGES: dict[str, Callable[[_Told], InteractionEvent]] = {
    "message_changed": _changed,
    "message_deleted": _deleted,
}
