"""The code flow with PKCE: a browser goes to the provider and comes back. What joins the two ways is in a sealed cookie.

https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth, RFC 7636, and RFC 9207 against mixed-up providers
"""

import hashlib
import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from urllib.parse import urlencode

from hub.openid.claims import NotBelieved, check, lacks, person
from hub.openid.person import Person
from hub.openid.provider import NewClient, Provider
from hub.openid.settings import OpenIdProvider
from schemas.errors import Unknown
from schemas.ports import Clock

LASTS = timedelta(minutes=10)
LONGEST_SEAL = 4000
LONGEST_CODE = 4000


@dataclass(frozen=True, slots=True)
class Way:
    """What the browser keeps while it is away. `link_to` is the user who is signed in and adds this way to sign in."""

    provider: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    next: str
    link_to: str
    until: float


class SingleSignOn:
    """`secret` seals what the browser keeps; `client` is for tests."""

    def __init__(
        self,
        providers: Mapping[str, OpenIdProvider],
        clock: Clock,
        secret: bytes,
        client: NewClient | None = None,
    ) -> None:
        self.settings = dict(providers)
        self._providers = {name: Provider(each, client) for name, each in providers.items()}
        self._clock = clock
        self._secret = secret

    def provider(self, name: str) -> Provider:
        found = self._providers.get(name)
        if found is None:
            raise Unknown("there is no such provider")
        return found

    async def begin(self, name: str, redirect_uri: str, next_url: str, link_to: str = "") -> tuple[str, str]:
        """The address at the provider, and what the browser keeps until it comes back. Raises Outage."""
        provider = self.provider(name)
        until = (self._clock.now() + LASTS).timestamp()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        way = Way(name, state, nonce, verifier, next_url, link_to, until)
        asked = {
            "response_type": "code",
            "client_id": provider.settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(provider.settings.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": _text(hashlib.sha256(verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
        url = await provider.address("authorization_endpoint")
        return f"{url}{'&' if '?' in url else '?'}{urlencode(asked)}", self._sealed(way)

    async def finish(
        self, name: str, kept: str, answer: Mapping[str, str], redirect_uri: str
    ) -> tuple[Person, Way]:
        """Who came back. Raises NotBelieved, or Outage."""
        way = self._opened(kept)
        provider = self.provider(name)
        if way.provider != name:
            raise NotBelieved("it was begun with another provider")
        if not hmac.compare_digest(answer.get("state", "").encode(), way.state.encode()):
            raise NotBelieved("the answer is to another request")
        if answer.get("iss", provider.settings.issuer) != provider.settings.issuer:
            raise NotBelieved("another provider answered")
        if "error" in answer:
            raise NotBelieved(f"the provider says {answer['error'][:100]!r}")
        code = answer.get("code", "")
        if not 0 < len(code) <= LONGEST_CODE:
            raise NotBelieved("the answer holds no code")
        tokens = await provider.tokens(code, way.verifier, redirect_uri)
        claims = await provider.verified(tokens.get("id_token"))
        subject = check(claims, provider.settings, way.nonce, self._clock.now())
        access = tokens.get("access_token")
        if isinstance(access, str) and lacks(provider.settings, claims):
            claims = {**await provider.userinfo(access, subject), **claims}
        return person(name, provider.settings, subject, claims), way

    async def farewell(self, name: str, back: str) -> str:
        """Where to sign out of the provider too; empty where it offers none, or is not there now.

        https://openid.net/specs/openid-connect-rpinitiated-1_0.html
        """
        provider = self._providers.get(name)
        url = await provider.optional_address("end_session_endpoint") if provider else ""
        if not url or provider is None:
            return ""
        asked = urlencode({"client_id": provider.settings.client_id, "post_logout_redirect_uri": back})
        return f"{url}{'&' if '?' in url else '?'}{asked}"

    def _sealed(self, way: Way) -> str:
        content = json.dumps(asdict(way), separators=(",", ":")).encode()
        return f"{_text(content)}.{_text(self._mac(content))}"

    def _opened(self, kept: str) -> Way:
        content_text, _, mac = kept.partition(".")
        try:
            if len(kept) > LONGEST_SEAL:
                raise ValueError(kept)
            content = urlsafe_b64decode(content_text + "=" * (-len(content_text) % 4))
            if not hmac.compare_digest(_text(self._mac(content)).encode(), mac.encode()):
                raise ValueError(mac)
        except ValueError:
            raise NotBelieved("it was not begun in this browser") from None
        way = Way(**json.loads(content))
        if self._clock.now().timestamp() > way.until:
            raise NotBelieved("it took too long")
        return way

    def _mac(self, content: bytes) -> bytes:
        return hmac.digest(self._secret, b"openid\x1f" + content, "sha256")


def _text(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")
