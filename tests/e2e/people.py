"""Customers and an agent with real programs: a mail client, a browser for the form, a browser for the console."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import aiosmtplib
import httpx
from playwright.async_api import Browser, Page, expect

from connectors.email.standin.mailbox import StoredMail
from tests.e2e.hubs import HubProcess, send_mail

CONNECTIONS = 6
PASSWORD = "a long sentence of my own"
NUMBER = re.compile(r"[0-9A-Z]{5}-[0-9A-Z]{5}")


async def send_all(port: int, mails: Mapping[str, bytes]) -> dict[str, str]:
    """Each mail once, over a few connections at the same time. Returns the item id that each was acknowledged with."""
    waiting, items = list(mails.items()), dict[str, str]()

    async def connection() -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, timeout=60) as client:
            while waiting:
                name, raw = waiting.pop()
                items[name] = await send_mail(client, raw)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(CONNECTIONS):
            tasks.create_task(connection())
    return items


@dataclass(frozen=True)
class Posted:
    """A form that a browser sent: what it said, what it was told, and the request itself, to be sent again."""

    text: str
    number: str
    item: str
    body: bytes
    headers: Mapping[str, str]

    async def again(self, hub: HubProcess) -> str:
        """The very same request a second time. Returns the item that it is told."""
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(f"{hub.intake}/f/contact", content=self.body, headers=self.headers)
        assert answer.status_code == 200, answer.text
        item: str = answer.json()["item"]
        return item


async def fill_in(page: Page, hub: HubProcess, address: str, text: str) -> Posted:
    """Fill in and send the hosted form, as a visitor does."""
    await page.goto(f"{hub.intake}/f/contact")
    await page.get_by_label("Mail address").fill(address)
    await page.get_by_label("Subject").fill("From the form")
    await page.get_by_label("Message").fill(text)
    async with page.expect_response(lambda response: response.request.method == "POST") as sent:
        await page.get_by_role("button", name="Send").click()
    response = await sent.value
    told: dict[str, Any] = await response.json()
    await expect(page.locator(".number")).to_have_text(told["case"])
    kept = {"content-type", "accept", "idempotency-key", "origin"}
    headers = {name: value for name, value in response.request.headers.items() if name in kept}
    body = response.request.post_data_buffer
    assert body
    return Posted(text, told["case"], told["item"], body, headers)


async def fill_in_without_scripts(browser: Browser, hub: HubProcess, address: str, text: str) -> str:
    """The same where no script runs. Returns the case number that the page shows."""
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{hub.intake}/f/contact")
    await page.get_by_label("Mail address").fill(address)
    await page.get_by_label("Message").fill(text)
    await page.get_by_role("button", name="Send").click()
    found = NUMBER.search(await page.locator(".number").inner_text())
    assert found
    return found.group()


async def make_agent(hub: HubProcess, name: str, role: str = "agent") -> str:
    """Somebody who works in all queues. Returns the one-time password."""
    async with hub.operator() as api:
        answer = await api.post("/users", json={"name": name, "title": name.title(), "roles": {"*": role}})
    assert answer.status_code == 201, answer.text
    password: str = answer.json()["one_time_password"]
    return password


async def sign_in(page: Page, hub: HubProcess, name: str, one_time_password: str) -> None:
    """Sign in with a one-time password, and choose one's own."""
    await page.goto(f"{hub.console}/console")
    await page.locator("[name=name]").fill(name)
    await page.locator("[name=password]").fill(one_time_password)
    await page.locator("button.primary").click()
    await page.locator("[name=new]").fill(PASSWORD)
    await page.locator("[name=again]").fill(PASSWORD)
    await page.locator("button.primary").click()
    await page.wait_for_url(lambda url: not url.endswith("/password"))


async def reply(page: Page, hub: HubProcess, number: str, text: str) -> None:
    """Open the case and answer it; the answer then stands in the conversation."""
    await page.goto(f"{hub.console}/console/cases/{number}")
    await page.locator("#compose").fill(text)
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.locator("#case")).to_contain_text(text)
    await expect(page.locator("#compose")).to_have_value("")


def parsed(mail: StoredMail) -> EmailMessage:
    message = message_from_bytes(mail.content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def text_of(mail: StoredMail) -> str:
    body = parsed(mail).get_body(("plain",))
    assert body is not None
    text: str = body.get_content()
    return text


def with_text(mails: Sequence[StoredMail], text: str) -> StoredMail:
    """The one mail that says this."""
    (found,) = [each for each in mails if text in text_of(each)]
    return found


def answer_to(mail: StoredMail, sender: str, text: str) -> EmailMessage:
    """What a mail client makes of "Reply"."""
    original = parsed(mail)
    answer = EmailMessage()
    answer["From"] = sender
    answer["To"] = original["Reply-To"] or original["From"]
    answer["Subject"] = original["Subject"]
    answer["Message-ID"] = f"<answer.{mail.number}@customer.example>"
    answer["In-Reply-To"] = original["Message-ID"]
    answer["References"] = " ".join([str(original["References"] or ""), str(original["Message-ID"])]).strip()
    answer.set_content(text + "\n")
    return answer
