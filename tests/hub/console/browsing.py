"""A browser in which an agent works, and which remembers what a page must never do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page

from tests.hub.console.shop import PASSWORD

WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(
  `${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""


@dataclass
class Tab:
    page: Page
    url: str
    faults: list[str] = field(default_factory=list)

    async def sign_in(self, name: str) -> None:
        await self.page.goto(f"{self.url}/console")
        await self.page.fill("#field-name", name)
        await self.page.fill("#field-password", PASSWORD)
        await self.page.click("button.primary")
        await self.page.wait_for_selector("#rail")

    async def open(self, path: str) -> None:
        await self.page.goto(f"{self.url}{path}")

    async def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        found: int = await self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        return max(0, found)

    async def unrolled(self) -> None:
        """Makes the window so high that nothing of the page, or of a column of its own, is out of sight."""
        size = self.page.viewport_size
        assert size is not None
        hidden: int = await self.page.evaluate(
            "Math.max(0, ...[...document.querySelectorAll('*')].map(each => each.scrollHeight - each.clientHeight))"
        )
        await self.page.set_viewport_size({"width": size["width"], "height": size["height"] + hidden})

    async def violations(self) -> list[str]:
        """What the Content-Security-Policy had to stop on this page."""
        found: list[str] = await self.page.evaluate("window.violations ?? []")
        return found


@asynccontextmanager
async def tab(browser: Browser, url: str, name: str = "", **options: Any) -> AsyncIterator[Tab]:
    """A tab of a fresh profile, signed in when `name` is given. At its end it must have had no fault."""
    context: BrowserContext = await browser.new_context(**options)
    context.set_default_timeout(10_000)
    if options.get("java_script_enabled", True):
        await context.add_init_script(WATCH)
    made = Tab(await context.new_page(), url)
    made.page.on("pageerror", lambda error: made.faults.append(f"error: {error}"))
    made.page.on("dialog", lambda dialog: made.faults.append(f"dialog: {dialog.message}"))
    made.page.on(
        "console", lambda said: made.faults.append(said.text) if "Content Security" in said.text else None
    )
    if name:
        await made.sign_in(name)
    try:
        yield made
    finally:
        await context.close()
    assert made.faults == [], made.faults
