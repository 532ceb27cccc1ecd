"""tweepy's asynchronous client, pointed at the address of the settings, with answers whole: limits, errors of any shape.

tweepy has X's host as a literal, waits by itself in a tight loop where a limit names no time, and trips over an error page.
"""

import asyncio
import json as jsons
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import aiohttp
from oauthlib.oauth1 import Client as OAuth  # type: ignore[import-untyped]
from tweepy.asynchronous import AsyncClient  # type: ignore[import-untyped]
from yarl import URL

from connectors.kit.limits import limit_of
from connectors.x.settings import XAccount
from schemas.ports import Clock, Limit

TIMEOUT_SECONDS = 15.0
ANSWER_BYTES = 8 << 20
Json = dict[str, Any]


class XError(Exception):
    """X answered no. `reason` is its own words."""

    def __init__(self, status: int, reason: str, limit: Limit | None = None) -> None:
        super().__init__(f"X answered {status}: {reason}")
        self.status = status
        self.reason = reason
        self.limit = limit

    @property
    def wait_seconds(self) -> float | None:
        """How long X asks to wait."""
        if self.limit is None:
            return None
        return self.limit.rest_seconds if self.limit.rest_seconds is not None else self.limit.reset_seconds


FAILURES = (XError, aiohttp.ClientError, TimeoutError, OSError)
"""What a call may raise."""


class _Answer:
    """What tweepy asks of an answer."""

    def __init__(self, content: Json) -> None:
        self._content = content

    async def json(self) -> Json:
        return self._content


class XClient(AsyncClient):  # type: ignore[misc]  # tweepy has no types
    """One account. The methods are tweepy's; each returns the JSON object, or raises one of FAILURES."""

    session: aiohttp.ClientSession | None

    def __init__(self, account: XAccount, clock: Clock, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        super().__init__(
            consumer_key=account.consumer_key,
            consumer_secret=account.consumer_secrets[0].get_secret_value(),
            access_token=account.access_token,
            access_token_secret=account.access_token_secret.get_secret_value(),
            return_type=dict,
            wait_on_rate_limit=False,
        )
        self._api_url = account.api_url
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self.last_limit: Limit | None = None

    async def request(
        self,
        method: str,
        route: str,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        user_auth: bool = True,
        parts: aiohttp.FormData | None = None,
    ) -> _Answer:
        """Signed by OAuth 1.0a (RFC 5849), whichever way tweepy would have gone. `parts`: a form, of which nothing is signed."""
        if self.session is None:
            timeout = aiohttp.ClientTimeout(total=self._timeout_seconds)
            self.session = aiohttp.ClientSession(timeout=timeout, trust_env=False)
        url = f"{self._api_url}{route}"
        if params:
            url = f"{url}?{urlencode(sorted(params.items()))}"
        oauth = OAuth(
            self.consumer_key,
            client_secret=self.consumer_secret,
            resource_owner_key=self.access_token,
            resource_owner_secret=self.access_token_secret,
        )
        url, headers, _ = oauth.sign(url, method, headers={"User-Agent": "hubbub"})
        async with self.session.request(
            method, URL(url, encoded=True), json=json, data=parts, headers=headers, allow_redirects=False
        ) as answer:
            return self._understood(answer, await _whole(answer))

    # -- files, which tweepy has for the older API only -----------------------------------------------------------------

    async def begin_upload(self, media_type: str, size: int, category: str) -> Json:
        wanted = {"media_type": media_type, "total_bytes": size, "media_category": category}
        return await self._upload("POST", "/2/media/upload/initialize", json=wanted)

    async def append_upload(self, id: str, number: int, content: bytes) -> None:
        parts = aiohttp.FormData({"segment_index": str(number)})
        parts.add_field("media", content, filename="part", content_type="application/octet-stream")
        await self._upload("POST", f"/2/media/upload/{id}/append", parts=parts)

    async def end_upload(self, id: str) -> Json:
        return await self._upload("POST", f"/2/media/upload/{id}/finalize")

    async def ask_upload(self, id: str) -> Json:
        return await self._upload("GET", "/2/media/upload", params={"command": "STATUS", "media_id": id})

    async def describe_upload(self, id: str, words: str) -> None:
        await self._upload(
            "POST", "/2/media/metadata", json={"id": id, "metadata": {"alt_text": {"text": words}}}
        )

    async def _upload(self, method: str, route: str, **given: Any) -> Json:
        told = (await (await self.request(method, route, **given)).json()).get("data")
        return told if isinstance(told, dict) else {}

    def _understood(self, answer: aiohttp.ClientResponse, content: bytes) -> _Answer:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        limit = self.last_limit = limit_of(answer.status, headers, self._now())
        try:
            told = jsons.loads(content) if content else {}
        except (ValueError, RecursionError):
            told = None
        if not 200 <= answer.status < 300:
            raise XError(answer.status, _reason(told), limit)
        if not isinstance(told, dict):
            raise XError(502, "the answer is no JSON object")
        return _Answer(told)

    def _now(self) -> datetime:
        return self._clock.now()

    async def close(self) -> None:
        if self.session is not None:
            await self.session.close()
            await asyncio.sleep(0)  # the transports are closed in the loop's next turn


async def _whole(answer: aiohttp.ClientResponse) -> bytes:
    """All of the body, which comes in pieces, up to what is taken at most; what is longer is no JSON then."""
    content = bytearray()
    async for piece in answer.content.iter_any():
        content += piece
        if len(content) > ANSWER_BYTES:
            return bytes(content[:ANSWER_BYTES])
    return bytes(content)


def _reason(told: object) -> str:
    """X's words for what is wrong: problem details, or the older form."""
    if not isinstance(told, dict):
        return "no words that can be read"
    errors = told.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    for value in (told.get("detail"), first.get("message"), first.get("detail"), told.get("title")):
        if isinstance(value, str) and value:
            return value[:300]
    return "no reason given"
