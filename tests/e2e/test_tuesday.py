"""A Tuesday: 120 cases, three agents and a supervisor, a connection that is cut and a hub that is killed. Nothing is lost or doubled."""

import asyncio
import statistics
from collections import Counter
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest
from playwright.async_api import Browser, BrowserContext, expect

from connectors.email.standin.mailbox import Mailbox
from tests.e2e.engines import BOTH, EMBEDDED, SERVERS
from tests.e2e.hubs import HubProcess, hubbub, send_mail
from tests.e2e.peers import PEERS, strokes_of
from tests.e2e.people import make_agent, parsed, sign_in, text_of
from tests.e2e.working_day import UNASSIGNED, Agent, ByKeyboard, ByMouse, OnPhone
from tests.e2e.working_office import Office, open_office
from tests.support.waiting import eventually

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(570)]

CASES = {EMBEDDED: 120, SERVERS: 60}
AT_ONCE = 20
"""Of the cases: these lie there in the morning, the others come over the day."""
MOST_MAILS = 1_000
DRAFT = "I was about to say that"


def customers_mail(number: int) -> bytes:
    mail = EmailMessage()
    mail["From"] = f"Customer {number} <customer-{number}@customer.example>"
    mail["To"] = "support@shop.example"
    mail["Subject"] = f"{'An invoice' if number % 3 == 0 else 'A question'}, number {number}"
    mail["Message-ID"] = f"<{number}@customer.example>"
    mail.set_content(f"Hello, this is about order {number}.\n")
    return mail.as_bytes()


class Customers:
    """Write one mail after another. What is not acknowledged is sent again, as a mail server does."""

    def __init__(self) -> None:
        self.written = 0

    async def write(self, port: int, count: int, pause_seconds: float = 0) -> None:
        for _ in range(count):
            while True:
                try:
                    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, timeout=10) as client:
                        await send_mail(client, customers_mail(self.written))
                    break
                except (aiosmtplib.SMTPException, OSError):
                    await asyncio.sleep(0.3)
            self.written += 1
            await asyncio.sleep(pause_seconds)


async def arrived(
    browser: Browser, hub: HubProcess, name: str, role: str = "agent", **options: Any
) -> BrowserContext:
    """Somebody at a desk, signed in."""
    context = await browser.new_context(**options)
    page = await context.new_page()
    page.set_default_timeout(15_000)
    await sign_in(page, hub, name, await make_agent(hub, name, role))
    return context


async def draft_survives(office: Office, agent: Agent, customers: Customers) -> None:
    """Half an answer is written, the hub is killed, and the half is still there; no other than its writer sees it."""
    page = agent.page
    await page.goto(f"{office.hub.console}{UNASSIGNED}")
    await page.locator("#rows a[href]").last.click()
    await page.locator("#case [data-key=c]").click()
    await expect(page.locator(".facts")).to_contain_text("You have it")
    await page.locator("#compose").fill(DRAFT)
    await expect(page.locator("#saved")).to_be_visible()
    await office.killed()
    await page.reload()
    await expect(page.locator("#compose")).to_have_value(DRAFT)
    await page.locator("#compose").fill("")
    await agent.answer_and_resolve()


async def connection_comes_back(agent: Agent) -> None:
    """The net is away while an answer is written: the page says so, keeps the words, and goes on by itself."""
    page = agent.page
    await page.goto(f"{agent.hub.console}{UNASSIGNED}")
    await page.locator("#rows a[href]").last.tap()
    await page.locator("#case [data-key=c]").tap()
    await expect(page.locator(".facts")).to_contain_text("You have it")
    await page.context.set_offline(True)
    await page.locator("#compose").fill(DRAFT)
    await asyncio.sleep(2)
    await expect(page.locator("#compose")).to_have_value(DRAFT)
    await page.context.set_offline(False)
    await page.reload()
    await expect(page.locator("#compose")).to_have_value(DRAFT)
    await page.locator("#compose").fill("")
    await agent.answer_and_resolve()


async def given_to(office: Office, supervisor: BrowserContext, name: str) -> None:
    """The supervisor chooses two cases that nobody has and gives them to somebody."""
    page = supervisor.pages[0]
    await page.goto(f"{office.hub.console}/console/queues/inbox?show=unassigned")
    for _ in range(2):
        await page.keyboard.press("j")
        await page.keyboard.press("x")
    await page.locator("#bulk summary").last.click()
    await page.locator(f"#bulk button[value='assign:{name}']").click()
    await expect(page.locator("#toasts")).to_contain_text("Done to")


