"""Drafts are there on any device, for who wrote them, until they were sent."""

from datetime import timedelta

import pytest
from playwright.async_api import Browser, expect

from hub.drafts import Drafts
from tests.hub.console.browsing import tab
from tests.hub.console.office import ORIGIN, Office


async def test_a_draft_is_in_the_page_of_who_wrote_it_until_it_is_sent(office: Office) -> None:
    case = await office.write("a")
    url = f"/console/queues/orders/{case.number}"
    async with office.signed_in("ann") as ann, office.signed_in("bo") as bo:
        for text in ("Dear", "Dear Mara,"):
            assert (await ann.post(f"{url}/draft", text=text, mode="reply")).status_code == 204
        assert ">Dear Mara,</textarea>" in (await ann.get(url)).text
        assert "Dear Mara" not in (await bo.get(url)).text
        await ann.post(f"{url}/write", text="Dear Mara, it comes.", mode="reply")
        assert "></textarea>" in (await ann.get(url)).text
        await ann.post(f"{url}/draft", text="Ask the carrier", mode="note")
        assert 'value="note" checked' in (await ann.get(url)).text
        await ann.post(f"{url}/draft", text=" ", mode="note")
        assert "></textarea>" in (await ann.get(url)).text


async def test_a_draft_in_a_case_that_one_does_not_read_is_refused(office: Office) -> None:
    case = await office.write("a")
    async with office.signed_in("lee") as lee:
        answer = await lee.post(f"/console/queues/orders/{case.number}/draft", text="Hm")
    assert answer.status_code == 404


async def test_a_program_keeps_and_reads_ones_draft(office: Office) -> None:
    case = await office.write("a")
    async with office.signed_in("ann") as ann:
        headers = {"X-CSRF-Token": ann.csrf, "Origin": ORIGIN}
        path = f"/api/v1/cases/{case.number}/draft"
        assert (await ann.http.get(path)).json() == {"text": "", "mode": "reply", "kept_at": None}
        assert (await ann.http.put(path, json={"text": "Dear"}, headers=headers)).status_code == 204
        assert (await ann.http.get(path)).json()["text"] == "Dear"
        assert (
            await ann.http.put(path, json={"text": "x", "mode": "tweet"}, headers=headers)
        ).status_code == 422


async def test_what_nobody_touched_for_a_month_is_forgotten(office: Office) -> None:
    first, second = await office.write("a"), await office.write("b", sender="kim@example.com")
    drafts = Drafts(office.engine, office.clock)
    await drafts.keep("ann", first.id, "old")
    office.clock.at += timedelta(days=20)
    await drafts.keep("ann", second.id, "newer")
    office.clock.at += timedelta(days=11)
    assert await drafts.purge() == 1
    assert await drafts.read("ann", first.id) is None
    assert (await drafts.read("ann", second.id)) is not None


@pytest.mark.browser
async def test_what_is_written_here_stands_there(office: Office, browser: Browser) -> None:
    case = await office.write("a")
    path = f"/console/queues/orders/{case.number}"
    async with office.served() as url, tab(browser, url, "ann") as desk, tab(browser, url, "ann") as phone:
        await desk.open(path)
        async with desk.page.expect_response(lambda answer: answer.url.endswith("/draft")):
            await desk.page.keyboard.press("r")
            await desk.page.keyboard.type("Dear Mara")
        await phone.open(path)
        await expect(phone.page.locator("#compose")).to_have_value("Dear Mara")
        await phone.page.locator("#compose").press_sequentially(", it comes.")
        await phone.page.keyboard.press("Control+Enter")
        await expect(phone.page.locator(".message.ours")).to_have_count(1)
        await desk.open(path)
        await expect(desk.page.locator(".message.ours")).to_have_count(1)
