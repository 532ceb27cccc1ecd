"""One's own account in the console: signing in in two steps, and where one is signed in."""

import re

from hub.accounts.totp import code_at, step_at
from tests.hub.console.office import Office
from tests.hub.console.shop import PASSWORD
from tests.hub.http.test_factors import seed_of

CODES = re.compile(r'<code dir="ltr">([a-z0-9-]{19})</code>')
SECRET = re.compile(r'<code class="whole" dir="ltr">([A-Z2-7]+)</code>')
URL = "/console/account/second-factor"


def code(office: Office, secret: str) -> str:
    return code_at(seed_of(f"otpauth://totp/x?secret={secret}"), step_at(office.clock.now()))


async def test_a_second_step_is_set_up_and_asked_for_at_the_gate(office: Office) -> None:
    async with office.signed_in("ann") as ann:
        wrong = await ann.post(f"{URL}/begin", password="not mine at all")
        offered = await ann.post(f"{URL}/begin", password=PASSWORD)
        secret = SECRET.search(offered.text)
        assert secret
        refused = await ann.post(f"{URL}/confirm", code="000000")
        confirmed = await ann.post(f"{URL}/confirm", code=code(office, secret[1]))
    assert (wrong.status_code, refused.status_code) == (422, 422)
    assert "<svg" in offered.text
    codes = CODES.findall(confirmed.text)
    assert len(codes) == 10
    office.clock.advance(seconds=60)
    async with office.client() as client:
        first = await client.post(
            "/console/sign-in", data={"name": "ann", "password": PASSWORD, "next": "/console/views/mine"}
        )
        assert first.headers["location"] == "/console/sign-in/code?next=%2Fconsole%2Fviews%2Fmine"
        closed = await client.get("/console/views/mine")
        assert closed.headers["location"].startswith("/console/sign-in")
        bad = await client.post("/console/sign-in/code", data={"code": "123"})
        assert bad.status_code == 401
        body = {"code": code(office, secret[1]), "next": "/console/views/mine"}
        good = await client.post("/console/sign-in/code", data=body)
        assert good.headers["location"] == "/console/views/mine"
        assert (await client.get("/console/views/mine")).status_code == 200
    async with office.client() as client:
        await client.post("/console/sign-in", data={"name": "ann", "password": PASSWORD})
        by_list = await client.post("/console/sign-in/code", data={"code": codes[0]})
        assert by_list.status_code == 303


async def test_sessions_are_listed_and_end_one_by_one_or_all_others(office: Office) -> None:
    async with (
        office.signed_in("ann") as ann,
        office.signed_in("ann") as other,
        office.signed_in("ann") as third,
    ):
        other.http.headers["user-agent"] = "x"
        page = (await ann.get("/console/account/sessions")).text
        ends = re.findall(r"/account/sessions/([0-9a-f-]{36})/end", page)
        assert page.count("This one") == 1
        assert len(ends) == 2
        await ann.post(f"/console/account/sessions/{ends[0]}/end")
        left = [(await each.get("/console/views/mine")).status_code for each in (ann, other, third)]
        assert sorted(left) == [200, 200, 303]
        await ann.post("/console/account/sessions/end-others")
        left = [(await each.get("/console/views/mine")).status_code for each in (ann, other, third)]
        assert left == [200, 303, 303]
        assert "You are signed in nowhere else." in (await ann.get("/console/account/sessions")).text


async def test_nobody_ends_the_session_of_another(office: Office) -> None:
    async with office.signed_in("ann") as ann, office.signed_in("bo") as tom:
        theirs = (await tom.get("/api/v1/sessions")).json()[0]["id"]
        await ann.post(f"/console/account/sessions/{theirs}/end")
        assert (await tom.get("/console/views/mine")).status_code == 200


async def test_preferences_hold_on_every_page_and_every_device(office: Office) -> None:
    fields = {
        "language": "fa", "zone": "Asia/Tehran", "theme": "dark", "density": "compact", "notices": "reply",
        "browser": "1", "mail": "daily", "quiet": "1", "starts": "21:00", "ends": "06:00",
    }  # fmt: skip
    async with office.signed_in("ann") as ann, office.signed_in("ann") as elsewhere:
        saved = await ann.post("/console/account/preferences", **fields)
        assert saved.headers["location"] == "/console/account/preferences?saved=1"
        page = (await elsewhere.get("/console/queues/orders")).text
        refused = await ann.post("/console/account/preferences", **{**fields, "zone": "Atlantis/Capital"})
        late = await ann.post("/console/account/preferences", **{**fields, "starts": "25:00"})
    assert 'lang="fa" dir="rtl" data-theme="dark" data-density="compact"' in page
    assert (refused.status_code, late.status_code) == (422, 422)
    kept = (await office.context.accounts.users.get("ann")).preferences
    assert [str(each) for each in kept.notices] == ["reply"]
    assert kept.quiet is not None
    assert (kept.quiet.starts, kept.quiet.weekends, kept.sound) == ("21:00", False, False)


async def test_times_stand_in_the_zone_that_was_chosen_whatever_the_browser_says(office: Office) -> None:
    case = await office.write("a")
    async with office.signed_in("ann") as ann:
        ann.http.cookies.set("hubbub-zone", "America/Lima")
        await office.context.accounts.users.prefer("ann", {"zone": "Asia/Tehran"})
        page = (await ann.get(f"/console/queues/orders/{case.number}")).text
    assert "+0330" in page
