"""Signing in by access token: at a real Dovecot that asks whether it is good, and at a provider of ours."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from connectors.email.imap.errors import ConnectionLost, LoginRefused
from connectors.email.imap.oauth import AccessTokens
from connectors.email.imap.settings import OAuthSettings
from schemas.ports import HealthState
from tests.connectors.email.imap.dovecot import dovecot
from tests.connectors.email.imap.house import USER, House, healthy, house, mail, settings
from tests.connectors.email.imap.odd_server import odd_server
from tests.connectors.email.imap.tokens import REFRESH, SECRET, Provider, provider


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path) as made:
        yield made


@pytest.fixture
async def giver() -> AsyncIterator[Provider]:
    async with provider(USER) as made:
        yield made


def oauth(giver: Provider, **changes: Any) -> dict[str, Any]:
    return {
        "client_id": "hub",
        "client_secret": SECRET,
        "refresh_token": REFRESH,
        "token_url": giver.token_url,
        "scope": "https://mail.google.com/",
        **changes,
    }


@pytest.mark.server("dovecot")
async def test_a_token_opens_the_mailbox_and_one_that_was_withdrawn_is_replaced(
    home: House, giver: Provider
) -> None:
    async with dovecot(USER, token_url=giver.check_url) as server:
        server.deliver(USER, mail(1))
        async with home.reading(settings(server.port, oauth=oauth(giver))) as mailbox:
            await home.until(1)
            await healthy(mailbox, "listening")
            giver.good.clear()
            await server.kick(USER)
            server.deliver(USER, mail(2))
            await home.until(2)
        assert len(giver.asked) == 2
        assert giver.asked[0] == {
            "client_id": "hub",
            "client_secret": SECRET,
            "refresh_token": REFRESH,
            "grant_type": "refresh_token",
            "scope": "https://mail.google.com/",
        }


@pytest.mark.server("dovecot")
async def test_a_token_for_another_mailbox_is_told_and_not_tried_for_ever(
    home: House, giver: Provider
) -> None:
    giver.mailbox = "somebody@shop.example"
    async with dovecot(USER, token_url=giver.check_url) as server:
        async with home.reading(settings(server.port, oauth=oauth(giver))) as mailbox:
            told = await healthy(mailbox, "check username, scope and the permission", HealthState.DEGRADED)
            assert "token-" not in told.detail
        assert len(giver.asked) == 2


async def test_what_the_provider_says_is_told_with_the_cure(home: House, giver: Provider) -> None:
    giver.answer = (400, '{"error": "invalid_grant", "error_description": "Token has been revoked."}')
    async with odd_server() as server, home.reading(settings(server.port, oauth=oauth(giver))) as mailbox:
        told = await healthy(mailbox, "set a new refresh_token", HealthState.DEGRADED)
        assert "Token has been revoked" in told.detail
        assert SECRET not in told.detail and REFRESH not in told.detail
        assert len(giver.asked) == 1


async def test_a_provider_that_is_away_is_asked_again_soon(home: House, giver: Provider) -> None:
    giver.answer = (503, "<html>")
    async with (
        odd_server(mails={1: mail(1)}) as server,
        home.reading(settings(server.port, oauth=oauth(giver))) as mailbox,
    ):
        await healthy(mailbox, "answered 503", HealthState.DEGRADED)
        giver.answer = None
        await home.until(1)


async def test_a_challenge_after_a_bad_token_is_answered_so_that_the_server_says_no(
    home: House, giver: Provider
) -> None:
    """As Google does: the reason comes as a challenge that waits for an empty line."""

    async def google(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2] Gimap ready\r\n")
        while line := await reader.readline():
            tag = line.split()[0]
            assert line.split()[1:] == [b"AUTHENTICATE", b"XOAUTH2"]
            writer.write(b"+ \r\n")
            await reader.readline()
            writer.write(b"+ eyJzdGF0dXMiOiI0MDAifQ==\r\n")
            assert await reader.readline() == b"\r\n"
            writer.write(tag + b" NO [AUTHENTICATIONFAILED] Invalid credentials\r\n")
        writer.close()

    server = await asyncio.start_server(google, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with home.reading(settings(port, oauth=oauth(giver))) as mailbox:
        await healthy(mailbox, "Invalid credentials", HealthState.DEGRADED)
    server.close()
    await server.wait_closed()


class Giving(httpx.AsyncBaseTransport):
    """A provider of five lines."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        await asyncio.sleep(0)
        return self.answers.pop(0)


