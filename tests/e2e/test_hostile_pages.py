"""What hostile customers sent, opened by an agent in a real browser: nothing of it runs, and nothing is fetched for it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request

from tests.e2e.engines import BOTH, settings_of
from tests.e2e.hostile_hub import Said, attacked_hub, files_address, send_small
from tests.e2e.hostile_items import MORE_HTML
from tests.e2e.hubs import HubProcess
from tests.e2e.people import make_agent, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

WATCH = """
for (const name of ["alert", "confirm", "prompt", "print"]) window[name] = () => told(`script: ${name} at ${location.href}`);
document.addEventListener("securitypolicyviolation", (event) => told(
  `policy: ${event.effectiveDirective} ${event.blockedURI} in ${event.documentURI} by ${event.sourceFile} ${event.sample}`));
"""
"""Runs in each document before anything of it, also in the frames of mails."""


@dataclass
class Watched:
    """A browser's tab and all that happened in it which must not."""

    page: Page
    origins: frozenset[str]
    faults: list[str] = field(default_factory=list)
    place: str = ""

    def fault(self, text: str) -> None:
        self.faults.append(f"{self.place}: {text}")

    def asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if (
            parts.scheme not in {"data", "about", "blob"}
            and f"{parts.scheme}://{parts.netloc}" not in self.origins
        ):
            self.fault(f"request: {request.url}")

    def heard(self, said: ConsoleMessage) -> None:
        """What the browser itself says of frames that may run no script, not even that of this test."""
        if any(each in said.text for each in ("Content Security", "Blocked script", "sandboxed")):
            self.fault(f"console: {said.text}")

    async def open(self, url: str, place: str) -> None:
        self.place = place
        await self.page.goto(url, wait_until="load")


@asynccontextmanager
async def watched(browser: Browser, hub: HubProcess) -> AsyncIterator[Watched]:
    context: BrowserContext = await browser.new_context()
    origins = frozenset(each.rstrip("/") for each in (hub.console, hub.intake, files_address(hub)))
    made = Watched(await context.new_page(), origins)
    await context.expose_function("told", made.fault)
    await context.add_init_script(WATCH)
    context.on("request", made.asked)
    context.on("console", made.heard)
    context.on("dialog", lambda dialog: made.fault(f"dialog: {dialog.message}"))
    context.on("weberror", lambda error: made.fault(f"error: {error.error}"))
    context.on("page", lambda page: made.fault(f"window: {page.url}"))
    try:
        yield made
    finally:
        await context.close()


async def frames_of(watched: Watched, place: str) -> int:
    """Opens each mail of this page as it was sent, its pictures loaded. Returns how many there are."""
    page = watched.page
    links = await page.locator(".message a[href*='html=']").evaluate_all(
        "found => found.map(each => each.href)"
    )
    for link in links:
        await watched.open(link, f"{place}, as sent")
        await page.locator("iframe.frame").scroll_into_view_if_needed()
        shown = await (await page.locator("iframe.frame").element_handle()).content_frame()
        assert shown is not None
        await shown.wait_for_load_state()
    return len(links)


@pytest.mark.slow
@pytest.mark.parametrize("engine", BOTH)
async def test_no_page_runs_a_script_or_fetches_anything_for_what_a_customer_sent(
    tmp_path: Path, browser: Browser, engine: str
) -> None:
    async with attacked_hub(tmp_path, await settings_of(engine)) as hub:
        said = Said()
        await send_small(hub, said)
        await hub.settled(120)
        cases = await hub.everything("/cases", all_states=True, sort="newest")
        assert len(cases) > len(said.items) / 2
        password = await make_agent(hub, "mia")
        async with watched(browser, hub) as agent:
            await sign_in(agent.page, hub, "mia", password)
            await agent.open(f"{hub.console}/console/queues/inbox", "queue")
            frames = 0
            for case in cases:
                place = f"case {case['number']} ({case['subject'][:40]!r})"
                await agent.open(f"{hub.console}/console/cases/{case['number']}", place)
                await agent.page.locator("#case-title").wait_for()
                frames += await frames_of(agent, place)
            await agent.open(f"{hub.console}/console/search?q=script", "search")
            await agent.open(f"{hub.console}/console/quarantine", "quarantine")
            await agent.open(f"{hub.intake}/f/contact", "form")
            assert frames > len(MORE_HTML)
            assert agent.faults == []


async def test_the_watch_sees_what_it_is_there_for(tmp_path: Path, browser: Browser) -> None:
    async with attacked_hub(tmp_path) as hub, watched(browser, hub) as agent:
        await agent.open(f"{hub.console}/console", "sign-in")
        assert agent.faults == []
        await agent.page.evaluate("alert(1)")
        await agent.page.evaluate(
            "() => {document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=alert(1)>')}"
        )
        await agent.page.evaluate("fetch('http://127.0.0.1:9/x').catch(() => 0)")
        await agent.page.wait_for_timeout(300)
        found = " ".join(agent.faults)
        assert (
            "script: alert" in found and "policy: script-src-attr" in found and "policy: connect-src" in found
        )
