"""Forms as a visitor's browser shows and sends them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from connectors.webform.standin.site import site
from schemas.errors import Outage
from tests.connectors.webform.serving import serving
from tests.connectors.webform.support import CONTACT, ENTRY, WITH_FILES, Rig, rig, settings
from tests.support.clock import Clock

pytestmark = pytest.mark.browser


@dataclass
class Stage:
    """The hub's forms and a foreign site that shows one of them, both on real ports."""

    rig: Rig
    hub: str
    shop: str


@pytest.fixture
async def stage(clock: Clock) -> AsyncIterator[Stage]:
    clock.now = datetime.now(UTC)
    worked: dict[str, Any] = {
        **WITH_FILES,
        "name": "worked",
        "spam": {"proof_of_work_bits": 10, "minimum_seconds": 0},
    }
    # The site's origin is known only when it listens, the hub's address only when the hub does: so the hub stands behind a name.
    apps: list[Any] = []

    async def site_app(scope: Any, receive: Any, send: Any) -> None:
        await apps[0](scope, receive, send)

    async with serving(site_app, "127.0.0.1") as shop:
        contact = {**CONTACT, "allowed_origins": [shop], "spam": {"minimum_seconds": 0}}
        async with (
            rig(clock, settings(contact, WITH_FILES, worked)) as running,
            serving(running.connector.app) as hub,
        ):
            named = hub.replace("127.0.0.1", "localhost")
            apps.append(site(named, "contact", {"data-value-campaign": "spring"}))
            yield Stage(running, named, shop)


async def fill(page: Page) -> None:
    await page.get_by_label("Email", exact=True).first.fill("ann@example.com")
    await page.get_by_label("Message").fill("Where is my order?")
    await page.get_by_label("I agree to the privacy notice.").check()


async def send(page: Page) -> None:
    await page.get_by_role("button", name="Send").click()


async def number(page: Page) -> str:
    await expect(page.get_by_role("heading", name="Thank you, your message has arrived")).to_be_visible()
    return await page.locator(".number").inner_text()


async def test_the_hosted_page_sends_an_entry_and_shows_the_case_number(stage: Stage, page: Page) -> None:
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    await page.goto(f"{stage.hub}/f/contact")
    await fill(page)
    await send(page)

    assert len(await number(page)) == 11
    assert page.url == f"{stage.hub}/f/contact"
    assert stage.rig.interaction.content.text_new == "Where is my order?"
    assert stage.rig.interaction.flags == ()
    assert problems == []


async def test_the_hosted_page_works_without_javascript(stage: Stage, browser: Browser) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{stage.hub}/f/contact")
    await send(page)
    summary = page.locator(".summary")
    await expect(summary).to_be_focused()
    await expect(summary.get_by_role("listitem")).to_have_count(3)

    await fill(page)
    await send(page)
    shown = await number(page)
    await page.reload()

    assert await number(page) == shown
    assert len(stage.rig.interactions) == 1
    assert stage.rig.interaction.flags == ()


async def test_a_double_click_makes_one_item(stage: Stage, page: Page) -> None:
    await page.goto(f"{stage.hub}/f/contact")
    await fill(page)
    await page.get_by_role("button", name="Send").dblclick()

    await number(page)
    assert len(stage.rig.engine.events) == 1


async def test_a_double_click_without_javascript_makes_one_item(stage: Stage, browser: Browser) -> None:
    page = await (await browser.new_context(java_script_enabled=False)).new_page()
    await page.goto(f"{stage.hub}/f/contact")
    await fill(page)
    await page.get_by_role("button", name="Send").dblclick()

    await number(page)
    assert len(stage.rig.engine.events) == 1


