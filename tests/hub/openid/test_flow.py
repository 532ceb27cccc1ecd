"""The code flow against a provider of our own that lies: nothing is believed that does not hold."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from pydantic import SecretStr, ValidationError

from hub.openid.claims import NotBelieved, roles_of
from hub.openid.flow import SingleSignOn, Way
from hub.openid.person import Person
from hub.openid.settings import OpenIdProvider
from schemas.accounts import Role
from schemas.errors import Outage
from tests.hub.http.company import FixedClock

ISSUER = "https://id.example"
BACK = "https://hub.test/console/sign-in/openid/acme/back"
SETTINGS = OpenIdProvider(
    title="Acme", issuer=ISSUER, client_id="hub", client_secret=SecretStr("s3cret"), algorithms=("ES256",)
)


def key(kid: str) -> ECKey:
    made: ECKey = ECKey.generate_key("P-256", {"kid": kid, "use": "sig", "alg": "ES256"})
    return made


@dataclass
class Liar:
    """A provider. What it is to say otherwise is set by the test."""

    clock: FixedClock = field(default_factory=FixedClock)
    keys: list[ECKey] = field(default_factory=lambda: [key("one")])
    claims: dict[str, Any] = field(default_factory=dict)
    token: Callable[[dict[str, Any]], str] | None = None
    issuer: str = ISSUER
    padding: int = 0
    userinfo: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    form: dict[str, str] = field(default_factory=dict)
    nonce: str = ""

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        return {
            "/.well-known/openid-configuration": self.described,
            "/keys": self.keyset,
            "/token": self.tokens,
            "/userinfo": self.told,
        }[request.url.path](request)

    def described(self, _request: httpx.Request) -> httpx.Response:
        endpoints = {"authorization_endpoint": "auth", "token_endpoint": "token", "jwks_uri": "keys"}
        endpoints |= {"userinfo_endpoint": "userinfo", "end_session_endpoint": "out"}
        described = {name: f"{ISSUER}/{path}" for name, path in endpoints.items()}
        return httpx.Response(200, json={"issuer": self.issuer, **described, "x": "x" * self.padding})

    def told(self, _request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=self.userinfo)

    def keyset(self, _request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=KeySet([*self.keys]).as_dict(private=False))

    def tokens(self, request: httpx.Request) -> httpx.Response:
        self.form = dict(parse_qsl(request.content.decode()))
        self.form["authorization"] = request.headers.get("authorization", "")
        now = int(self.clock.now().timestamp())
        usual = {
            "iss": ISSUER, "aud": "hub", "sub": "u-1", "exp": now + 60, "iat": now, "nonce": self.nonce,
            "preferred_username": "ann", "name": "Ann", "email": "ann@acme.example", "email_verified": True,
        }  # fmt: skip
        claims = {name: value for name, value in {**usual, **self.claims}.items() if value is not None}
        made = self.token(claims) if self.token else signed(claims, self.keys[-1])
        return httpx.Response(200, json={"id_token": made, "access_token": "at", "token_type": "Bearer"})

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self.answer))


def signed(claims: dict[str, Any], by: ECKey, kid: str = "") -> str:
    return jwt.encode({"alg": "ES256", "kid": kid or by.kid}, claims, by)


class Visit:
    """One sign-on after the other, at the same hub."""

    def __init__(self, liar: Liar, settings: OpenIdProvider = SETTINGS) -> None:
        self.liar = liar
        self.sign_on = SingleSignOn({"acme": settings}, liar.clock, b"k" * 32, liar.client)

    async def begin(self) -> tuple[dict[str, str], str]:
        url, kept = await self.sign_on.begin("acme", BACK, "/console/views/mine")
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        self.liar.nonce = asked["nonce"]
        return asked, kept

    async def go(self, **answer: str) -> tuple[Person, Way]:
        asked, kept = await self.begin()
        return await self.sign_on.finish(
            "acme", kept, {"code": "c-1", "state": asked["state"], **answer}, BACK
        )


async def test_who_comes_back_is_who_the_provider_says() -> None:
    liar = Liar()
    visit = Visit(liar)
    asked, kept = await visit.begin()
    person, way = await visit.sign_on.finish("acme", kept, {"code": "c-1", "state": asked["state"]}, BACK)
    assert (person.subject, person.name, person.address, person.roles) == (
        "u-1",
        "ann",
        "ann@acme.example",
        None,
    )
    assert way.next == "/console/views/mine"
    challenge = hashlib.sha256(liar.form["code_verifier"].encode()).digest()
    assert asked["code_challenge"] == urlsafe_b64encode(challenge).decode().rstrip("=")
    assert asked["code_challenge_method"] == "S256"
    assert liar.form["authorization"].startswith("Basic ")
    assert "s3cret" not in json.dumps(asked)


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"}, {"aud": "another"}, {"aud": ["hub", "another"]}, {"azp": "another"},
        {"aud": None}, {"exp": 1}, {"exp": None}, {"exp": True}, {"exp": 1e300}, {"iat": 1}, {"iat": None},
        {"nonce": "another"}, {"nonce": None}, {"sub": ""}, {"sub": None}, {"sub": 7}, {"sub": "x" * 256},
    ],
)  # fmt: skip
async def test_a_token_with_a_claim_that_does_not_hold_is_not_believed(claims: dict[str, Any]) -> None:
    with pytest.raises(NotBelieved):
        await Visit(Liar(claims=claims)).go()


def unsigned(claims: dict[str, Any]) -> str:
    parts = ({"alg": "none"}, claims)
    return ".".join(urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=") for each in parts) + "."


def confused(claims: dict[str, Any], public: bytes) -> str:
    """Signed by the public key, as if it were a shared secret (RFC 8725, 2.1)."""
    parts = ({"alg": "HS256", "kid": "one"}, claims)
    told = ".".join(urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=") for each in parts)
    return f"{told}.{urlsafe_b64encode(hmac.digest(public, told.encode(), 'sha256')).decode().rstrip('=')}"


async def test_a_token_that_its_provider_did_not_sign_is_not_believed() -> None:
    liar = Liar()
    public = liar.keys[0].as_pem(private=False)
    for token in (
        unsigned,
        lambda claims: confused(claims, public),
        lambda claims: signed(claims, key("one")),
        lambda claims: signed(claims, liar.keys[0])[:-4] + "AAAA",
        lambda _claims: "no.token",
        lambda _claims: "x" * 70_000,
    ):
        liar.token = token
        with pytest.raises(NotBelieved):
            await Visit(liar).go()


async def test_a_key_that_is_new_is_fetched_and_one_that_nobody_has_is_not_asked_for_again_and_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    liar = Liar()
    visit = Visit(liar)
    await visit.go()
    liar.keys = [key("two")]
    with pytest.raises(NotBelieved):
        await visit.go()  # asked for a moment ago
    monkeypatch.setattr("hub.openid.provider.KEYS_ASKED_SECONDS", -1.0)
    await visit.go()
    monkeypatch.setattr("hub.openid.provider.KEYS_ASKED_SECONDS", 30.0)
    asked = liar.asked.count("/keys")
    liar.token = lambda claims: signed(claims, key("three"))
    for _ in range(5):
        with pytest.raises(NotBelieved):
            await visit.go()
    assert liar.asked.count("/keys") == asked
    assert liar.asked.count("/.well-known/openid-configuration") == 1


async def test_an_answer_of_another_browser_time_or_provider_is_not_believed() -> None:
    liar = Liar()
    visit = Visit(liar)
    for answer in (
        {"state": "another"},
        {"iss": "https://evil.example"},
        {"code": ""},
        {"error": "access_denied"},
    ):
        with pytest.raises(NotBelieved):
            await visit.go(**answer)
    asked, kept = await visit.begin()
    answered = {"code": "c-1", "state": asked["state"]}
    content, _, mac = kept.partition(".")
    for broken in ("", "x", f"{content[:-2]}AA.{mac}", f"{content}.{mac[::-1]}", "é.é", "x" * 5000):
        with pytest.raises(NotBelieved):
            await visit.sign_on.finish("acme", broken, answered, BACK)
    other = SingleSignOn({"acme": SETTINGS}, liar.clock, b"o" * 32, liar.client)
    with pytest.raises(NotBelieved):
        await other.finish("acme", kept, answered, BACK)
    liar.clock.advance(minutes=11)
    with pytest.raises(NotBelieved, match="too long"):
        await visit.sign_on.finish("acme", kept, answered, BACK)
    assert "/token" not in liar.asked


async def test_what_the_token_leaves_out_the_provider_says_elsewhere_of_the_same_person_only() -> None:
    settings = SETTINGS.model_copy(update={"roles": {"support": {"orders": Role.AGENT}}})
    liar = Liar(userinfo={"sub": "u-1", "groups": ["support"], "name": "Eve"})
    person, _ = await Visit(liar, settings).go()
    assert (person.roles, person.title) == ({"orders": Role.AGENT}, "Ann")
    liar.userinfo["sub"] = "u-2"
    with pytest.raises(NotBelieved):
        await Visit(liar, settings).go()


async def test_a_provider_that_calls_itself_otherwise_or_talks_without_end_is_out_of_order() -> None:
    for liar in (Liar(issuer="https://evil.example"), Liar(padding=300_000)):
        with pytest.raises(Outage):
            await Visit(liar).begin()


def test_roles_come_from_the_claim_the_highest_of_each_queue() -> None:
    settings = SETTINGS.model_copy(
        update={
            "roles_claim": "realm_access.roles",
            "roles": {"a": {"orders": Role.AGENT}, "b": {"orders": Role.SUPERVISOR, "*": Role.AGENT}},
        }
    )
    claims = {"realm_access": {"roles": ["b", "a", "c", 7]}}
    assert roles_of(settings, claims) == {"orders": Role.SUPERVISOR, "*": Role.AGENT}
    assert roles_of(settings, {"realm_access": "x"}) == roles_of(settings, {}) == {}
    assert roles_of(settings, {"realm_access": {"roles": "a"}}) == {"orders": Role.AGENT}


@pytest.mark.parametrize("issuer", ["http://id.example", "https://id.example?x=1", "ftp://x", "https://"])
def test_a_provider_is_reached_by_tls_at_an_address_of_its_own(issuer: str) -> None:
    with pytest.raises(ValidationError):
        OpenIdProvider(title="x", issuer=issuer, client_id="hub")