@pytest.mark.parametrize("engine", BOTH)
async def test_a_tuesday_loses_no_draft_doubles_no_answer_and_leaves_no_case(
    engine: str, tmp_path: Path, browser: Browser
) -> None:
    """On servers the one who answers by the keyboard and the one on the phone work at another process than is killed."""
    customers, cases = Customers(), CASES[engine]
    async with open_office(tmp_path, engine) as (office, mailbox):
        hub, other = office.hub, office.other
        await customers.write(hub.smtp_port, AT_ONCE)
        desktop: dict[str, Any] = {}
        phone: dict[str, Any] = {"viewport": {"width": 390, "height": 780}, "has_touch": True}
        desks: list[BrowserContext] = [
            await arrived(browser, where, name, **options)
            for name, where, options in (("kim", other, desktop), ("mo", hub, desktop), ("pia", other, phone))
        ]
        supervisor = await arrived(browser, hub, "eva", "supervisor")

        async def is_done() -> bool:
            return customers.written == cases and not await office.hub.everything("/cases", state="open")

        over = asyncio.Event()
        kinds = (ByKeyboard, ByMouse, OnPhone)
        agents = [
            kind(name, desk.pages[0], where, over.is_set)
            for kind, name, where, desk in zip(
                kinds, ("kim", "mo", "pia"), (other, hub, other), desks, strict=True
            )
        ]
        by_keyboard, by_mouse, on_phone = agents
        coming = asyncio.create_task(customers.write(hub.smtp_port, cases - AT_ONCE, 0.3))
        working = [asyncio.create_task(each.work()) for each in (by_keyboard,)]
        await connection_comes_back(on_phone)
        working.append(asyncio.create_task(on_phone.work()))
        await given_to(office, supervisor, "mo")
        await draft_survives(office, by_mouse, customers)
        working.append(asyncio.create_task(by_mouse.work()))
        await coming
        await eventually(lambda: nothing_unassigned(office.hub), 90, 0.5)
        over.set()
        await asyncio.gather(*working)
        for each in agents:
            await each.finish()
        await eventually(is_done, 20, 0.3)
        await eventually(lambda: all_left(office.hub), 20, 1)
        unknown = await settle_unknown(office, supervisor, mailbox)
        await eventually(lambda: all_left(office.hub), 20, 1)
        mails = await mailbox.list(limit=MOST_MAILS)
        states = Counter(each["state"] for each in await office.hub.everything("/cases", all_states=True))
        for desk in (*desks, supervisor):
            await desk.close()
        code, said = await hubbub("verify", "--config", str(office.hub.settings))
        assert code == 0, said
    answers = Counter(mail.recipients[0] for mail in mails if "looked after" in text_of(mail))
    assert answers == Counter({f"customer-{number}@customer.example": 1 for number in range(cases)})
    assert not [mail for mail in mails if DRAFT in text_of(mail)]
    assert states == {"resolved": cases}
    print(f"{unknown} answers were on their way when the hub was killed, and were settled by a person")
    for each in agents:
        done = each.worked
        print(
            f"{each.name} ({type(each).__name__}): {len(done.cases)} cases, {statistics.median(done.cases):.2f} s and "
            f"{done.strokes / max(1, len(done.cases)):.1f} strokes a case, {done.troubles} times loaded again"
        )
    for program, keys in PEERS.items():
        print(
            f"{program}: {strokes_of(keys)} strokes a case by its documented keys, clicks where it has none"
        )


async def deliveries(hub: HubProcess) -> dict[str, set[str]]:
    """Number of a case -> what became of its answers."""
    found: dict[str, set[str]] = {}
    async with hub.operator() as api:
        for case in await hub.everything("/cases", all_states=True):
            entries = (await api.get(f"/cases/{case['id']}/timeline")).json()["items"]
            found[case["number"]] = {each["delivery"] for each in entries if each["delivery"]}
    return found


async def all_left(hub: HubProcess) -> bool:
    """Nothing waits any more, not even for the seconds in which it could be taken back."""
    return not any(states & {"scheduled", "queued", "sending"} for states in (await deliveries(hub)).values())


async def settle_unknown(office: Office, supervisor: BrowserContext, mailbox: Mailbox) -> int:
    """What the kill left in doubt is looked at by a person, who says what became of it. Returns how many there were."""
    page = supervisor.pages[0]
    arrived_subjects = {str(parsed(mail)["Subject"]) for mail in await mailbox.list(limit=MOST_MAILS)}
    subjects = {
        each["number"]: each["subject"] for each in await office.hub.everything("/cases", all_states=True)
    }
    doubtful = [number for number, states in (await deliveries(office.hub)).items() if "unknown" in states]
    for number in doubtful:
        await page.goto(f"{office.hub.console}/console/cases/{number}")
        has_arrived = f"Re: {subjects[number]}" in arrived_subjects
        await page.get_by_role("button", name="It arrived" if has_arrived else "Send again").click()
        await expect(page.get_by_text("It may have been sent")).to_have_count(0)
    return len(doubtful)


async def nothing_unassigned(hub: HubProcess) -> bool:
    return not [each for each in await hub.everything("/cases", state="open") if not each["assignee"]]
