"""A new conversation in a real browser, from the palette to the mail that a real SMTP server takes."""

import pytest
from playwright.async_api import Browser, Page, expect

from tests.hub.console.browsing import tab
from tests.hub.console.office import Office
from tests.hub.console.postbox import postbox
from tests.hub.console.test_correspondence import signed

pytestmark = pytest.mark.browser
PASTE = """
const data = new DataTransfer();
data.setData("text/html", `<b style="font-weight:normal"><p onclick="alert(1)">Pasted <span style="font-weight:700">words</span>` +
  `<img src="https://foreign.example/x" onerror="alert(1)"><script>alert(1)</script></p></b>`);
document.getElementById("compose-formatted").dispatchEvent(
  new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
"""
HTML = (
    "<p>Hello <strong>Zoe</strong></p>\n<ul><li>one</li><li>two</li></ul>\n"
    "<p>Pasted <strong>words</strong></p>\n<p>-- <br>Ann Okafor<br>Shop</p>\n"
)


async def write_letter(page: Page) -> None:
    """By the keyboard, a button and a paste."""
    await page.keyboard.type("Hello ")
    await page.keyboard.press("Control+b")
    await page.keyboard.type("Zoe")
    await page.keyboard.press("Control+b")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="List", exact=True).click()
    await page.keyboard.type("one")
    await page.keyboard.press("Enter")
    await page.keyboard.type("two")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await page.evaluate(PASTE)


async def test_a_formatted_first_message_arrives_as_its_preview_showed_it(
    office: Office, browser: Browser
) -> None:
    await signed(office)
    async with postbox(office) as post, office.served() as url, tab(browser, url, "ann") as ann:
        page = ann.page
        await page.wait_for_selector("html.js")
        await page.keyboard.press("Control+k")
        await page.keyboard.type("new conv")
        await page.keyboard.press("Enter")
        await expect(page.locator("#field-to")).to_be_focused()
        await page.keyboard.type("Zoe <zoe@example.com>")
        await page.locator("#copies summary").click()
        await page.fill("#field-cc", "kim@example.net")
        await page.fill("#field-bcc", "boss@example.org")
        await page.fill("#field-subject", "Your order")
        await page.locator("[data-format-toggle]").click()
        editor = page.locator("#compose-formatted")
        await expect(editor).to_be_focused()
        await write_letter(page)
        await expect(editor.locator("img, script, [onclick]")).to_have_count(0)
        await expect(page.locator("#saved")).to_be_visible()
        async with page.expect_response("**/new/draft"):
            pass
        await page.reload()
        await expect(editor).to_contain_text("Pasted words")
        await page.locator("[data-preview]").click()
        preview = page.locator("#preview-content")
        await expect(preview).to_contain_text("boss@example.org")
        shown = await preview.locator(".formatted").inner_html()
        await page.keyboard.press("Escape")
        await editor.focus()
        await page.keyboard.press("Control+Enter")
        await expect(page.locator("#toasts")).to_contain_text("Your message is on its way.")
        await expect(page.locator(".message.ours .formatted strong").first).to_have_text("Zoe")
        assert await ann.violations() == []
        await ann.open("/console/new")
        await expect(page.locator("html.js #compose")).to_have_value("")
        await office.settle()
        (arrived,) = await post.arrived()
    assert shown.strip() == HTML.strip()
    assert HTML in arrived.part("html")
    assert arrived.part("plain") == "Hello Zoe\n\n- one\n- two\n\nPasted words\n\n-- \nAnn Okafor\nShop"
    assert sorted(arrived.recipients) == ["boss@example.org", "kim@example.net", "zoe@example.com"]
    assert (str(arrived.mail["To"]), str(arrived.mail["Cc"])) == ("Zoe <zoe@example.com>", "kim@example.net")
    assert b"boss" not in arrived.raw
