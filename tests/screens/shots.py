"""Every picture: a page, seen by somebody, in one of four views."""

import os
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, async_playwright

from schemas.documents import Case
from tests.hub.console.browsing import Tab, tab
from tests.hub.console.office import Office
from tests.hub.console.office import office as opened
from tests.screens.story import Morning, told
from tests.support.browser import ARGUMENTS
from tests.support.needs import BROWSER

FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
FONTS = Path(__file__).with_name("fonts.conf")

DESKTOP = {"width": 1360, "height": 820}
PHONE = {"width": 390, "height": 780}
VIEWS: dict[str, dict[str, Any]] = {
    "light": {"viewport": DESKTOP, "color_scheme": "light", "locale": "en-GB"},
    "dark": {"viewport": DESKTOP, "color_scheme": "dark", "locale": "en-GB"},
    "phone": {"viewport": PHONE, "color_scheme": "light", "locale": "en-GB", "has_touch": True},
    "rtl": {"viewport": DESKTOP, "color_scheme": "light", "locale": "fa"},
}
COMPONENTS = "components"


@dataclass(frozen=True)
class Shot:
    """`path` may hold {number}, that of the case which is looked at. Without `user` nobody has signed in."""

    name: str
    path: str
    user: str = "ann"
    is_long: bool = False
    """All of the page, not only what fits a window."""


SHOTS: Sequence[Shot] = (
    Shot("sign-in", "/console", user=""),
    Shot("front", "/console"),
    Shot("list", "/console/queues/orders"),
    Shot("case", "/console/queues/orders/{number}"),
    Shot("person", "/console/queues/orders/{number}#person"),
    Shot("search", "/console/search?q=parcel"),
    Shot("password", "/console/password"),
    Shot("unknown", "/console/queues/nowhere"),
    Shot("new", "/console/new"),
    Shot("preferences", "/console/account/preferences"),
    Shot("factor", "/console/account/second-factor"),
    Shot("views", "/console/account/views"),
    Shot("quarantine", "/console/quarantine", user="eva"),
    Shot("health", "/console/health", user="eva"),
    Shot("overview", "/console/team", user="eva"),
    Shot("organizations", "/console/organizations", user="eva"),
    Shot("company", "/console/company", user="eva"),
    Shot("rule", "/console/company/rules/invoices", user="eva"),
    Shot("hours", "/console/company/hours/new", user="eva"),
    Shot(COMPONENTS, "/console/_styles", user="eva", is_long=True),
)


def why_not() -> str:
    """What is missing here for pictures that can be compared; nothing where all is there."""
    if BROWSER.program() is None:
        return "needs Chromium: apt-get install chromium"
    return (
        ""
        if FONT.is_file()
        else "needs the font that pictures are compared in: apt-get install fonts-dejavu-core"
    )


@asynccontextmanager
async def plain_browser() -> AsyncIterator[Browser]:
    """Chromium that knows one family of fonts."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=BROWSER.program(),
            headless=True,
            args=[
                *ARGUMENTS,
                "--font-render-hinting=none",
                "--force-color-profile=srgb",
                "--hide-scrollbars",
            ],
            env={**os.environ, "FONTCONFIG_FILE": str(FONTS)},
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def open_office(folder: Path) -> AsyncIterator[tuple[Office, Case, str]]:
    """The office after its morning, the case that is looked at, and the console's address."""
    async with opened(folder, Morning()) as office:
        case = await told(office)
        async with office.served() as url:
            yield office, case, url


async def look_at(seen: Tab, shot: Shot, case: Case) -> None:
    """Leads the tab to what the picture shows."""
    if "#" in shot.path:  # a fragment alone would not load the page anew
        await seen.open("/console")
    await seen.open(shot.path.format(number=case.number))
    await seen.page.wait_for_load_state(
        "networkidle"
    ) if shot.user == "" else await seen.page.wait_for_load_state()
    await seen.page.evaluate("document.fonts.ready")


@asynccontextmanager
async def watching(browser: Browser, url: str, user: str, view: str, office: Office) -> AsyncIterator[Tab]:
    """A tab in one of the views, at the office's time."""
    async with tab(browser, url, **VIEWS[view], timezone_id="UTC", reduced_motion="reduce") as seen:
        await seen.page.clock.set_fixed_time(office.clock.now())
        if user:
            await seen.sign_in(user)
        yield seen


def emptied(folder: Path) -> Path:
    """The folder, with nothing in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


async def taken(folder: Path, browser: Browser, shots: Sequence[Shot] = SHOTS) -> AsyncIterator[Path]:
    """Makes each picture, into an empty folder."""
    async with open_office(folder / "office") as (office, case, url):
        for view in VIEWS:
            for user in sorted({shot.user for shot in shots}):
                async with watching(browser, url, user, view, office) as seen:
                    for shot in shots:
                        if shot.user != user:
                            continue
                        await look_at(seen, shot, case)
                        if shot.is_long:
                            await seen.unrolled()
                        path = folder / f"{shot.name}-{view}.png"
                        await seen.page.screenshot(path=path, animations="disabled")
                        yield path
    shutil.rmtree(folder / "office")
