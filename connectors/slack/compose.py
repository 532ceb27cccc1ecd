"""Answers as Slack takes them: escaped, in parts where they are long.

https://docs.slack.dev/messaging/formatting-message-text#escaping
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.slack.names import Place, place_of
from schemas.outbound import OutboundMessage

LONGEST = 3_900
"""Characters of one message after escaping. Slack advises 4,000 and cuts off what is beyond 40,000."""
METADATA_TYPE = "hubbub_message"
MOST_PARTS = 20
HOLDS = re.compile(r"&(?:amp|lt|gt)?;?$")


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def length(text: str) -> int:
    """How long Slack holds a text to be."""
    return len(escaped(text.strip()))


def parts_of(text: str) -> list[str]:
    """The text as Slack takes it, cut at the end of paragraphs, lines, sentences or words, never within a character."""
    rest = escaped(text.strip())
    parts: list[str] = []
    while len(rest) > LONGEST:
        cut = _cut(rest)
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip("\n ")
    return [*parts, rest] if rest or not parts else parts


def _cut(text: str) -> int:
    """Where the first part ends: at the last good place of its second half, else not within an escape."""
    for mark in ("\n\n", "\n", ". ", " "):
        at = text.rfind(mark, LONGEST // 2, LONGEST)
        if at > 0:
            return at + len(mark)
    inside = HOLDS.search(text[:LONGEST])
    return inside.start() if inside else LONGEST


def metadata_of(message: OutboundMessage, part: int, count: int) -> dict[str, Any]:
    """By which our message is found again in the channel's history. Nothing of the customer is in it."""
    payload = {"id": str(message.message), "part": part, "of": count}
    return {"event_type": METADATA_TYPE, "event_payload": payload}


@dataclass(frozen=True, slots=True)
class Looks:
    """How an answer is signed: as the agent, with a picture where there is one. Needs chat:write.customize."""

    as_agent: bool = False
    pictures: Mapping[str, str] = field(default_factory=dict)
    """User -> address."""

    def of(self, message: OutboundMessage) -> dict[str, str]:
        if not self.as_agent or not message.author.name or message.automatic:
            return {}
        picture = self.pictures.get(message.author.id)
        return {"username": message.author.name[:80], **({"icon_url": picture} if picture else {})}


def posts_of(message: OutboundMessage, looks: Looks) -> tuple[Place, list[dict[str, Any]]]:
    """Where the answer goes, and the calls of chat.postMessage. Raises ValueError for what cannot be sent."""
    place = place_of(message.conversation)
    parts = parts_of(message.text)
    if len(parts) > MOST_PARTS:
        raise ValueError(
            f"the answer is too long: {len(parts)} messages of Slack, and {MOST_PARTS} are sent at most"
        )
    posts = []
    for number, part in enumerate(parts):
        post: dict[str, Any] = {
            "channel": place.channel,
            "text": part,
            "metadata": metadata_of(message, number, len(parts)),
            "unfurl_links": False,
            "unfurl_media": False,
        }
        if place.thread_ts:
            post["thread_ts"] = place.thread_ts
        posts.append({**post, **looks.of(message)})
    return place, posts
