"""Two people in one case see each other, through any process, and are soon forgotten."""

import pytest
from playwright.async_api import Browser, expect

from hub.presence import Presences
from schemas.collections import PRESENCES
from schemas.documents import Presence
from schemas.steps import Query
from tests.hub.console.browsing import tab
from tests.hub.console.office import ORIGIN, Office


async def test_colleagues_see_who_reads_and_who_writes(office: Office) -> None:
    case = await office.write("a")
    url = f"/console/queues/orders/{case.number}/here"
    async with office.signed_in("ann") as ann, office.signed_in("bo") as bo:
        assert "badge" not in (await ann.post(url)).text
        assert "Ann Okafor is here too" in (await bo.post(url, writing="1")).text
        assert "Bo Lindqvist is writing" in (await ann.post(url)).text
        office.clock.advance(seconds=15)
        assert "Bo Lindqvist is here too" in (await ann.post(url)).text
        assert (await bo.post(url, gone="1")).status_code == 204
        assert "Bo Lindqvist" not in (await ann.post(url)).text
        await bo.post(url)
        office.clock.advance(minutes=1)
        assert "Bo Lindqvist" not in (await ann.post(url)).text


async def test_who_does_not_read_the_case_learns_nothing(office: Office) -> None:
    case = await office.write("a")
    async with office.signed_in("lee") as lee:
        assert (await lee.post(f"/console/queues/orders/{case.number}/here")).status_code == 404


async def test_being_there_is_written_down_seldom_and_forgotten(office: Office) -> None:
    case = await office.write("a")
    presences = Presences(office.engine, office.clock)
    async with office.signed_in("ann") as ann:
        headers = {"X-CSRF-Token": ann.csrf, "Origin": ORIGIN}
        path = f"/api/v1/cases/{case.number}/presence"
        assert (await ann.http.put(path, json={}, headers=headers)).json() == []
        revision = (await _stored(office)).revision
        for _ in range(5):
            assert (await ann.http.put(path, json={}, headers=headers)).json() == []
        assert (await _stored(office)).revision == revision
    assert [each.name for each in await presences.others("bo", case.id)] == ["Ann Okafor"]
    office.clock.advance(minutes=11)
    assert await presences.purge() == 1


async def _stored(office: Office) -> Presence:
    (found,) = (await office.engine.find(Query(PRESENCES))).items
    assert isinstance(found, Presence)
    return found


@pytest.mark.browser
async def test_two_pages_of_one_case_know_of_each_other(office: Office, browser: Browser) -> None:
    case = await office.write("a")
    path = f"/console/queues/orders/{case.number}"
    async with office.served() as url, tab(browser, url, "ann") as ann, tab(browser, url, "bo") as bo:
        await ann.open(path)
        await bo.open(path)
        await expect(bo.page.locator("#here")).to_have_text("Ann Okafor is here too")
        await ann.page.fill("#compose", "Dear")
        await expect(bo.page.locator("#here")).to_have_text("Ann Okafor is writing", timeout=20_000)
        for tab_of, least, most in ((bo, 20, 60), (ann, 20, 60)):
            told = await tab_of.page.locator("#here").bounding_box()
            composer = await tab_of.page.locator(".composer").bounding_box()
            assert told is not None
            assert composer is not None
            assert least < told["height"] < most
            assert composer["y"] + composer["height"] == await tab_of.page.evaluate("innerHeight")
        assert await ann.violations() == await bo.violations() == []
