"""`python -m tests.screens.guide`: the pictures of docs/agents/supervisors.md, of a company with rules, hours and templates."""

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.async_api import Page

from hub.console.places import ROOT as CONSOLE
from schemas.configuration import Configuration
from schemas.events import SYSTEM
from tests.hub.console.office import Office
from tests.hub.console.shop import CONFIGURATION
from tests.screens.shots import open_office, plain_browser, watching, why_not
from tests.support.paths import ROOT

FOLDER = ROOT / "docs" / "agents"
COMPANY = f"{CONSOLE}/company"
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri"]
MORE: dict[str, Any] = {
    "hours": [
        {
            "name": "office",
            "timezone": "Europe/Berlin",
            "periods": [
                {"days": WEEKDAYS, "opens": "08:00", "closes": "12:30"},
                {"days": WEEKDAYS, "opens": "13:00", "closes": "18:00"},
                {"days": ["sat"], "opens": "09:00", "closes": "13:00"},
            ],
            "holidays": ["2026-12-25", "2026-12-26"],
        }
    ],
    "templates": [
        {
            "name": "received",
            "text": {
                "default": "Hello {{ customer.name }},\n\nthank you for your message. Its number is {{ case.number }}.",
                "de": "Guten Tag {{ customer.name }},\n\ndanke für Ihre Nachricht. Sie hat die Nummer {{ case.number }}.",
            },
        }
    ],
    "automations": [
        {
            "name": "confirm",
            "title": "Say that it arrived",
            "event": "opened",
            "when": {"not": {"field": "flags", "operator": "has_any", "value": ["list", "bulk"]}},
            "actions": [{"action": "answer", "template": "received"}],
        }
    ],
}


async def furnish(office: Office) -> None:
    """A company with something in each form, and a draft in which a rule is changed."""
    data = CONFIGURATION.model_dump(mode="json", by_alias=True) | MORE
    await office.service.company.publish(Configuration.model_validate(data), SYSTEM)
    before = (await office.context.configuring.draft("eva")).configuration
    data = before.model_dump(mode="json", by_alias=True)
    data["rules"][0]["when"]["any"].append(
        {"field": "text", "operator": "contains", "value": "charged twice"}
    )
    after = Configuration.model_validate(data)
    await office.context.configuring.edit("eva", lambda _: after)


async def whole(page: Page, path: Path) -> None:
    """The page as high as what is on it."""
    height = await page.evaluate("document.querySelector('main.page').scrollHeight")
    await page.set_viewport_size({"width": 1120, "height": max(500, min(height, 1400))})
    await page.screenshot(path=path, animations="disabled")


async def main(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as made:
        async with open_office(Path(made)) as (office, _, url), plain_browser() as browser:
            await furnish(office)
            async with watching(browser, url, "eva", "light", office) as eva:
                page = eva.page
                for name, path, button in (
                    ("rule", f"{COMPANY}/rules/invoices", "test"),
                    ("changes", f"{COMPANY}/changes", ""),
                    ("hours", f"{COMPANY}/hours/office", ""),
                    ("overview", f"{CONSOLE}/team", ""),
                ):
                    await page.set_viewport_size({"width": 1120, "height": 700})
                    await eva.open(path)
                    if button:
                        await page.click(f"button[value={button}]")
                        await page.wait_for_selector(".trial-result")
                    await whole(page, folder / f"supervisor-{name}.png")


if __name__ == "__main__":
    if missing := why_not():
        sys.exit(missing)
    asyncio.run(main(FOLDER))
