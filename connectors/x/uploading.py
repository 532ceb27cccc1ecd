"""Pictures and films on their way to X: begun, given in parts, ended, waited for, and told in words for who does not see them.

https://docs.x.com/x-api/media/quickstart/media-upload-chunked · https://docs.x.com/x-api/media/create-media-metadata
Nobody sees anything of it before a post or a message names it, so that a failure here is one of nothing sent.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from connectors.x.client import XClient, XError
from connectors.x.names import ID
from connectors.x.parse.items import string
from schemas.interactions import Attachment

GIF = "image/gif"
PART_BYTES = 1 << 20
LONGEST_WAIT_SECONDS = 60.0
UNREADABLE = 422


async def uploaded(client: XClient, attachment: Attachment, content: bytes, *, is_public: bool) -> str:
    """The id by which a post or a message names the file. Raises one of client.FAILURES."""
    told = await client.begin_upload(attachment.media_type, len(content), _category(attachment, is_public))
    id = string(told.get("id"))
    if not ID.fullmatch(id):
        raise XError(UNREADABLE, "X named no file to give the parts of")
    for number, start in enumerate(range(0, len(content), PART_BYTES)):
        await client.append_upload(id, number, content[start : start + PART_BYTES])
    await _processed(client, id, await client.end_upload(id))
    if attachment.alt:
        await client.describe_upload(id, attachment.alt)
    return id


def _category(attachment: Attachment, is_public: bool) -> str:
    """https://docs.x.com/x-api/media/initialize-media-upload"""
    place = "tweet" if is_public else "dm"
    if attachment.media_type == GIF:
        return f"{place}_gif"
    return f"{place}_video" if attachment.media_type.startswith("video/") else f"{place}_image"


async def _processed(client: XClient, id: str, told: Mapping[str, Any]) -> None:
    """Films and animations are looked at by X before they can be named."""
    waited = 0.0
    while True:
        state, seconds = _state(told)
        if state == "failed":
            raise XError(UNREADABLE, "X could not read the file")
        if state not in ("pending", "in_progress"):
            return
        if waited >= LONGEST_WAIT_SECONDS:
            raise TimeoutError("X has not read the file yet")
        await asyncio.sleep(seconds)
        waited += max(seconds, 0.1)
        told = await client.ask_upload(id)


def _state(told: Mapping[str, Any]) -> tuple[str, float]:
    info = told.get("processing_info")
    if not isinstance(info, dict):
        return "succeeded", 0.0
    seconds = info.get("check_after_secs")
    return string(info.get("state")), min(10.0, max(0.0, seconds)) if isinstance(
        seconds, int | float
    ) else 1.0
