"""Single sign-on against a real provider in a process of its own: from the gate to the desk, and out again."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from hub.console.single_sign_on import COOKIE_PATH
from hub.openid.flow import SingleSignOn
from hub.openid.settings import OpenIdProvider
from hub.wiring import SystemClock
from schemas.accounts import Role
from tests.hub.console.office import Office, office
from tests.hub.console.shop import PASSWORD
from tests.support.ports import free_port, listening

PEOPLE = (
    {"sub": "u-1", "preferred_username": "Nia.Rao@acme.example", "name": "Nia Rao", "groups": ["support"]},
    {"sub": "u-2", "preferred_username": "ann", "name": "Another Ann", "groups": ["support"]},
    {"sub": "u-3", "preferred_username": "zed", "name": "Zed", "groups": ["sales"]},
)


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """The address of a provider that runs for all tests here."""
    port = free_port()
    people = [part for each in PEOPLE for part in ("--user-claims", json.dumps(each))]
    command = (
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "oidc_provider_mock",
        "-n",
        "true",
        "-p",
        str(port),
        *people,
    )
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            asyncio.run(listening(port))
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def settled(made: Office, issuer: str, **more: object) -> None:
    """The office takes sign-ons of the provider."""
    settings = OpenIdProvider.model_validate(
        {
            "title": "Acme",
            "issuer": issuer,
            "client_id": "hub",
            "client_secret": "any",
            "private_networks": ("127.0.0.0/8",),
            "roles": {"support": {"orders": "agent"}},
            **more,
        }
    )
    sign_on = SingleSignOn({"acme": settings}, SystemClock(), b"k" * 32)
    made.context = replace(made.context, single_sign_on=sign_on)
    made.build(made.context.facts.public_url, made.context.facts.files_url)


async def came_back(
    client: httpx.AsyncClient, subject: str, start: str = f"{COOKIE_PATH}/acme"
) -> httpx.Response:
    """As a browser goes: away, signed in there, and back."""
    away = await client.get(start)
    assert away.status_code == 302, away.text
    async with httpx.AsyncClient() as there:
        answered = await there.post(away.headers["location"], data={"sub": subject})
    back = answered.headers["location"]
    assert back.startswith(made_back(client)), answered.text
    return await client.get(back)


def made_back(client: httpx.AsyncClient) -> str:
    return f"{str(client.base_url).rstrip('/')}{COOKIE_PATH}/acme/back?"


async def test_from_the_gate_to_the_desk_and_out(tmp_path: Path, issuer: str) -> None:
    async with office(tmp_path, SystemClock()) as made:
        settled(made, issuer)
        async with made.client() as client:
            gate = (await client.get("/console/sign-in?next=/console/queues/orders")).text
            start = re.search(r'href="([^"]+)">Sign in with Acme', gate)
            assert start
            back = await came_back(client, "u-1", start[1])
            assert back.headers["location"] == "/console/queues/orders"
            me = (await client.get("/api/v1/session")).json()
            assert (me["id"], me["name"], me["roles"]) == ("nia.rao", "Nia Rao", {"orders": "agent"})
            assert (await client.get("/console/queues/orders")).status_code == 200
            [session] = (await client.get("/api/v1/sessions")).json()
            assert session["provider"] == "acme"
            out = await client.post("/console/sign-out", data={"csrf": me["csrf"]})
            farewell = re.search(r'href="([^"]+)">Sign out at the provider', out.text)
            assert farewell
            asked = parse_qs(urlsplit(farewell[1].replace("&amp;", "&")).query)
            assert asked["client_id"] == ["hub"]
            assert (await client.get("/console/queues/orders")).status_code == 303
            again = await came_back(client, "u-1")
            assert again.status_code == 303
        assert (await made.context.accounts.users.get("nia.rao")).roles == {"orders": Role.AGENT}


async def test_nobody_takes_the_name_of_another_until_they_add_it_themselves(
    tmp_path: Path, issuer: str
) -> None:
    async with office(tmp_path, SystemClock()) as made:
        settled(made, issuer, roles={})
        async with made.client() as client:
            taken = await came_back(client, "u-2")
            assert (taken.status_code, "A user with your name exists already" in taken.text) == (401, True)
            await client.post("/console/sign-in", data={"name": "ann", "password": PASSWORD})
            added = await came_back(client, "u-2")
            assert added.headers["location"] == "/console/account/single-sign-on"
            assert "Acme" in (await client.get("/console/account/single-sign-on")).text
        async with made.client() as client:
            await came_back(client, "u-2")
            assert (await client.get("/api/v1/session")).json()["id"] == "ann"
        async with made.client() as client:
            await client.post("/console/sign-in", data={"name": "bo", "password": PASSWORD})
            refused = await came_back(client, "u-2")
            assert refused.status_code == 409


async def test_who_has_no_place_or_comes_by_a_way_that_was_begun_elsewhere_stays_out(
    tmp_path: Path, issuer: str
) -> None:
    async with office(tmp_path, SystemClock()) as made:
        settled(made, issuer)
        async with made.client() as client, made.client() as victim:
            no_role = await came_back(client, "u-3")
            assert (no_role.status_code, "no role here" in no_role.text) == (401, True)
            away = await client.get(f"{COOKIE_PATH}/acme")
            async with httpx.AsyncClient() as there:
                back = (await there.post(away.headers["location"], data={"sub": "u-1"})).headers["location"]
            lured = await victim.get(back)
            assert lured.status_code == 401
            assert (await victim.get("/api/v1/session")).status_code == 401
        settled(made, issuer, create_users=False)
        async with made.client() as client:
            assert (await came_back(client, "u-1")).status_code == 401


async def test_who_comes_back_with_nothing_again_and_again_has_to_wait(tmp_path: Path, issuer: str) -> None:
    async with office(tmp_path, SystemClock()) as made:
        settled(made, issuer)
        async with made.client() as client:
            answers = [await client.get(f"{COOKIE_PATH}/acme/back?code=x&state=y") for _ in range(32)]
    assert {each.status_code for each in answers[:30]} == {401}
    assert answers[-1].status_code == 429


async def test_a_private_address_is_reached_only_where_the_settings_name_it(
    tmp_path: Path, issuer: str
) -> None:
    async with office(tmp_path, SystemClock()) as made:
        settled(made, issuer, private_networks=("10.0.0.0/8",))
        async with made.client() as client:
            away = await client.get(f"{COOKIE_PATH}/acme")
        assert (away.status_code, "does not answer now" in away.text) == (503, True)
