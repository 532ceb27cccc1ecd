"""One person writes by mail, form, Slack and X. Linked, an agent sees one timeline; taken apart again, the four from before."""

from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiosmtplib
import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from hub.case_lists import CaseFilter
from hub.demo.outside import Outside
from hub.settings import HubSettings
from hub.up import Running, start
from schemas.accounts import Principal, Role
from schemas.documents import Case
from schemas.events import SYSTEM
from tests.e2e.engines import BOTH, settings_of
from tests.e2e.hubs import company
from tests.support.waiting import eventually

pytestmark = pytest.mark.browser
MIA = Principal(kind="agent", id="mia", name="Mia", roles={"*": Role.AGENT})
PASSWORD = "four ways to write"
SAID = {
    "email": "By mail: where is my order?",
    "webform": "By form: I asked already",
    "slack": "By Slack: anybody there?",
    "x": "@shop by X: hello?",
}
MARA, MARA_ON_X, CHANNEL = "U0MARA001", "8001", "C0SHOP0001"


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    made = Outside()
    await made.start()
    made.slack.workspace.person(MARA, "Mara Lind")
    made.slack.workspace.channel(CHANNEL)
    made.x.person(MARA_ON_X, "Mara", "maralind")
    yield made
    await made.stop()


@pytest.fixture(params=BOTH)
async def hub(request: pytest.FixtureRequest, tmp_path: Path, outside: Outside) -> AsyncIterator[Running]:
    settings: dict[str, Any] = {**company(9), **outside.sections(), "automations": []}
    settings |= await settings_of(request.param)
    settings["brands"] = [{"name": "default", "title": "Shop"}]
    for section in ("slack", "x"):
        settings[section]["accounts"][0]["brand"] = "default"
    settings["webhook_in"]["sources"][0]["brand"] = "default"
    running = await start(HubSettings.model_validate(settings), tmp_path / "data")
    yield running
    await running.stop()


async def write(hub: Running, outside: Outside) -> None:
    host, _, port = hub.addresses["smtp"].rpartition(":")
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = (
        "Mara Lind <mara@lind.example>",
        "support@shop.example",
        "My order",
    )
    mail["Message-ID"] = "<one@lind.example>"
    mail.set_content(SAID["email"])
    async with aiosmtplib.SMTP(hostname=host, port=int(port), timeout=30) as client:
        await client.send_message(mail)
    form = {"email": "mara.private@lind.example", "subject": "Again", "message": SAID["webform"]}
    async with httpx.AsyncClient(base_url=hub.addresses["intake"], trust_env=False) as visitor:
        (await visitor.post("/f/contact", json=form)).raise_for_status()
    outside.slack.workspace.say(MARA, CHANNEL, SAID["slack"])
    await eventually(lambda: len(outside.x.calls) >= 3)  # the first look takes nothing
    outside.x.mention(MARA_ON_X, SAID["x"])


async def cases(hub: Running) -> dict[str, Case]:
    """Channel -> case, once all four are there."""

    async def found() -> dict[str, Case] | None:
        page = await hub.hub.service.cases(MIA, CaseFilter(states=()), 50)
        by_channel = {each.channel: each for each in page.items if each.queue}
        return by_channel if by_channel.keys() == SAID.keys() else None

    opened = await eventually(found, within_seconds=30)
    assert opened is not None
    return opened


async def sign_in(page: Page, hub: Running) -> None:
    users = hub.hub.accounts.users
    _, one_time = await users.create("mia", {"*": Role.AGENT}, SYSTEM, title="Mia")
    async with httpx.AsyncClient(base_url=hub.addresses["console"], trust_env=False) as client:
        session = await client.post("/api/v1/session", json={"name": "mia", "password": one_time})
        headers = {"X-CSRF-Token": session.json()["csrf"]}
        change = {"old_password": one_time, "password": PASSWORD}
        assert (await client.post("/api/v1/session/password", json=change, headers=headers)).is_success
    await page.goto(f"{hub.addresses['console']}/console")
    await page.fill("#field-name", "mia")
    await page.fill("#field-password", PASSWORD)
    await page.click("button.primary")
    await page.wait_for_selector("#rail")


async def said_to(hub: Running, case: Case) -> set[str]:
    """What the timeline of the case's person holds, over all channels."""
    view = await hub.hub.service.customer(MIA, case.handle)
    page = await hub.hub.service.customer_timeline(MIA, view.customer)
    return {each.text_new or each.text for each in page.items if each.kind == "message"}


@pytest.mark.timeout(180)
async def test_one_person_over_four_channels_is_linked_and_taken_apart_again(
    hub: Running, outside: Outside, browser: Browser
) -> None:
    await write(hub, outside)
    opened = await cases(hub)
    for channel, case in opened.items():
        assert await said_to(hub, case) == {SAID[channel]}
    context = await browser.new_context(viewport={"width": 1800, "height": 1200})
    context.set_default_timeout(10_000)
    page = await context.new_page()
    await sign_in(page, hub)
    mail = opened["email"]
    await page.goto(f"{hub.addresses['console']}/console/queues/{mail.queue}/{mail.number}")
    person = page.locator("#link-person")
    for number, channel in enumerate(("webform", "slack", "x"), start=1):
        await person.locator("summary").click()
        await person.locator("input[name=other]").fill(str(opened[channel].handle))
        await person.locator("input[name=note]").fill(f"said so ({channel})")
        await person.locator("button").click()
        await expect(page.get_by_text(f"said so ({channel})")).to_be_visible()
        assert len((await hub.hub.service.customer_by_handle(mail.handle)).handles) == number + 1
    for text in SAID.values():
        await expect(page.locator("#person, body").get_by_text(text[:20]).first).to_be_visible()
    for case in opened.values():
        assert await said_to(hub, case) == set(SAID.values())
    for left in (2, 1, 0):
        await page.locator("form[action$='/unlink'] button").first.click()
        await expect(page.locator("form[action$='/unlink']")).to_have_count(left)
    for channel, case in opened.items():
        assert await said_to(hub, case) == {SAID[channel]}
    await context.close()
