"""Signing in over HTTP, the cookie, and what another site's page cannot do."""

from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest

from hub.http.authentication import OPERATOR, as_operator
from hub.observe import Metric
from schemas.accounts import Role
from tests.hub.http.company import ADMIN, ORIGIN, PASSWORD, House, house

SIGN_IN = {"name": "ines", "password": PASSWORD}


async def test_the_cookie_is_for_this_host_and_for_no_script(home: House) -> None:
    async with home.client() as client:
        cookie = (await client.post("/api/v1/session", json=SIGN_IN)).headers["set-cookie"]
    assert cookie.startswith("hubbub_session=")
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert "path=/" in cookie.lower()
    assert "secure" not in cookie.lower()


async def test_over_https_the_cookie_is_bound_to_the_host(tmp_path: Path) -> None:
    async with (
        house(tmp_path / "data", origin="https://hub.test") as home,
        home.client(origin="https://hub.test") as client,
    ):
        answer = await client.post("/api/v1/session", json=SIGN_IN)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-hubbub=")
    assert "Secure" in cookie
    assert "domain" not in cookie.lower()
    assert answer.headers["strict-transport-security"].startswith("max-age=31536000")


async def test_nobody_is_told_whether_the_name_or_the_password_was_wrong(home: House) -> None:
    async with home.client() as client:
        wrong = await client.post("/api/v1/session", json={**SIGN_IN, "password": "wrong"})
        nobody = await client.post("/api/v1/session", json={**SIGN_IN, "name": "nobody"})
    assert wrong.status_code == nobody.status_code == 401
    assert wrong.json()["detail"] == nobody.json()["detail"]
    assert wrong.headers["www-authenticate"].startswith("Bearer")
    assert home.context.metrics.value(Metric.SIGN_INS, outcome="refused") == 2


async def test_too_many_tries_are_told_when_to_come_back(home: House) -> None:
    async with home.client() as client:
        for _ in range(5):
            await client.post("/api/v1/session", json={**SIGN_IN, "password": "wrong"})
        answer = await client.post("/api/v1/session", json=SIGN_IN)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0


async def test_a_one_time_password_opens_nothing_but_its_change(home: House) -> None:
    _, password = await home.accounts.users.create("olga", {"orders": Role.AGENT}, ADMIN)
    async with home.client() as client:
        answer = await client.post("/api/v1/session", json={"name": "olga", "password": password})
        client.headers["X-CSRF-Token"] = answer.json()["csrf"]
        refused = await client.get("/api/v1/cases")
        change = {"old_password": password, "password": PASSWORD}
        changed = await client.post("/api/v1/session/password", json=change)
        allowed = await client.get("/api/v1/cases")
    assert answer.json()["must_change_password"] is True
    assert refused.status_code == 403
    assert (changed.status_code, allowed.status_code) == (204, 200)


async def test_a_write_with_a_cookie_needs_the_token_of_its_session(home: House) -> None:
    case = await home.case("ann")
    claim = f"/api/v1/cases/{case.id}/claim"
    async with home.signed_in("ines") as client:
        token = client.headers.pop("X-CSRF-Token")
        missing = await client.post(claim)
        wrong = await client.post(claim, headers={"X-CSRF-Token": token[::-1]})
        right = await client.post(claim, headers={"X-CSRF-Token": token})
    assert (missing.status_code, wrong.status_code, right.status_code) == (403, 403, 200)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "https://evil.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://hub.test.evil.test"}, 403),
        ({"Origin": ORIGIN}, 200),
        ({}, 200),
    ],
)
async def test_a_write_from_another_site_is_refused_even_with_the_token(
    home: House, headers: dict[str, str], status: int
) -> None:
    case = await home.case("ann")
    async with home.signed_in("ines") as client:
        answer = await client.post(f"/api/v1/cases/{case.id}/claim", headers=headers)
    assert answer.status_code == status


async def test_another_site_cannot_sign_a_browser_in(home: House) -> None:
    async with home.client(origin=ORIGIN) as client:
        answer = await client.post("/api/v1/session", json=SIGN_IN, headers={"Origin": "https://evil.test"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_a_key_needs_no_csrf_token_and_wins_over_a_cookie(home: House) -> None:
    case = await home.case("ann")
    key = await home.key({"orders": Role.AGENT})
    async with home.signed_in("bill") as client:
        del client.headers["X-CSRF-Token"]
        answer = await client.post(
            f"/api/v1/cases/{case.id}/claim", headers={"Authorization": f"Bearer {key}"}
        )
        bad = await client.get("/api/v1/cases", headers={"Authorization": "Bearer hk_nonsense_x"})
    assert answer.status_code == 200
    assert bad.status_code == 401


async def test_signing_out_ends_the_session_and_drops_the_cookie(home: House) -> None:
    async with home.signed_in("ines") as client:
        token = client.cookies["hubbub_session"]
        out = await client.delete("/api/v1/session")
        assert "hubbub_session" not in client.cookies
        client.cookies.set("hubbub_session", token)
        again = await client.get("/api/v1/session")
    assert out.status_code == 204
    assert again.status_code == 401


async def test_one_sees_and_ends_the_own_sessions_only(home: House) -> None:
    async with (
        home.signed_in("ines") as first,
        home.signed_in("ines") as second,
        home.signed_in("bill") as other,
    ):
        listed = (await first.get("/api/v1/sessions")).json()
        mine = next(each["id"] for each in listed if each["current"])
        foreign = await other.delete(f"/api/v1/sessions/{mine}")
        ended = await second.delete(f"/api/v1/sessions/{mine}")
        after = await first.get("/api/v1/session")
    assert len(listed) == 2
    assert (foreign.status_code, ended.status_code, after.status_code) == (404, 204, 401)


async def test_the_operator_comes_by_the_socket_only(home: House) -> None:
    served = as_operator(home.app)
    by_socket = httpx.ASGITransport(app=served, client=None)  # type: ignore[arg-type]
    by_network = httpx.ASGITransport(app=served, client=("203.0.113.9", 5000))
    async with (
        httpx.AsyncClient(transport=by_socket, base_url=ORIGIN) as operator,
        httpx.AsyncClient(transport=by_network, base_url=ORIGIN) as stranger,
    ):
        who = await operator.get("/api/v1/session")
        created = await operator.post("/api/v1/users", json={"name": "new", "roles": {"orders": "agent"}})
        refused = await stranger.get("/api/v1/session")
    assert who.json()["id"] == OPERATOR.id
    assert created.status_code == 201
    assert refused.status_code == 401
    assert "operator" in {each.data.actor.id for each in await home.events() if hasattr(each.data, "actor")}


async def test_the_address_of_a_client_behind_our_proxy_is_the_clients(tmp_path: Path) -> None:
    async with (
        house(tmp_path / "data", trusted_proxies=(ip_network("127.0.0.1/32"),)) as home,
        home.client() as client,
    ):
        await client.post(
            "/api/v1/session", json=SIGN_IN, headers={"X-Forwarded-For": "9.9.9.9, 198.51.100.4"}
        )
        session = (await client.get("/api/v1/sessions")).json()[0]
    assert session["address"] == "198.51.100.4"
