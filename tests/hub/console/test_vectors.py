"""Every way to smuggle a script in, through every field of a message: nothing runs, and nobody outside is asked for anything."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import islice
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, Request

from connectors.kit.html import clean_html
from schemas.documents import Case
from tests.hub.console.browsing import tab
from tests.hub.console.office import Office
from tests.hub.console.vectors import VECTORS

pytestmark = [pytest.mark.browser, pytest.mark.slow]
EACH = 40
"""Ways in one mail: a case for each alone would take minutes."""


def some(size: int) -> Iterator[Sequence[str]]:
    left = iter(VECTORS)
    while found := list(islice(left, size)):
        yield found


async def written(office: Office) -> list[Case]:
    cases = []
    for number, vectors in enumerate(some(EACH)):
        text = "\n".join(vectors)
        first = vectors[number % len(vectors)].replace("\0", "")
        cases.append(
            await office.write(
                f"mail-{number}",
                first,
                text.replace("\0", ""),
                sender=f"eve-{number}@evil.example",
                sender_name=first[:200],
                html=clean_html(f"<html><body>{'<p>x</p>'.join(vectors)}</body></html>"),
                attached={f"{first[:100]}.png": b"<svg onload=alert(1)>"},
                ago=timedelta(minutes=1),
            )
        )
        fields = {"Subject": first, "Message": text.replace("\0", ""), first[:80]: first}
        cases.append(await office.fill_in(f"form-{number}", fields))
    return cases


async def shown_as_sent(page: Page) -> int:
    """Opens each mail of the page in its frame, with its pictures. Returns how many there were."""
    links = await page.locator(".message a[href*='html=']").evaluate_all(
        "found => found.map(each => each.href)"
    )
    for link in links:
        await page.goto(link)
        frame = page.locator("iframe.frame")
        await frame.scroll_into_view_if_needed()
        shown = await (await frame.element_handle()).content_frame()
        assert shown is not None
        await shown.wait_for_load_state()
        assert await shown.evaluate("document.scripts.length") == 0
    return len(links)


@pytest.mark.timeout(300)
async def test_no_way_through_any_field_runs_or_asks(office: Office, browser: Browser) -> None:
    cases = await written(office)
    frames = 0
    asked: list[str] = []
    async with office.served() as url, tab(browser, url, "eva") as eva:
        ours = {urlsplit(url).netloc, urlsplit(office.context.facts.files_url).netloc}

        def note(request: Request) -> None:
            parts = urlsplit(request.url)
            if parts.scheme in {"http", "https", "ws"} and parts.netloc not in ours:
                asked.append(request.url)

        eva.page.context.on("request", note)
        eva.page.context.on("page", lambda page: asked.append(f"a window of {page.url}"))
        for path in ("/console/queues/orders", "/console/search?q=alert", "/console/views/open"):
            await eva.open(path)
            assert await eva.violations() == []
        for case in cases:
            await eva.open(f"/console/cases/{case.number}")
            await eva.page.locator("#case-title").wait_for()
            assert await eva.violations() == []
            frames += await shown_as_sent(eva.page)
        assert asked == []
        assert frames == len(cases) / 2
