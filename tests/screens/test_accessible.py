"""No page has what axe-core calls serious or critical, in the light and in the dark, on the phone and from right to left."""

from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.screens.shots import SHOTS, VIEWS, look_at, open_office, watching

pytestmark = [pytest.mark.browser, pytest.mark.slow]

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ASK = """
async (tags) => (await axe.run(document, {runOnly: {type: "tag", values: tags}, resultTypes: ["violations"]}))
  .violations.map(({id, impact, nodes}) => ({id, impact, where: nodes.map(({target, failureSummary}) => `${target.join(" ")}: ${failureSummary}`)}))
"""


async def found_on(page: Page) -> list[dict[str, Any]]:
    """What axe-core finds on this page, the worst and the harmless."""
    await page.evaluate(AXE)
    found: list[dict[str, Any]] = await page.evaluate(ASK, RULES)
    return found


def told(found: list[dict[str, Any]]) -> list[str]:
    return [f"{each['id']} ({each['impact']}) {where}" for each in found for where in each["where"]]


async def test_axe_finds_what_is_wrong(browser: Browser) -> None:
    page = await browser.new_page()
    await page.set_content("<!doctype html><html><title>x</title><img src='data:,'><input>")
    assert {"image-alt", "label", "html-has-lang"} <= {each["id"] for each in await found_on(page)}
    await page.close()


async def test_no_page_keeps_anybody_out(tmp_path: Path, browser: Browser) -> None:
    async with open_office(tmp_path) as (office, case, url):
        wrong: list[str] = []
        for view in VIEWS:
            for user in sorted({shot.user for shot in SHOTS}):
                async with watching(browser, url, user, view, office) as seen:
                    for shot in (each for each in SHOTS if each.user == user):
                        await look_at(seen, shot, case)
                        found = [
                            each
                            for each in await found_on(seen.page)
                            if each["impact"] in ("serious", "critical")
                        ]
                        wrong += [f"{shot.name}, {view}: {each}" for each in told(found)]
    assert wrong == []


ORDER = (
    "navigation",
    'searchbox "Search',
    'link "Mine',
    'link "Orders',
    'heading "Orders',
    "Zoë Smith 50 min late Return of the espresso machine",
    'heading "Where is my parcel?"',
    'button "Resolve"',
    'region "Conversation"',
    "Could you have a look?",
    "Thank you! May I change the address?",
    'radio "Reply"',
    'textbox "Your answer"',
    'button "Send"',
    'heading "Mara Ionescu"',
    'heading "Why is it here"',
    'heading "Everything, all channels"',
)
"""As a screen reader tells a case: where one is, what waits, what was said, where one answers, who it is."""


async def test_a_case_is_read_in_the_order_in_which_it_is_worked(tmp_path: Path, browser: Browser) -> None:
    async with (
        open_office(tmp_path) as (office, case, url),
        watching(browser, url, "ann", "light", office) as seen,
    ):
        await seen.open(f"/console/queues/orders/{case.number}")
        read = await seen.page.locator("body").aria_snapshot()
    at = 0
    for told in ORDER:
        found = read.find(told, at)
        assert found >= 0, f"{told!r} is not read after what stands before it:\n{read}"
        at = found
