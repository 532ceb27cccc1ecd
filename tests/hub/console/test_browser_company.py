"""A supervisor changes a rule in a real browser: tries it, publishes it, and goes back in one click."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect

from tests.hub.console.browsing import tab
from tests.hub.console.office import Office

pytestmark = pytest.mark.browser


@pytest.fixture
async def url(office: Office) -> AsyncIterator[str]:
    async with office.served() as served:
        yield served


async def test_a_supervisor_changes_a_rule_tries_it_publishes_it_and_goes_back(
    office: Office, browser: Browser, url: str
) -> None:
    await office.write("a", "My parcel is late")
    await office.write("b", "Invoice 7", sender="bob@example.org")
    async with tab(browser, url, "eva", viewport={"width": 1280, "height": 900}) as eva:
        page = eva.page
        await eva.open("/console/company/rules")
        await page.get_by_role("link", name="Invoices").click()
        await page.locator("#f-when-1-value").fill("parcel")
        await page.get_by_role("button", name="Add a clause").press("Enter")
        field = page.locator("#f-when-2-field")
        await expect(field).to_be_visible()
        await field.select_option("attachments")
        await expect(page.locator("#f-when-2-operator")).to_have_value("at_least")
        await page.locator("#f-when-2-value").fill("9")
        await page.get_by_label("Queue", exact=True).select_option("legal")
        await page.get_by_role("button", name="Try it on past messages").click()
        await expect(page.locator(".trial-result")).to_have_text("It would have matched 2 of 2 new cases.")
        await expect(page.locator(".matches")).to_contain_text("My parcel is late")
        await expect(page.locator("#f-when-1-value")).to_have_value("parcel")
        await page.get_by_role("button", name="Keep in the draft").last.click()
        await page.get_by_role("link", name="Look and publish").click()
        await page.get_by_label("Why").fill("Parcels go to legal")
        await page.get_by_role("button", name="Publish").click()
        await expect(page.locator("#item")).to_contain_text("Version 2 is in force.")
        assert (await office.write("c", "Another parcel", sender="cy@example.org")).queue == "legal"
        await page.get_by_role("button", name="Back to version 1").click()
        await expect(page.locator("#item")).to_contain_text("Version 3 is in force.")
        assert (await office.write("d", "One more parcel", sender="dan@example.org")).queue == "orders"
        assert await eva.violations() == []
        assert await eva.overflow() == 0
