"""How messages, conversations and people of Slack are named in Hubbub: pure functions of what Slack calls them.

A message is a channel and a `ts`, which is a string and never a number. A thread is a conversation; a direct message channel
is one as a whole, because people there write one line after the other.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

CHANNEL = "slack"
TS = re.compile(r"\d{1,12}\.\d{1,9}")
ID = re.compile(r"[A-Z0-9]{2,30}")
DIRECT = "D"
ORGANIZATION = "E"
"""With which ids of organizations begin, that have workspaces. One that installs the app as a whole is named as a workspace is."""
EARLIEST = datetime(2013, 1, 1, tzinfo=UTC)  # Slack did not exist before


def message_name(team: str, channel: str, ts: str) -> str:
    """The external id of a message."""
    return f"{CHANNEL}:{team}:{channel}:{ts}"


def conversation_name(team: str, channel: str, ts: str, thread_ts: str = "") -> str:
    """The key of a message's conversation."""
    if channel.startswith(DIRECT) and not thread_ts:
        return f"{CHANNEL}:{team}:{channel}"
    return f"{CHANNEL}:{team}:{channel}:{thread_ts or ts}"


def person_name(team: str, user: str) -> str:
    """The value of a participant's handle."""
    return f"{team}/{user}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer goes."""

    channel: str
    thread_ts: str | None


def place_of(conversation: str) -> Place:
    """Where a conversation is. Raises ValueError for what is no key of ours."""
    parts = conversation.split(":")
    if len(parts) not in (3, 4) or parts[0] != CHANNEL or not ID.fullmatch(parts[2]):
        raise ValueError(f"{conversation!r} is no conversation of Slack")
    thread = parts[3] if len(parts) == 4 else None
    if thread is not None and not TS.fullmatch(thread):
        raise ValueError(f"{conversation!r} names no thread of Slack")
    return Place(parts[2], thread)


def team_of(conversation: str) -> str:
    """The workspace of a conversation; empty for what is no key of ours."""
    parts = conversation.split(":")
    return parts[1] if len(parts) > 2 and parts[0] == CHANNEL else ""


def ts_of(name: str) -> str:
    """The `ts` in the name of a message. Raises ValueError for what is no name of ours."""
    parts = name.split(":")
    if len(parts) != 4 or parts[0] != CHANNEL or not TS.fullmatch(parts[3]):
        raise ValueError(f"{name!r} is no message of Slack")
    return parts[3]


def time_of(ts: str) -> datetime | None:
    """When Slack took a message, by its name; None for a name that is none."""
    if not TS.fullmatch(ts):
        return None
    at = datetime.fromtimestamp(float(ts), UTC)
    return at if at >= EARLIEST else None
