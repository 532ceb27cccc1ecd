"""Signing in tells nothing to strangers, a one-time password opens nothing but its change, forms of other sites do nothing."""

import pytest

from hub.console.console import inside
from schemas.accounts import Role
from schemas.events import SYSTEM
from tests.hub.console.office import Office
from tests.hub.console.shop import PASSWORD


async def sign_in(office: Office, name: str, password: str, next_url: str = "") -> tuple[int, str, str]:
    async with office.client() as client:
        answer = await client.post(
            "/console/sign-in", data={"name": name, "password": password, "next": next_url}
        )
        return answer.status_code, answer.headers.get("location", ""), answer.text


async def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(office: Office) -> None:
    status, _, known = await sign_in(office, "ann", "wrong")
    assert status == 401
    _, _, unknown = await sign_in(office, "nobody", "wrong")
    assert known.replace('"ann"', "") == unknown.replace('"nobody"', "")
    assert "The user name or the password is not right." in known
    assert "wrong" not in known.replace("wrong password", "")


async def test_who_tries_too_often_is_told_to_wait(office: Office) -> None:
    answers = [await sign_in(office, "ann", "wrong") for _ in range(7)]
    assert answers[-1][0] == 429
    assert "Too many attempts. Try again in" in answers[-1][2]


async def test_after_signing_in_one_is_where_one_wanted_to_be(office: Office) -> None:
    async with office.client() as client:
        asked = await client.get("/console/queues/orders?sort=due")
        assert asked.headers["location"] == "/console/sign-in?next=%2Fconsole%2Fqueues%2Forders%3Fsort%3Ddue"
    _, location, _ = await sign_in(office, "ann", PASSWORD, "/console/queues/orders?sort=due")
    assert location == "/console/queues/orders?sort=due"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/console", "//evil.example/console", "/\\evil.example", "javascript:alert(1)", "/consolex",
        "/console/\r\nSet-Cookie: a=b", "/api/v1/session", "/console/" + "x" * 600, "\\\\evil.example", " /console",
    ],
)  # fmt: skip
def test_nobody_is_sent_elsewhere(elsewhere: str) -> None:
    assert inside(elsewhere) == "/console"


async def test_a_one_time_password_opens_nothing_but_its_change(office: Office) -> None:
    _, password = await office.context.accounts.users.create(
        "new", {"orders": Role.AGENT}, SYSTEM, title="New"
    )
    async with office.client() as client:
        answer = await client.post("/console/sign-in", data={"name": "new", "password": password})
        assert answer.headers["location"] == "/console/password"
        for path in ("/console", "/console/queues/orders", "/console/search?q=a"):
            assert (await client.get(path)).headers["location"] == "/console/password"
        csrf = (await client.get("/api/v1/session")).json()["csrf"]
        form = {"csrf": csrf, "new": PASSWORD, "again": "something else"}
        differ = await client.post("/console/password", data=form)
        assert (differ.status_code, "are not the same" in differ.text) == (422, True)
        assert 'name="old"' not in differ.text  # it was typed a moment ago
        same = await client.post("/console/password", data={**form, "new": password, "again": password})
        assert (same.status_code, "another password than before" in same.text) == (422, True)
        changed = await client.post("/console/password", data={**form, "again": PASSWORD})
        assert changed.headers["location"] == "/console"
        assert (await client.get("/console")).status_code == 200


async def test_a_session_that_did_not_begin_with_the_one_time_password_is_asked_for_it(
    office: Office,
) -> None:
    async with office.signed_in("ann") as ann:
        reset = await office.context.accounts.users.reset_password("ann", SYSTEM)
        form = {"new": "another long sentence", "again": "another long sentence"}
        assert 'name="old"' in (await ann.get("/console/password")).text
        for old in ("", PASSWORD):
            assert (await ann.post("/console/password", **form, old=old)).status_code == 422
        assert (await ann.post("/console/password", **form, old=reset)).status_code == 303


async def test_what_has_to_be_typed_again_has_the_keyboard(office: Office) -> None:
    _, _, page = await sign_in(office, "ann", "wrong")
    assert [
        each.split(">")[0].split()[0] for each in page.split("<input id=")[1:] if "autofocus" in each
    ] == ['"field-password"']


async def test_a_form_without_the_token_of_the_session_does_nothing(office: Office) -> None:
    case = await office.write("a")
    async with office.signed_in("ann") as ann:
        url = f"/console/queues/orders/{case.number}/claim"
        for token in ("", "wrong", "é"):
            ann.csrf = token
            refused = await ann.post(url)
            assert refused.status_code == 403
            assert "reload it and try again" in refused.text
    assert (await office.service.case_after(case.id)).assignee is None


async def test_a_form_of_another_site_does_nothing(office: Office) -> None:
    async with office.client() as client:
        form = {"name": "ann", "password": PASSWORD}
        answer = await client.post("/console/sign-in", data=form, headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers


async def test_signing_out_ends_the_session(office: Office) -> None:
    async with office.signed_in("ann") as ann:
        cookie = dict(ann.http.cookies)
        answer = await ann.post("/console/sign-out")
        assert answer.headers["location"] == "/console/sign-in"
        ann.http.cookies.update(cookie)
        assert (await ann.get("/console")).status_code == 303


async def test_the_look_is_chosen_once(office: Office) -> None:
    async with office.signed_in("ann") as ann:
        await ann.post("/console/theme", theme="dark")
        assert 'data-theme="dark"' in (await ann.get("/console")).text
        await ann.post("/console/theme", theme='"><script>')
        assert "data-theme" not in (await ann.get("/console")).text
