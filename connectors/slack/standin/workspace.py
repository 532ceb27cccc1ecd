"""What a workspace holds: people, channels, messages. What happens in it becomes events, as Slack words them."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]
TEAM, APP = "T0ACME001", "A0HUBBUB1"
BOT_ID, BOT_USER = "B0HUBBUB1", "U0HUBBOT1"
METADATA = "metadata"


@dataclass
class Workspace:
    """`now` gives the time; `tell` gets each event as it happens."""

    now: Callable[[], datetime]
    tell: Callable[[Json], None] = lambda event: None
    team: str = TEAM
    users: dict[str, Json] = field(default_factory=dict)
    channels: dict[str, list[Json]] = field(default_factory=dict)
    files: dict[str, Json] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    _last: float = 0.0
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def person(self, id: str, name: str, email: str = "", team: str | None = None) -> str:
        profile = {"display_name": name, "real_name": name, "email": email}
        self.users[id] = {"id": id, "team_id": team or self.team, "name": name.lower(), "profile": profile}
        return id

    def channel(self, id: str) -> str:
        self.channels.setdefault(id, [])
        return id

    def ts(self) -> str:
        """A name for a message: the time, and never the same twice."""
        self._last = max(self.now().timestamp(), self._last + 0.0001)
        return f"{self._last:.6f}"

    # -- what people do ---------------------------------------------------------------------------------------------

    def say(self, user: str, channel: str, text: str, thread_ts: str | None = None, **more: Any) -> str:
        """A message; returns its ts. `files` takes names and bytes."""
        ts = self.ts()
        message: Json = {
            "type": "message",
            "user": user,
            "text": text,
            "ts": ts,
            "team": self.users.get(user, {}).get("team_id", self.team),
            "client_msg_id": f"00000000-0000-4000-8000-{next(self._numbers):012d}",
        }
        files: Sequence[tuple[str, bytes]] = more.pop("files", ())
        if files:
            message["files"] = [self.keep_file(name, content) for name, content in files]
            message["subtype"] = "file_share"
        message.update(more)
        self.add(channel, message, thread_ts)
        return ts

    def edit(self, channel: str, ts: str, text: str, user: str | None = None) -> None:
        message = self.find(channel, ts)
        before = dict(message)
        message["text"] = text
        message["edited"] = {"user": user or message["user"], "ts": self.ts()}
        message.pop("blocks", None)
        self._changed(channel, message, before)

    def unfurl(self, channel: str, ts: str, url: str) -> None:
        """A preview of a link comes in later; nobody edited anything."""
        message = self.find(channel, ts)
        before = dict(message)
        message["attachments"] = [{"from_url": url, "title": "A page", "fallback": "A page"}]
        self._changed(channel, message, before)

    def delete(self, channel: str, ts: str) -> None:
        message = self.find(channel, ts)
        self.channels[channel].remove(message)
        self.tell(
            {
                "type": "message",
                "subtype": "message_deleted",
                "channel": channel,
                "ts": self.ts(),
                "deleted_ts": ts,
                "hidden": True,
                "previous_message": message,
                "event_ts": self.ts(),
            }
        )

    def react(self, user: str, channel: str, ts: str, reaction: str, added: bool = True) -> None:
        self.tell(
            {
                "type": "reaction_added" if added else "reaction_removed",
                "user": user,
                "reaction": reaction,
                "item": {"type": "message", "channel": channel, "ts": ts},
                "item_user": self.find(channel, ts).get("user", ""),
                "event_ts": self.ts(),
            }
        )

    # -- what the app does ------------------------------------------------------------------------------------------

    def post(self, values: Json) -> Json:
        """chat.postMessage: the message as it stands in the channel, and its echo."""
        message: Json = {
            "type": "message",
            "subtype": "bot_message" if values.get("username") else None,
            "user": BOT_USER,
            "bot_id": BOT_ID,
            "app_id": APP,
            "text": values.get("text", ""),
            "ts": self.ts(),
            "team": self.team,
        }
        if values.get("username"):
            message["username"] = values["username"]
        if values.get("icon_url"):
            message["icons"] = {"image_64": values["icon_url"]}
        if values.get(METADATA):
            message[METADATA] = values[METADATA]
        message = {name: value for name, value in message.items() if value is not None}
        self.add(values["channel"], message, values.get("thread_ts"))
        return message

    def update(self, channel: str, message: Json, values: Json) -> None:
        """chat.update: other words, and its echo as an edit."""
        before = dict(message)
        message["text"] = values["text"]
        if values.get(METADATA):
            message[METADATA] = values[METADATA]
        message["edited"] = {"user": BOT_USER, "ts": self.ts()}
        self._changed(channel, message, before)

    def add(self, channel: str, message: Json, thread_ts: str | None) -> None:
        if thread_ts is not None:
            message["thread_ts"] = thread_ts
            for parent in self.channels[channel]:
                if parent["ts"] == thread_ts:
                    parent["thread_ts"] = thread_ts
                    parent["latest_reply"] = message["ts"]
                    parent["reply_count"] = parent.get("reply_count", 0) + 1
        self.channels[channel].append(message)
        told = {name: value for name, value in message.items() if name != METADATA}
        kind = "im" if channel.startswith("D") else "channel"
        self.tell({**told, "channel": channel, "channel_type": kind, "event_ts": message["ts"]})

    def keep_file(self, name: str, content: bytes) -> Json:
        id = f"F{next(self._numbers):08d}"
        self.contents[id] = content
        self.files[id] = {"id": id, "name": name, "title": name, "size": len(content), "mode": "hosted"}
        return self.files[id]

    def find(self, channel: str, ts: str) -> Json:
        return next(each for each in self.channels[channel] if each["ts"] == ts)

    def from_app(self) -> list[Json]:
        """What the app posted, the oldest first."""
        posted = [
            each for messages in self.channels.values() for each in messages if each.get("app_id") == APP
        ]
        return sorted(posted, key=lambda each: str(each["ts"]))

    def _changed(self, channel: str, message: Json, before: Json) -> None:
        self.tell(
            {
                "type": "message",
                "subtype": "message_changed",
                "channel": channel,
                "ts": self.ts(),
                "hidden": True,
                "message": dict(message),
                "previous_message": before,
                "event_ts": self.ts(),
            }
        )
