"""The desk in a real browser: many rows at once, and everything by its name."""

import pytest
from playwright.async_api import Browser, expect

from tests.hub.console.browsing import tab
from tests.hub.console.office import Office

pytestmark = pytest.mark.browser


async def test_rows_are_chosen_by_key_and_resolved_together(office: Office, browser: Browser) -> None:
    cases = [
        await office.write(str(number), f"Question {number}", sender=f"c{number}@example.org")
        for number in range(4)
    ]
    async with office.served() as url, tab(browser, url, "ann") as ann:
        page = ann.page
        await ann.open("/console/queues/orders")
        await expect(page.locator("#bulk")).to_be_hidden()
        for _ in range(3):
            await page.keyboard.press("j")
            await page.keyboard.press("x")
        await expect(page.locator("#chosen")).to_have_text("3 chosen")
        await page.keyboard.press("x")
        await expect(page.locator("#chosen")).to_have_text("2 chosen")
        await page.locator("#bulk").get_by_role("button", name="Resolve").click()
        await expect(page.locator("#toasts")).to_contain_text("Done to 2 cases.")
        await expect(page.locator("#rows li[data-case]")).to_have_count(2)
        await page.locator("#toasts").get_by_role("button", name="Undo").click()
        await expect(page.locator("#rows li[data-case]")).to_have_count(4)
        assert await ann.violations() == []
    states = {(await office.service.case_after(each.id)).state for each in cases}
    assert states == {"open"}


async def test_everything_is_found_by_its_name(office: Office, browser: Browser) -> None:
    case = await office.write("a")
    await office.write("b", "Invoice 17 is wrong", sender="bob@example.org", sender_name="Bob")
    async with office.served() as url, tab(browser, url, "ann") as ann:
        page = ann.page
        await ann.open(f"/console/queues/orders/{case.number}")
        await page.keyboard.press("Control+k")
        await page.keyboard.type("snooze tomorrow")
        await expect(page.locator("#palette-list [aria-selected=true]")).to_contain_text("Tomorrow")
        await page.keyboard.press("Enter")
        await expect(page.locator("#toasts")).to_contain_text("Snoozed.")
        await page.keyboard.press("Control+k")
        await page.keyboard.type("billing")
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(f"{url}/console/queues/billing")
        await page.keyboard.press("Control+k")
        await page.keyboard.type("parcel that nobody has")
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(f"{url}/console/search?q=parcel%20that%20nobody%20has")
        assert await ann.violations() == []


async def test_what_is_undone_is_back_in_its_place(office: Office, browser: Browser) -> None:
    for name in ("a", "b", "c"):
        await office.write(name, f"Question {name}", sender=f"{name}@example.org", sender_name=name.upper())
    async with office.served() as url, tab(browser, url, "ann") as ann:
        page, names = ann.page, ann.page.locator("#rows .who .cut")
        await ann.open("/console/queues/orders")
        for key in ("j", "j", "Enter"):
            await page.keyboard.press(key)
        await expect(page.locator("#case-title")).to_have_text("Question b")
        await page.keyboard.press("e")
        await expect(page.locator("#case-title")).to_have_text("Question c")
        await expect(names).to_have_text(["A", "C"])
        await page.locator("#toasts").get_by_role("button", name="Undo").click()
        await expect(page.locator("#case-title")).to_have_text("Question b")
        await expect(names).to_have_text(["A", "B", "C"])
        await expect(page.locator("#rows [aria-current]")).to_contain_text("Question b")
        assert await ann.violations() == []
