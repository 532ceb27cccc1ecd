"""Notices in a real browser: told once, however many tabs are open; and a saved view by its number."""

import pytest
from playwright.async_api import Browser, expect

from schemas.commands import AssignCase
from schemas.saved_views import ViewFilter
from tests.hub.console.browsing import tab
from tests.hub.console.office import Office
from tests.hub.console.test_saved_views import ANN
from tests.support.waiting import eventually

pytestmark = pytest.mark.browser

COUNTED = """
window.noticed = 0;
const add = EventSource.prototype.addEventListener;
EventSource.prototype.addEventListener = function (type, act, ...rest) {
  const counted = (event) => { window.noticed += 1; act(event); };
  return add.call(this, type, type === "notice" ? counted : act, ...rest);
};
"""
FREE = "navigator.locks.request('hubbub-notices', () => document.querySelectorAll('.toast').length)"


async def test_a_case_given_to_me_is_told_in_one_of_my_tabs_and_a_view_opens_by_its_number(
    office: Office, browser: Browser
) -> None:
    case = await office.write("a")
    await office.context.accounts.users.prefer("ann", {"sound": True})
    await office.context.saved_views.save(ANN, "Mine", ViewFilter(assignee="me"), shared=False)
    async with office.served() as url, tab(browser, url, "ann") as ann:
        await ann.page.context.add_init_script(COUNTED)
        other = await ann.page.context.new_page()
        pages = [ann.page, other]
        for page in pages:
            await page.goto(f"{url}/console/queues/orders")
            await page.wait_for_selector("html.js")
        await office.do("eva", AssignCase, case, assignee="ann")
        for page in pages:
            await eventually(lambda page=page: page.evaluate("window.noticed"))  # type: ignore[misc]
        toasts = [await page.evaluate(FREE) for page in pages]
        assert sorted(toasts) == [0, 1]
        told = pages[toasts.index(1)].locator(".toast")
        await expect(told).to_contain_text("A case was given to you")
        await told.get_by_role("link").click()
        await pages[toasts.index(1)].wait_for_url(f"**/{case.number}*")
        await ann.page.bring_to_front()
        await ann.page.keyboard.press("1")
        await expect(ann.page.locator("#list-title")).to_have_text("Mine")
        assert await ann.violations() == []