async def test_mistakes_are_summed_up_in_focus_and_each_leads_to_its_field(stage: Stage, page: Page) -> None:
    await page.goto(f"{stage.hub}/f/contact")
    await page.get_by_label("Email", exact=True).first.fill("nobody")
    await send(page)
    await expect(page.locator(".summary")).to_be_focused()
    await page.get_by_role("link", name="Email: This does not look like an email address.").click()

    email = page.locator("#f-email")
    await expect(email).to_be_focused()
    assert await email.get_attribute("aria-invalid") == "true"
    assert await email.get_attribute("aria-describedby") == "e-email"
    await expect(email).to_have_accessible_description(
        "This does not look like an email address. Example: ann@example.com"
    )


async def test_the_snippet_shows_the_form_on_a_foreign_origin(stage: Stage, page: Page) -> None:
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    await page.goto(stage.shop)
    await fill(page)
    await send(page)

    assert len(await number(page)) == 11
    received = stage.rig.interaction
    assert received.form is not None
    assert received.form.page_url == f"{stage.shop}/"
    assert received.form.fields["campaign"] == "spring"
    assert received.flags == ()
    assert problems == []


async def test_the_snippet_shows_mistakes_in_focus_inside_the_foreign_page(stage: Stage, page: Page) -> None:
    await page.goto(stage.shop)
    await send(page)
    await expect(page.locator(".summary")).to_be_focused()
    await page.get_by_role("link", name="Message: Please fill this in.").click()
    await expect(page.locator("#f-message")).to_be_focused()


async def test_an_origin_that_is_not_listed_gets_a_link_instead(stage: Stage, page: Page) -> None:
    other = stage.shop.replace("127.0.0.1", "localhost")
    await page.goto(other)

    await expect(page.get_by_role("link", name=f"{stage.hub}/f/contact")).to_be_visible()
    assert await page.get_by_label("Message").count() == 0


async def test_an_outage_keeps_the_entry_over_a_reload_and_sends_it_when_it_can(
    stage: Stage, page: Page
) -> None:
    stage.rig.engine.outage = Outage("disk full", retry_after_seconds=1)
    await page.goto(f"{stage.hub}/f/contact")
    await fill(page)
    await send(page)
    await expect(page.get_by_role("status")).to_contain_text("It is kept here and sent again in 1 seconds")
    await page.reload()
    await expect(page.get_by_label("Message")).to_have_value("Where is my order?")
    stage.rig.engine.outage = None

    await number(page)
    assert len(stage.rig.interactions) == 1
    assert await page.evaluate("sessionStorage.length") == 0


async def test_a_page_whose_key_was_used_can_go_on_with_a_further_message(stage: Stage, page: Page) -> None:
    await page.goto(f"{stage.hub}/f/contact")
    await fill(page)
    key = await page.locator("input[name=_key]").input_value()
    before = await stage.rig.client.post(
        "/f/contact", json={**ENTRY, "_key": key, "message": "What I wrote first"}
    )
    await send(page)
    await expect(page.locator(".notice")).to_contain_text(before.json()["case"])
    await expect(page.locator(".notice")).to_be_focused()
    await send(page)

    assert await number(page) != before.json()["case"]
    assert [each.content.text_new for each in stage.rig.interactions] == [
        "What I wrote first",
        "Where is my order?",
    ]


async def test_the_browser_does_its_work_and_sends_files(stage: Stage, page: Page) -> None:
    await page.goto(f"{stage.hub}/f/worked")
    await page.get_by_label("Email").fill("ann@example.com")
    await page.get_by_label("Photos").set_input_files(
        {"name": "../ev\til.txt", "mimeType": "image/png", "buffer": b"just text"}
    )
    await send(page)

    await number(page)
    received = stage.rig.interaction
    assert [(each.name, each.media_type, each.size) for each in received.attachments] == [
        ("ev il.txt", "text/plain", 9)
    ]
    assert received.flags == ()


@pytest.mark.parametrize("width", [320, 1280])
async def test_nothing_scrolls_sideways(stage: Stage, browser: Browser, width: int) -> None:
    page = await browser.new_page(viewport={"width": width, "height": 640})
    for address in (f"{stage.hub}/f/contact", f"{stage.hub}/f/contact?lang=fa", stage.shop):
        await page.goto(address)
        await expect(page.locator("textarea")).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
