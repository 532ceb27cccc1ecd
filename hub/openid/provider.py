"""One provider as it describes itself: its addresses and its keys, asked for when needed and kept for a while.

https://openid.net/specs/openid-connect-discovery-1_0.html
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from connectors.kit.egress import guarded_client
from hub.openid.claims import Claims, NotBelieved
from hub.openid.settings import OpenIdProvider
from schemas.errors import Outage

DESCRIPTION = "/.well-known/openid-configuration"
MOST_ANSWER_BYTES = 256 * 1024
TIMEOUT_SECONDS = 10.0
KEPT_SECONDS = 3600.0
KEYS_ASKED_SECONDS = 30.0
"""A key that is not known is asked for so often at most, whatever tokens name."""
LONGEST_TOKEN = 64 * 1024
LONGEST_ADDRESS = 2000

NewClient = Callable[[], httpx.AsyncClient]


class Provider:
    """Raises Outage when the provider does not answer, NotBelieved for what does not hold."""

    def __init__(self, settings: OpenIdProvider, client: NewClient | None = None) -> None:
        self.settings = settings
        networks = [ip_network(each, strict=False) for each in settings.private_networks]
        self._client = client or (lambda: guarded_client(networks, TIMEOUT_SECONDS))
        self._turn = asyncio.Lock()
        self._described: Mapping[str, Any] = {}
        self._described_until = 0.0
        self._keys: KeySet | None = None
        self._keys_at = 0.0

    async def address(self, name: str) -> str:
        """One of its endpoints. Raises Outage where it names none that may be used."""
        found = await self.optional_address(name)
        if not found:
            raise Outage(f"the provider names no {name}")
        return found

    async def optional_address(self, name: str) -> str:
        """Empty where it has none."""
        url = (await self._description()).get(name)
        schemes = {"https", "http"} if self.settings.private_networks else {"https"}
        if not isinstance(url, str) or len(url) > LONGEST_ADDRESS:
            return ""
        parts = urlsplit(url)
        return url if parts.scheme in schemes and parts.hostname and not parts.fragment else ""

    async def tokens(self, code: str, verifier: str, redirect_uri: str) -> Mapping[str, Any]:
        """What the code is worth (RFC 6749, 4.1.3, with the verifier of RFC 7636)."""
        settings, secret = self.settings, self.settings.client_secret
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
            "client_id": settings.client_id,
        }
        basic = None
        if secret is not None and settings.client_authentication == "basic":
            basic = httpx.BasicAuth(settings.client_id, secret.get_secret_value())
        elif secret is not None:
            form["client_secret"] = secret.get_secret_value()
        return await self._ask("POST", await self.address("token_endpoint"), form, basic)

    async def userinfo(self, token: str, subject: str) -> Claims:
        """More claims. Those of somebody else are not believed (OpenID Connect Core, 5.3.2); nothing where it has none."""
        url = await self.optional_address("userinfo_endpoint")
        if not url or not token.isascii() or not token.isprintable():
            return {}
        claims = await self._ask("GET", url, bearer=token)
        if claims.get("sub") != subject:
            raise NotBelieved("the provider tells of somebody else")
        return claims

    async def verified(self, token: object) -> Claims:
        """The claims of an ID token whose signature holds, by a key of the provider's as they are now."""
        if not isinstance(token, str) or len(token) > LONGEST_TOKEN:
            raise NotBelieved("there is no ID token")
        keys = await self._keyset(fresh=False)
        try:
            return self._read(token, keys)
        except (InvalidKeyIdError, ValueError):
            fresh = await self._keyset(fresh=True)
        if fresh is keys:
            raise NotBelieved("the token is signed by a key that is not known")
        try:
            return self._read(token, fresh)
        except (InvalidKeyIdError, ValueError):
            raise NotBelieved("the token is signed by a key that is not known") from None

    def _read(self, token: str, keys: KeySet) -> Claims:
        try:
            return jwt.decode(token, keys, algorithms=list(self.settings.algorithms)).claims
        except InvalidKeyIdError:
            raise
        except JoseError as error:
            raise NotBelieved(f"the token does not hold: {error.error}") from None

    async def _description(self) -> Mapping[str, Any]:
        async with self._turn:
            if self._described and _now() < self._described_until:
                return self._described
            found = await self._ask("GET", self.settings.issuer.rstrip("/") + DESCRIPTION)
            if found.get("issuer") != self.settings.issuer:
                raise Outage("the provider calls itself otherwise; set `issuer` to what it says")
            self._described, self._described_until = found, _now() + KEPT_SECONDS
            return found

    async def _keyset(self, *, fresh: bool) -> KeySet:
        url = await self.address("jwks_uri")
        async with self._turn:
            age = _now() - self._keys_at
            if self._keys is not None and age < (KEYS_ASKED_SECONDS if fresh else KEPT_SECONDS):
                return self._keys
            try:
                self._keys = KeySet.import_key_set(await self._ask("GET", url))  # type: ignore[arg-type]
            except (JoseError, ValueError, TypeError, KeyError):
                raise Outage("the provider's keys cannot be read") from None
            self._keys_at = _now()
            return self._keys

    async def _ask(
        self,
        method: str,
        url: str,
        form: Mapping[str, str] | None = None,
        basic: httpx.BasicAuth | None = None,
        bearer: str = "",
    ) -> Mapping[str, Any]:
        host = urlsplit(url).hostname
        headers = {"accept": "application/json"} | ({"authorization": f"Bearer {bearer}"} if bearer else {})
        try:
            async with (
                asyncio.timeout(TIMEOUT_SECONDS),
                self._client() as client,
                client.stream(method, url, data=form, headers=headers, auth=basic) as answer,
            ):
                content = b""
                async for chunk in answer.aiter_bytes():
                    content += chunk
                    if len(content) > MOST_ANSWER_BYTES:
                        raise Outage(f"{host}: the answer is too long")
        except (httpx.HTTPError, OSError) as error:  # TimeoutError is an OSError
            raise Outage(f"{host}: {type(error).__name__}") from error
        return _understood(answer.status_code, content, str(host))


def _understood(status: int, content: bytes, host: str) -> Mapping[str, Any]:
    if status >= 500 or status == 429:
        raise Outage(f"{host}: answered {status}")
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        answer = None
    if status != 200:
        error = answer.get("error") if isinstance(answer, dict) else None
        raise NotBelieved(f"{host}: answered {status} ({str(error)[:100]})")
    if not isinstance(answer, dict):
        raise Outage(f"{host}: answered with something that is no JSON object")
    return answer


def _now() -> float:
    return asyncio.get_running_loop().time()
