"""Reading channels: to find what we sent, and what we missed.

https://docs.slack.dev/reference/methods/conversations.history · …/conversations.replies
"""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from connectors.slack.compose import METADATA_TYPE
from connectors.slack.names import Place
from connectors.slack.parse.blocks import Json, objects, string
from connectors.slack.web import FAILURES, SlackWeb, error_of

PAGE = 200
MOST_PAGES = 50
CLOCKS_APART = timedelta(minutes=2)


class TooMany(ValueError):
    """There is more than was asked for. What was given so far is the newest of a channel, the oldest of a thread."""


class Asks(Protocol):
    async def ask(self, method: str, **values: Any) -> Json: ...


async def parts_found(web: SlackWeb, place: Place, message: UUID, since: datetime) -> Mapping[int, str]:
    """Part number -> ts, of the parts of our message that stand in the channel. Raises one of FAILURES."""
    oldest = f"{(since - CLOCKS_APART).timestamp():.6f}"
    found: dict[int, str] = {}
    async for each in messages(web, place, oldest, with_metadata=True):
        metadata = each.get("metadata")
        if not isinstance(metadata, dict) or metadata.get("event_type") != METADATA_TYPE:
            continue
        payload = metadata.get("event_payload")
        if (
            isinstance(payload, dict)
            and payload.get("id") == str(message)
            and isinstance(payload.get("part"), int)
        ):
            found[payload["part"]] = string(each.get("ts"))
    return found


async def message_at(web: SlackWeb, place: Place, ts: str) -> Json | None:
    """The message of this name, with its metadata; None where it is gone. Raises one of FAILURES."""
    method = "conversations.replies" if place.thread_ts else "conversations.history"
    try:
        answer = await web.ask(
            method,
            channel=place.channel,
            ts=place.thread_ts,
            oldest=ts,
            latest=ts,
            inclusive="true",
            limit=2,
            include_all_metadata="true",
        )
    except FAILURES as error:
        if error_of(error) == "thread_not_found":
            return None
        raise
    found = objects(answer.get("messages"), PAGE)
    return next((each for each in found if string(each.get("ts")) == ts), None)


async def messages(
    web: Asks,
    place: Place,
    oldest: str,
    latest: str | None = None,
    with_metadata: bool = False,
    most_pages: int | None = None,
) -> AsyncIterator[Json]:
    """Messages of a channel or thread from `oldest` to `latest`, as Slack orders them: a channel newest first, a thread oldest
    first. Raises TooMany behind the last page that is read, where there is more, or one of FAILURES."""
    method = "conversations.replies" if place.thread_ts else "conversations.history"
    cursor: str | None = None
    most_pages = most_pages or MOST_PAGES
    for _ in range(most_pages):
        answer = await web.ask(
            method,
            channel=place.channel,
            ts=place.thread_ts,
            oldest=oldest,
            latest=latest,
            inclusive="true",
            limit=PAGE,
            cursor=cursor,
            include_all_metadata="true" if with_metadata else None,
        )
        for each in objects(answer.get("messages"), PAGE * 2):
            yield each
        meta = answer.get("response_metadata")
        cursor = string(meta.get("next_cursor")) if isinstance(meta, dict) else ""
        if not cursor:
            return
    raise TooMany(f"more than {most_pages} pages of {place.channel}")
