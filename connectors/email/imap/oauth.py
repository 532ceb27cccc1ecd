"""Access tokens for XOAUTH2: asked for once at a time, kept until shortly before they end (RFC 6749, sections 4.4 and 6)."""

import asyncio
import json
from ipaddress import ip_network
from typing import Any

import httpx

from connectors.email.imap.errors import ConnectionLost, LoginRefused
from connectors.email.imap.settings import OAuthSettings
from connectors.kit.egress import guarded_client

EARLY_SECONDS = 120.0
USUAL_SECONDS = 3600.0
TIMEOUT_SECONDS = 30.0
MOST_ANSWER_BYTES = 64 * 1024
LOOPBACK = ("127.0.0.0/8", "::1/128")
"""A provider on this machine is one that the settings name without encryption."""
LONGEST_REASON = 200
LATER = frozenset({408, 425, 429})
# What a person has to mend (RFC 6749, section 5.2).
CURES = {
    "invalid_grant": "the grant has ended or was withdrawn; sign the mailbox in again and set a new refresh_token",
    "invalid_client": "check client_id and client_secret; the secret may have ended",
    "unauthorized_client": "the application may not do that; grant it the permission for IMAP",
    "invalid_scope": "check scope",
}


class AccessTokens:
    """`token` gives one that is good for a while. Many may ask at once: one request is made.

    Secrets go to the public internet, and to what the settings allow beside it.
    """

    def __init__(self, settings: OAuthSettings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """`transport`: for tests; None: the network."""
        self._settings = settings
        self._transport = transport
        is_here = settings.token_url.startswith("http://")
        networks = (*settings.private_networks, *(LOOPBACK if is_here else ()))
        self._networks = [ip_network(each, strict=False) for each in networks]
        self._turn = asyncio.Lock()
        self._token = ""
        self._good_until = 0.0
        # Microsoft gives a new one with each answer; the first stays good beside it until its own end.
        self._refresh = settings.refresh_token.get_secret_value() if settings.refresh_token else ""

    async def token(self, refused: str = "") -> str:
        """`refused`: a token that the server did not take, so that this one is not given again.

        Raises ConnectionLost where the provider is away, LoginRefused where it says no.
        """
        async with self._turn:
            is_good = asyncio.get_running_loop().time() < self._good_until
            if not is_good or self._token == refused:
                await self._ask()
            return self._token

    async def _ask(self) -> None:
        answer = await self._post()
        token = answer.get("access_token")
        if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
            raise ConnectionLost(f"{self._host}: the answer holds no access token")
        lasts = answer.get("expires_in")
        seconds = float(lasts) if isinstance(lasts, int | float) else USUAL_SECONDS
        self._token = token
        self._good_until = asyncio.get_running_loop().time() + max(
            0.0, seconds - min(EARLY_SECONDS, seconds / 2)
        )
        if isinstance(renewed := answer.get("refresh_token"), str) and self._refresh:
            self._refresh = renewed or self._refresh

    async def _post(self) -> dict[str, Any]:
        try:
            async with (
                asyncio.timeout(TIMEOUT_SECONDS),
                self._client() as client,
                client.stream("POST", self._settings.token_url, data=self._form()) as answer,
            ):
                return _understood(answer.status_code, await _bounded(answer), self._host)
        except (httpx.HTTPError, OSError) as error:  # TimeoutError is an OSError
            raise ConnectionLost(f"{self._host}: {str(error) or 'no answer in time'}") from error

    def _client(self) -> httpx.AsyncClient:
        if self._transport is not None:
            return httpx.AsyncClient(transport=self._transport, trust_env=False)
        return guarded_client(self._networks, TIMEOUT_SECONDS)

    def _form(self) -> dict[str, str]:
        settings = self._settings
        form = {"client_id": settings.client_id, "grant_type": "client_credentials"}
        if self._refresh:
            form |= {"grant_type": "refresh_token", "refresh_token": self._refresh}
        if settings.client_secret is not None:
            form["client_secret"] = settings.client_secret.get_secret_value()
        if settings.scope:
            form["scope"] = settings.scope
        return form

    @property
    def _host(self) -> str:
        return httpx.URL(self._settings.token_url).host


async def _bounded(answer: httpx.Response) -> bytes:
    content = b""
    async for chunk in answer.aiter_bytes():
        content += chunk
        if len(content) > MOST_ANSWER_BYTES:
            break
    return content


def _understood(status: int, content: bytes, host: str) -> dict[str, Any]:
    if status >= 500 or status in LATER:
        raise ConnectionLost(f"{host}: answered {status}")
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):  # of brackets without end
        answer = None
    if not isinstance(answer, dict):
        raise ConnectionLost(f"{host}: answered {status} with something that is no token; check token_url")
    if status == 200:
        return answer
    error = str(answer.get("error", status))[:LONGEST_REASON]
    said = str(answer.get("error_description", ""))[:LONGEST_REASON]
    cure = CURES.get(error, "check oauth")
    raise LoginRefused(f"{host} gives no token ({error}): {cure}" + (f". It says: {said}" if said else ""))
