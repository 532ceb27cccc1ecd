"""How posts, messages and people of X are named in Hubbub. Ids are 64-bit numbers and stay strings everywhere."""

import re
from dataclasses import dataclass

CHANNEL = "x"
ID = re.compile(r"\d{1,20}")
CONVERSATION = re.compile(r"[0-9A-Za-z-]{1,80}")
POST, MESSAGE = "post", "dm"


def post_name(id: str) -> str:
    return f"{CHANNEL}:{POST}:{id}"


def message_name(id: str) -> str:
    return f"{CHANNEL}:{MESSAGE}:{id}"


def public_conversation(own: str, conversation: str) -> str:
    """The key of a thread of posts, as one account of ours sees it."""
    return f"{CHANNEL}:{POST}:{own}:{conversation}"


def private_conversation(own: str, conversation: str) -> str:
    return f"{CHANNEL}:{MESSAGE}:{own}:{conversation}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer goes: into a thread in public, or into a private conversation."""

    is_public: bool
    conversation: str


def place_of(conversation: str) -> Place:
    """Raises ValueError for what is no conversation of X."""
    parts = conversation.split(":")
    if len(parts) != 4 or parts[0] != CHANNEL or parts[1] not in (POST, MESSAGE):
        raise ValueError(f"{conversation!r} is no conversation of X")
    if not CONVERSATION.fullmatch(parts[3]):
        raise ValueError(f"{conversation!r} names no conversation of X")
    return Place(parts[1] == POST, parts[3])


def place_is_named(conversation: str) -> bool:
    """Whether it is the key of a conversation of X at all."""
    return conversation.startswith(f"{CHANNEL}:")


def pair(own: str, other: str) -> str:
    """X's id of the conversation of two: their ids, the lower one first."""
    return "-".join(sorted((own, other), key=int))


def other_of(conversation: str, own: str) -> str:
    """With whom a conversation of two is; empty for one of more."""
    parts = conversation.split("-")
    if len(parts) != 2 or own not in parts:
        return ""
    other = parts[1] if parts[0] == own else parts[0]
    return other if ID.fullmatch(other) else ""


def post_id(external_id: str | None) -> str:
    """The id in the name of a post; empty for any other name."""
    prefix = f"{CHANNEL}:{POST}:"
    id = (external_id or "").removeprefix(prefix)
    return id if external_id and external_id.startswith(prefix) and ID.fullmatch(id) else ""
