"""The Web API by Slack's own client, set so that nothing is ever sent twice behind our back."""

import asyncio
from typing import Any

import aiohttp
from pydantic import SecretStr
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from connectors.slack.parse.blocks import Json

TIMEOUT_SECONDS = 10.0
ANSWER_BYTES = 8 << 20
FAILURES = (SlackClientError, aiohttp.ClientError, TimeoutError, OSError, ValueError)
"""What a call may raise. ValueError: an answer that is no JSON."""


class SlackWeb:
    """One token's Web API, with one pool of connections. Made where a loop runs, at the first call."""

    def __init__(self, token: str, api_url: str, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._token = token
        self.api_url = api_url
        self._timeout_seconds = timeout_seconds
        self._session: aiohttp.ClientSession | None = None
        self._client: AsyncWebClient | None = None

    @property
    def token(self) -> str:
        return self._token

    def use(self, token: str) -> None:
        """Another token from the next call on. Calls under way end with the one that they began with."""
        self._token = token
        if self._client is not None:
            self._client.token = token

    @property
    def client(self) -> AsyncWebClient:
        """The SDK's default sends again on a lost connection, and reads a proxy from the environment: neither here."""
        if self._client is None:
            timeout = aiohttp.ClientTimeout(total=self._timeout_seconds)
            self._session = aiohttp.ClientSession(timeout=timeout, trust_env=False)
            self._client = AsyncWebClient(
                self._token, base_url=self.api_url, session=self._session, retry_handlers=[]
            )
            self._client.proxy = None
        return self._client

    @property
    def session(self) -> aiohttp.ClientSession:
        session = self.client.session
        assert session is not None
        return session

    async def ask(self, method: str, **values: Any) -> Json:
        """The answer to a question that changes nothing. Raises one of FAILURES."""
        given = {name: value for name, value in values.items() if value is not None}
        answer = await self.client.api_call(method, http_verb="GET", params=given)
        return answer.data if isinstance(answer.data, dict) else {}

    async def granted(self, client_id: str, client_secret: SecretStr, **values: str) -> Json:
        """oauth.v2.access: the answer to a code, or to a refresh token. Raises one of FAILURES.

        Not by the client's own method: that one makes a header by means that aiohttp is about to drop.
        """
        app = {"client_id": client_id, "client_secret": client_secret.get_secret_value()}
        answer = await self.client.api_call("oauth.v2.access", data={**app, **values})
        return answer.data if isinstance(answer.data, dict) else {}

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            await asyncio.sleep(0)  # the transports are closed in the loop's next turn


def error_of(error: BaseException) -> str:
    """Slack's word for what is wrong, or the kind of failure; never a token or an address."""
    if isinstance(error, SlackApiError) and isinstance(error.response.data, dict):
        return str(error.response.data.get("error", "unknown_error"))[:100]
    if isinstance(error, SlackApiError):
        return f"http {error.response.status_code}"
    return type(error).__name__


def retry_after(error: BaseException) -> float | None:
    """How long Slack asks to wait (429, `Retry-After` in seconds)."""
    if not isinstance(error, SlackApiError):
        return None
    headers = error.response.headers or {}
    value = str(headers.get("Retry-After") or headers.get("retry-after") or "")
    return min(float(value), 3600.0) if value.isascii() and value.isdigit() and len(value) < 8 else None
