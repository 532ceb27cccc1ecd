"""The demo's customers: they write mail over SMTP, fill in the forms, and answer what they get."""

import asyncio
import html
import re
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from uuid import UUID

import aiosmtplib
import httpx

from connectors.email.standin.mailbox import Mailbox
from hub.demo.samples import SampleMail, SamplePost, Samples, compose, message_id

ITEM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
HIDDEN = re.compile(r'<input type="hidden" name="(?P<name>_\w+)" value="(?P<value>[^"]*)"')
ANSWER_SECONDS = 30.0


class Customers:
    """Writes to the hub at its real addresses. `items` remembers what was acknowledged: sample -> item id, where told."""

    def __init__(self, smtp_host: str, smtp_port: int, forms_url: str, mailbox: Mailbox) -> None:
        self._smtp = (smtp_host, smtp_port)
        self._forms_url = forms_url
        self._mailbox = mailbox
        self.items: dict[str, UUID] = {}

    async def write(self, samples: Samples) -> None:
        """Everything once; answers to earlier mails after these."""
        for sample in samples.mails:
            parent = message_id(sample.answers) if sample.answers else None
            await self._send(sample.id, compose(sample, parent))
        for post in samples.forms:
            await self.post(post)

    async def answer(self, samples: Samples) -> None:
        """Answer the automatic answers, as customers do: to where the mail asks for answers."""
        for sample in samples.follow_ups:
            original = await self._answer_to(sample.sender[0])
            to = str(original.get("Reply-To") or original["From"])
            mail = compose(sample, str(original["Message-ID"]), to, str(original["Subject"]))
            await self._send(sample.id, mail)

    async def trickle(self, sample: SampleMail | SamplePost) -> None:
        if isinstance(sample, SamplePost):
            await self.post(sample)
        else:
            await self._send("", compose(sample))

    async def _send(self, name: str, mail: EmailMessage) -> None:
        host, port = self._smtp
        async with aiosmtplib.SMTP(hostname=host, port=port, timeout=30) as client:
            _, answer = await client.send_message(mail)
        found = ITEM.search(answer)
        if found and name:
            self.items[name] = UUID(found.group())

    async def post(self, post: SamplePost) -> None:
        """Fill in the hosted page, as a browser without JavaScript does."""
        url = f"{self._forms_url}/f/{post.form}"
        async with httpx.AsyncClient(timeout=30, trust_env=False) as browser:
            page = await browser.get(url)
            page.raise_for_status()
            hidden = {each["name"]: html.unescape(each["value"]) for each in HIDDEN.finditer(page.text)}
            consents = dict.fromkeys(post.consents, "yes")
            answer = await browser.post(url, data={**hidden, **post.fields, **consents})
        if answer.status_code not in (200, 201, 303):
            raise RuntimeError(
                f"the form {post.form} refused the sample {post.id}: {answer.status_code} {answer.text[:500]}"
            )

    async def _answer_to(self, address: str) -> Message:
        """The last mail that this customer got."""
        async with asyncio.timeout(ANSWER_SECONDS):
            while True:
                arrived = await self._mailbox.count()
                mails = await self._mailbox.list(address, 1)
                if mails:
                    return message_from_bytes(mails[0].content, policy=policy.default)
                await self._mailbox.until(arrived + 1, ANSWER_SECONDS)
