"""Writing an answer in a real browser: canned text, files, later, and taken back."""

import pytest
from playwright.async_api import Browser, FilePayload, expect

from schemas.commands import ReplyToCase
from schemas.configuration import Template
from schemas.events import SYSTEM
from tests.hub.console.browsing import tab
from tests.hub.console.office import Office
from tests.hub.console.shop import CONFIGURATION
from tests.hub.console.test_offered import offer

pytestmark = pytest.mark.browser
TEMPLATES = tuple(
    Template(name=name, text={"default": text})
    for name, text in (("thanks", "Thank you."), ("delay", "Dear {{ customer.name }}, it is late."))
)
PASTE = """
const data = new DataTransfer();
data.items.add(new File([Uint8Array.from(atob("%s"), (each) => each.charCodeAt(0))], "shot.png", {type: "image/png"}));
document.getElementById("compose").dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true}));
"""
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


async def test_a_canned_answer_and_files_leave_after_the_time_to_take_them_back(
    office: Office, browser: Browser
) -> None:
    await office.service.company.publish(CONFIGURATION.model_copy(update={"templates": TEMPLATES}), SYSTEM)
    office.hold_back(5)
    case = await office.write("a", text="Hello.\n" * 60)
    async with office.served() as url, tab(browser, url, "ann") as ann:
        page = ann.page
        await ann.open(f"/console/queues/orders/{case.number}")
        await expect(page.locator("#lines > li").last).to_be_in_viewport(ratio=1)
        await page.keyboard.press("r")
        await page.keyboard.press("/")
        await page.keyboard.type("del")
        await expect(page.locator("[data-canned]:visible")).to_have_text(["delay"])
        await page.keyboard.press("Enter")
        await expect(page.locator("#compose")).to_have_value("Dear Mara Ionescu, it is late.")
        chosen = FilePayload(name="plan.txt", mimeType="text/plain", buffer=b"Tuesday")
        await page.set_input_files("#pick-files", chosen)
        await page.evaluate(PASTE % PIXEL)
        await expect(page.locator("#files .attachment")).to_have_count(2)
        await expect(page.locator("#lines > li").last).to_be_in_viewport(ratio=1)
        await page.locator("#compose").focus()
        await page.keyboard.press("Control+Enter")
        await expect(page.locator(".message.ours .attachment")).to_have_count(2)
        await page.locator("#toasts").get_by_role("button", name="Undo").click()
        await expect(page.locator("#compose")).to_have_value("Dear Mara Ionescu, it is late.")
        await expect(page.locator(".message.ours")).to_contain_text("Taken back before it was sent")
        await expect(page.locator("#files .attachment")).to_have_count(2)
        await page.locator("#menu-later summary").click()
        await page.get_by_role("button", name="In an hour").click()
        await expect(page.locator("#toasts")).to_contain_text("The answer leaves later.")
        assert await ann.violations() == []
    await office.settle()
    pending = (await office.service.case_after(case.id)).pending
    assert [each.message.text for each in pending] == ["Dear Mara Ionescu, it is late."]
    assert [len(each.message.attachments) for each in pending] == [2]
    assert office.relay.sent == []


async def test_an_upload_that_fails_is_told(office: Office, browser: Browser) -> None:
    case = await office.write("a")
    async with office.served() as url, tab(browser, url, "ann") as ann:
        page = ann.page
        await ann.open(f"/console/queues/orders/{case.number}")
        chosen = FilePayload(name="plan.txt", mimeType="text/plain", buffer=b"Tuesday")
        await page.route("**/files*", lambda route: route.abort())
        await page.set_input_files("#pick-files", chosen)
        await expect(page.locator("#files").get_by_role("alert")).to_contain_text("could not be kept")
        await page.unroute("**/files*")
        await page.set_input_files("#pick-files", chosen)
        await expect(page.locator("#files")).to_contain_text("plan.txt")
        await expect(page.locator("#files").get_by_role("alert")).to_have_count(0)


async def test_an_answer_is_changed_and_taken_back_where_it_stands_without_a_reload(
    office: Office, browser: Browser
) -> None:
    offer(office, edit=True, delete=True)
    case = await office.write("a")
    await office.do("ann", ReplyToCase, case, text="It is on its way.")
    async with office.served() as url, tab(browser, url, "ann") as ann:
        page = ann.page
        await ann.open(f"/console/queues/orders/{case.number}")
        byline, change = page.locator(".message.ours .byline"), page.locator(".message.ours .change details")
        await change.first.locator("summary").click()
        await change.first.locator("textarea").fill("It arrives today.")
        await change.first.locator("button").click()
        await expect(byline).to_contain_text("being changed")
        await office.settle()
        await expect(page.locator(".message.ours .text")).to_have_text("It arrives today.")
        await expect(byline).to_contain_text("edited")
        await change.last.locator("summary").click()
        await change.last.locator("button").click()
        await expect(byline).to_contain_text("being taken back")
        await office.settle()
        await expect(byline).to_contain_text("Deleted just now by Ann")
        await expect(change).to_have_count(0)