def tokens(*answers: httpx.Response, **changes: Any) -> tuple[AccessTokens, Giving]:
    fields = {
        "client_id": "hub",
        "client_secret": SECRET,
        "token_url": "https://login.example/token",
    } | changes
    giving = Giving(*answers)
    return AccessTokens(OAuthSettings.model_validate(fields), giving), giving


def given(token: str, **more: object) -> httpx.Response:
    return httpx.Response(200, json={"access_token": token, **more})


async def test_many_who_need_a_token_at_once_make_one_request() -> None:
    held, giving = tokens(given("a", expires_in=3600))
    assert set(await asyncio.gather(*(held.token() for _ in range(20)))) == {"a"}
    assert giving.asked == 1


async def test_many_whose_token_was_refused_make_one_request_more() -> None:
    held, giving = tokens(given("a", expires_in=3600), given("b", expires_in=3600))
    assert await held.token() == "a"
    assert set(await asyncio.gather(*(held.token(refused="a") for _ in range(20)))) == {"b"}
    assert giving.asked == 2


async def test_a_token_is_replaced_before_its_end() -> None:
    held, _ = tokens(given("a", expires_in=0), given("b"))
    assert [await held.token(), await held.token(), await held.token()] == ["a", "b", "b"]


@pytest.mark.parametrize(
    ("answer", "error", "told"),
    [
        (httpx.Response(302, headers={"location": "http://127.0.0.1/"}), ConnectionLost, "answered 302"),
        (httpx.Response(200, text="<html>"), ConnectionLost, "no token"),
        (httpx.Response(200, json=["a"]), ConnectionLost, "no token"),
        (httpx.Response(200, content=b"[" * 1_000_000), ConnectionLost, "no token"),
        (given("two\r\nlines"), ConnectionLost, "holds no access token"),
        (httpx.Response(429, json={}), ConnectionLost, "answered 429"),
        (httpx.Response(401, json={"error": "invalid_client"}), LoginRefused, "check client_id"),
        (httpx.Response(400, json={"error": ["odd"]}), LoginRefused, "check oauth"),
    ],
)
async def test_an_answer_that_is_no_token_is_an_error(
    answer: httpx.Response, error: type[Exception], told: str
) -> None:
    held, _ = tokens(answer)
    with pytest.raises(error, match=told):
        await held.token()


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1:1/token", "https://localhost:1/", "https://[::ffff:10.1.2.3]/"]
)
async def test_secrets_are_not_sent_into_private_networks(url: str) -> None:
    chosen = OAuthSettings(client_id="hub", client_secret=SecretStr(SECRET), token_url=url)
    with pytest.raises(ConnectionLost, match="not on the public internet"):
        await AccessTokens(chosen).token()


async def test_a_private_network_that_the_settings_name_is_reached() -> None:
    chosen = OAuthSettings(
        client_id="hub",
        client_secret=SecretStr(SECRET),
        token_url="https://127.0.0.1:1/token",
        private_networks=("127.0.0.0/8",),
    )
    with pytest.raises(ConnectionLost, match=r"(?i)connect"):
        await AccessTokens(chosen).token()


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(ValueError, match="'inside' is no address or network"):
        OAuthSettings(
            client_id="hub",
            client_secret=SecretStr(SECRET),
            token_url="https://login.example/token",
            private_networks=("inside",),
        )
