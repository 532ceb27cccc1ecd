"""The console in a real browser: an agent's work, live changes, and what a hostile customer cannot do."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from schemas.cases import CaseState
from schemas.commands import ClaimCase, NoteCase, PrioritizeCase, ReplyToCase
from schemas.configuration import Priority
from schemas.events import SYSTEM
from tests.hub.console.browsing import tab
from tests.hub.console.office import Office

pytestmark = pytest.mark.browser
PAGES = (
    "/console",
    "/console/queues/orders",
    "/console/search?q=parcel",
    "/console/health",
    "/console/_styles",
    "/console/quarantine",
)


@pytest.fixture
async def url(office: Office) -> AsyncIterator[str]:
    async with office.served() as served:
        yield served


async def test_a_case_is_worked_with_the_keyboard_alone(office: Office, browser: Browser, url: str) -> None:
    case = await office.write("a")
    await office.write("b", "Another question", sender="bob@example.org", sender_name="Bob")
    async with tab(browser, url, "ann") as ann:
        page = ann.page
        await ann.open("/console/queues/orders")
        await page.keyboard.press("j")
        await page.keyboard.press("Enter")
        await expect(page.locator("#case-title")).to_have_text("Where is my parcel?")
        await expect(page).to_have_url(f"{url}/console/queues/orders/{case.number}")
        await page.keyboard.press("c")
        await expect(page.locator(".facts")).to_contain_text("You have it")
        await page.keyboard.press("n")
        await page.keyboard.type("Called the carrier.")
        await page.keyboard.press("Control+Enter")
        await expect(page.locator(".message.note")).to_contain_text("Called the carrier.")
        await page.locator("#conversation").focus()
        await page.keyboard.press("r")
        await page.keyboard.type("It arrives on Tuesday.")
        await page.keyboard.press("Control+Enter")
        await expect(page.locator(".message.ours")).to_contain_text("It arrives on Tuesday.")
        await expect(page.locator("#compose")).to_have_value("")
        await page.locator("#conversation").focus()
        await page.keyboard.press("e")
        await expect(page.locator("#case-title")).to_have_text(
            "Another question"
        )  # the next case of the list
        await page.keyboard.press("r")
        await page.keyboard.type("Yes.")
        await page.keyboard.press("Control+Shift+Enter")
        await expect(page.locator(".facts").get_by_text("Resolved", exact=True)).to_be_visible()
        assert await ann.violations() == []
    await office.settle()
    after = await office.service.case_after(case.id)
    assert (after.assignee, after.state) == ("ann", CaseState.RESOLVED)
    assert [each.text for each in office.relay.sent] == ["It arrives on Tuesday.", "Yes."]


async def test_a_refused_claim_says_who_was_first_and_when(
    office: Office, browser: Browser, url: str
) -> None:
    case = await office.write("a")
    async with tab(browser, url, "ann") as ann:
        await ann.page.route("**/stream*", lambda route: route.abort())
        await ann.open(f"/console/queues/orders/{case.number}")
        await office.do("bo", ClaimCase, case)
        office.clock.advance(minutes=5)
        await ann.page.keyboard.press("c")
        await expect(ann.page.get_by_role("alert")).to_have_text("Bo Lindqvist took this case 5 min ago.")
        await expect(ann.page.locator(".facts")).to_contain_text("Bo Lindqvist has it")


async def test_an_answer_of_a_colleague_is_shown_before_ones_own_goes_out(
    office: Office, browser: Browser, url: str
) -> None:
    case = await office.write("a")
    async with tab(browser, url, "ann") as ann:
        page = ann.page
        await ann.open(f"/console/queues/orders/{case.number}")
        await page.fill("#compose", "My answer.")
        await office.do("bo", ReplyToCase, case, text="Bo's answer.")
        await page.keyboard.press("Control+Enter")
        await expect(page.get_by_role("alert")).to_contain_text("Bo Lindqvist answered")
        await expect(page.locator("#compose")).to_have_value("My answer.")
        assert len(office.relay.sent) == 1
        await page.get_by_role("button", name="Send mine too").click()
        await expect(page.locator(".message.ours")).to_have_count(2)
    await office.settle()
    assert [each.text for each in office.relay.sent] == ["Bo's answer.", "My answer."]


async def test_a_draft_is_there_after_a_reload(office: Office, browser: Browser, url: str) -> None:
    case = await office.write("a")
    async with tab(browser, url, "ann") as ann:
        await ann.open(f"/console/queues/orders/{case.number}")
        await ann.page.get_by_label("Note").check()
        await ann.page.locator("#compose").press_sequentially("Half a thou")
        await ann.page.reload()
        await expect(ann.page.locator("#compose")).to_have_value("Half a thou")
        await expect(ann.page.get_by_label("Note")).to_be_checked()


async def test_changes_come_without_reload_and_move_nothing(
    office: Office, browser: Browser, url: str
) -> None:
    case = await office.write("a")
    async with tab(browser, url, "ann") as ann:
        page = ann.page
        async with page.expect_response("**/api/v1/cases/stream*"):
            await ann.open(f"/console/queues/orders/{case.number}")
        await page.fill("#compose", "I am writing")
        place = await page.locator("#rows").bounding_box()
        await office.write("b", "A new question", sender="bob@example.org", sender_name="Bob")
        await expect(page.locator("#fresh")).to_have_text("1 new, show it")
        assert await page.locator("#rows").bounding_box() == place
        await expect(page.locator("#rows li[data-case]")).to_have_count(1)
        await expect(page.locator("#rail-counts [data-key=orders]")).to_contain_text("2")
        await office.do("bo", ClaimCase, case)
        await expect(page.locator(".facts")).to_contain_text("Bo Lindqvist has it")
        await expect(page.locator("#rows .avatar")).to_contain_text("BL")
        await office.write(
            "c", "Re: Where is my parcel?", "Still nothing!", parents=("mail:a",), conversation="mail:a"
        )
        await expect(page.locator(".message.theirs").last).to_contain_text("Still nothing!")
        await expect(page.locator("#compose")).to_have_value("I am writing")
        await page.locator("#fresh a").click()
        await expect(page.locator("#rows li[data-case]")).to_have_count(2)
        assert await ann.violations() == []


async def test_ones_own_doing_is_no_news_and_a_colleagues_note_is(
    office: Office, browser: Browser, url: str
) -> None:
    case = await office.write("a")
    async with tab(browser, url, "ann") as ann:
        page = ann.page
        await ann.open(f"/console/queues/orders/{case.number}")
        await expect(page.locator("#case-title")).to_be_visible()
        async with page.expect_response("**/api/v1/cases/stream*"):
            await ann.open("/console/queues/orders")
        await office.do("ann", ReplyToCase, case, text="It is on its way.")
        await office.settle()
        await expect(page.locator("#rows li:not(.waiting)")).to_have_count(1)
        await expect(page.locator("#rows li.unread")).to_have_count(0)
        await office.do("bo", NoteCase, case, text="Not really.")
        await expect(page.locator("#rows li.unread")).to_have_count(1)


async def test_what_comes_to_a_narrowed_list_and_to_a_search_is_announced(
    office: Office, browser: Browser, url: str
) -> None:
    case = await office.write("a")
    async with tab(browser, url, "ann") as ann, tab(browser, url, "ann") as other:
        for seen, path in ((ann, "views/all?priorities=urgent"), (other, "search?q=umbrella")):
            async with seen.page.expect_response("**/api/v1/cases/stream*"):
                await seen.open(f"/console/{path}")
        await office.write("b", "A red umbrella", sender="bob@example.org", sender_name="Bob")
        await expect(other.page.locator("#fresh")).to_have_text("1 new, show it")
        await expect(ann.page.locator("#fresh a")).to_be_hidden()
        await office.do("bo", PrioritizeCase, case, priority=Priority.URGENT)
        await expect(ann.page.locator("#fresh")).to_have_text("1 new, show it")
        for seen in (ann, other):
            await expect(seen.page.locator("#rows li")).to_have_count(0)
            await seen.page.locator("#fresh a").click()
            await expect(seen.page.locator("#rows li")).to_have_count(1)
            assert await seen.violations() == []


async def test_a_page_that_is_signed_out_leads_to_sign_in(office: Office, browser: Browser, url: str) -> None:
    case = await office.write("a")
    async with tab(browser, url, "ann") as ann:
        async with ann.page.expect_response("**/api/v1/cases/stream*"):
            await ann.open(f"/console/queues/orders/{case.number}")
        await ann.page.locator("#compose").press_sequentially("Not lost")
        for session in (await office.context.accounts.sessions.list("ann")).items:
            await office.context.accounts.sessions.revoke(session.id, SYSTEM)
        await ann.page.keyboard.press("Control+Enter")
        await expect(ann.page.locator("#field-name")).to_be_visible()
        await ann.sign_in("ann")
        await ann.open(f"/console/queues/orders/{case.number}")
        await expect(ann.page.locator("#compose")).to_have_value("Not lost")


HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>'\"><svg onload=alert(3)>{{7*7}}${alert(4)}"
    "javascript:alert(5) \u202egnp.exe\u2066 </title></textarea></style><iframe src=javascript:alert(6)>"
    + "W"
    * 200
)


OUR_SCRIPTS_ALONE = """
() => [...document.scripts].every(
  (each) => each.src.startsWith(`${location.origin}/console/static/`) && !each.textContent,
)
"""


async def test_a_hostile_customer_changes_nothing(office: Office, browser: Browser, url: str) -> None:
    case = await office.write(
        "hostile",
        HOSTILE,
        HOSTILE + '\nhttps://evil.example/"onmouseover="alert(7)',
        sender="mallory@example.com",
        sender_name=HOSTILE,
        html=f"<p>{HOSTILE}</p><script>parent.alert(8)</script><form action='https://evil.example'><input></form>",
        attached={f"{HOSTILE}.pdf": b"%PDF"},
    )
    await office.fill_in("form", {HOSTILE: HOSTILE, "Subject": HOSTILE, "Message": HOSTILE})
    async with tab(browser, url, "eva", viewport={"width": 1280, "height": 800}) as eva:
        pages = ("/console/queues/orders", f"/console/queues/orders/{case.number}", "/console/search?q=alert")
        for path in pages:
            await eva.open(path)
            assert await eva.violations() == []
            assert await eva.page.locator("#rail, #case, #main").count() >= 2
            assert await eva.page.evaluate(OUR_SCRIPTS_ALONE)
            assert await eva.overflow() == 0
        await eva.open(f"/console/queues/orders/{case.number}")
        await eva.page.get_by_role("link", name="Show as sent").click()
        frame = eva.page.frame_locator("iframe.frame")
        await expect(frame.locator("p").first).to_be_visible()
        sandbox = await eva.page.locator("iframe.frame").get_attribute("sandbox")
        assert sandbox is not None
        assert "allow-scripts" not in sandbox
        assert "allow-same-origin" not in sandbox


async def test_pictures_from_outside_are_loaded_only_for_the_view_that_asks(
    office: Office, browser: Browser, url: str
) -> None:
    case = await office.write(
        "a", html='<p>Look:</p><img src="http://tracker.localhost:9/p.png"><img src="cid:photo.png">',
        attached={"photo.png": Path(__file__).with_name("pixel.png").read_bytes()},
    )  # fmt: skip
    async with tab(browser, url, "ann") as ann:
        asked: list[str] = []
        ann.page.on("request", lambda request: asked.append(request.url))
        await ann.open(f"/console/queues/orders/{case.number}")
        await ann.page.get_by_role("link", name="Show as sent").click()
        own = ann.page.frame_locator("iframe.frame").locator("img").last
        await expect(own).to_have_js_property("naturalWidth", 1)
        assert not any("tracker" in each for each in asked)
        async with ann.page.expect_request("**/p.png"):
            await ann.page.get_by_role("link", name="Load images").click()
        await ann.open(f"/console/queues/orders/{case.number}")
        asked.clear()
        await ann.page.get_by_role("link", name="Show as sent").click()
        await expect(ann.page.get_by_role("link", name="Load images")).to_be_visible()
        assert not any("tracker" in each for each in asked)


async def test_the_work_is_done_without_scripts_too(office: Office, browser: Browser, url: str) -> None:
    case = await office.write("a")
    async with tab(browser, url, "ann", java_script_enabled=False) as ann:
        page = ann.page
        work = page.locator("#case")
        await ann.open("/console/queues/orders")
        await page.get_by_role("link", name="Mara Ionescu").click()
        await page.locator("#case").get_by_role("button", name="Take it").click()
        await expect(page.locator(".toast")).to_contain_text("You have it.")
        await page.fill("#compose", "On its way.")
        await work.get_by_role("button", name="Send and resolve").click()
        await expect(page.locator(".message.ours")).to_contain_text("On its way.")
        await page.locator("#menu-t summary").click()
        await work.get_by_label("Add a tag").fill("parcel")
        await work.get_by_role("button", name="Add", exact=True).click()
        await expect(page.locator(".facts")).to_contain_text("parcel")
    after = await office.service.case_after(case.id)
    assert (after.state, after.tags) == (CaseState.RESOLVED, ("parcel",))


@pytest.mark.parametrize("width", [320, 390, 768, 1024, 1440])
async def test_nothing_is_wider_than_the_window(
    office: Office, browser: Browser, url: str, width: int
) -> None:
    case = await office.write("a", sender_name="W" * 90, attached={"a" * 120 + ".pdf": b"%PDF"})
    async with tab(browser, url, "eva", viewport={"width": width, "height": 640}) as eva:
        for path in (
            *PAGES,
            f"/console/queues/orders/{case.number}",
            f"/console/queues/orders/{case.number}#person",
        ):
            await eva.open(path)
            assert (path, await eva.overflow()) == (path, 0)


async def test_a_case_is_printed_without_what_is_pressed(office: Office, browser: Browser, url: str) -> None:
    case = await office.write("a")
    async with tab(browser, url, "ann", color_scheme="dark") as ann:
        page = ann.page
        await ann.open(f"/console/queues/orders/{case.number}")
        await page.emulate_media(media="print", color_scheme="dark")
        await expect(page.locator(".message.theirs .body")).to_be_visible()
        for pressed in ("#rail", "#list", "#person", ".composer", ".actions"):
            await expect(page.locator(pressed).first).to_be_hidden()
        await expect(page.locator(".message .text").first).to_have_css("color", "rgb(25, 27, 31)")


async def test_a_phone_shows_one_column_at_a_time(office: Office, browser: Browser, url: str) -> None:
    await office.write("a")
    async with tab(browser, url, "ann", viewport={"width": 390, "height": 844}, has_touch=True) as ann:
        page = ann.page
        await ann.open("/console")
        await expect(page.locator("#list")).to_be_hidden()
        await page.get_by_role("link", name="Orders").click()
        await expect(page.locator("#rail")).to_be_hidden()
        await page.get_by_role("link", name="Mara Ionescu").click()
        await expect(page.locator("#list")).to_be_hidden()
        await expect(page.locator("#compose")).to_be_visible()
        await page.get_by_role("link", name="Person").click()
        await expect(page.locator("#person")).to_be_visible()
        await page.locator("#person").get_by_role("link", name="Close").click()
        await expect(page.locator("#person")).to_be_hidden()
        await page.get_by_role("link", name="Back").click()
        await expect(page.locator("#list")).to_be_visible()
