"""Customers and agents who never stop: they write mail, fill in forms and give commands, over the hub's real addresses.

Whoever gets no answer asks again with the very same request, as a mail server, a browser and a client with an
Idempotency-Key do. What was answered goes into the ledger.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from functools import partial
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

import aiosmtplib
import httpx

from tests.e2e.hubs import ADDRESS, HubProcess, send_mail
from tests.faults.ledger import Ledger

T = TypeVar("T")

MAILS_A_THREAD = 8
LARGE_EVERY = 12
LARGE_BYTES = 90_000
LONGEST_PAUSE_SECONDS = 0.06
AGAIN_SECONDS = 0.03
ASLEEP = timedelta(seconds=0.7)
CLIENT_SECONDS = 10.0
REFUSED = "refused@customer.example"
"""The relay of the tests takes nothing for this address."""


class NotNow(Exception):
    """The hub said that it cannot now: ask again."""


@dataclass
class Target:
    """Where the hub is now. Whoever finds it gone waits for the next one."""

    hub: HubProcess | None = None
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def is_at(self, hub: HubProcess) -> None:
        self.hub = hub
        self.arrived.set()

    def is_gone(self) -> None:
        self.arrived.clear()

    async def answered(self, ask: Callable[[HubProcess], Awaitable[T]]) -> T:
        """Ask until there is an answer."""
        while True:
            await self.arrived.wait()
            assert self.hub is not None
            try:
                return await ask(self.hub)
            except (OSError, aiosmtplib.SMTPException, httpx.HTTPError, NotNow):
                await asyncio.sleep(AGAIN_SECONDS)


@dataclass
class Load:
    """`run` until `stop`; then each finishes what it has begun. The same seed makes the same texts and choices."""

    seed: int
    target: Target
    folder: Path
    ledger: Ledger = field(default_factory=Ledger)
    mailers: int = 4
    visitors: int = 3
    has_backups: bool = True
    """Kafka and MongoDB are backed up by their own means."""
    longest_pause_seconds: float = LONGEST_PAUSE_SECONDS
    """Of each person, after each answer."""
    is_over: asyncio.Event = field(default_factory=asyncio.Event)
    slowest_command_seconds: float = 0.0
    """That was answered or refused, rather than lost with a process that ended."""

    def stop(self) -> None:
        self.is_over.set()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for number in range(self.mailers):
                tasks.create_task(self._write(f"Mailer {number}", self._random("mailer", number)))
            for number in range(self.visitors):
                tasks.create_task(self._visit(f"Visitor {number}", self._random("visitor", number)))
            if self.has_backups:
                tasks.create_task(self._back_up())

    def _random(self, kind: str, number: int) -> random.Random:
        return random.Random(f"{self.seed} {kind} {number}")

    async def _pause(self, chance: random.Random) -> None:
        """People do not write all at once; without it a run would measure the disk."""
        await asyncio.sleep(chance.uniform(0, self.longest_pause_seconds))

    # -- mail ---------------------------------------------------------------------------------------------------------

    async def _write(self, name: str, chance: random.Random) -> None:
        for thread in count():
            customer = f"{name} thread {thread}"
            for number in range(MAILS_A_THREAD):
                if self.is_over.is_set():
                    return
                text = f"{customer} message {number}"
                raw = self._mail(customer, number, text, chance)
                item = await self.target.answered(partial(_deliver, raw))
                self.ledger.items.append(item)
                self.ledger.threads[customer].append(text)
                await self._pause(chance)

    def _mail(self, customer: str, number: int, text: str, chance: random.Random) -> bytes:
        local = customer.lower().replace(" ", "-")
        mail = EmailMessage()
        mail["From"] = f"{customer} <{local}@customer.example>"
        mail["To"] = ADDRESS
        mail["Subject"] = f"About {customer}"
        mail["Message-ID"] = f"<{local}-{number}@customer.example>"
        if number:
            mail["In-Reply-To"] = mail["References"] = f"<{local}-0@customer.example>"
        mail.set_content(text + "\n")
        if chance.randrange(LARGE_EVERY) == 0:
            content = chance.randbytes(LARGE_BYTES)
            mail.add_attachment(content, maintype="application", subtype="octet-stream", filename="photo.bin")
            mail.set_boundary(f"{local}-{number}")
        return mail.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")

    # -- forms, and what agents do to the cases that they open --------------------------------------------------------

    async def _visit(self, name: str, chance: random.Random) -> None:
        for number in count():
            if self.is_over.is_set():
                return
            text = f"{name} entry {number}"
            address = (
                REFUSED if chance.randrange(9) == 0 else f"{name.lower().replace(' ', '-')}@customer.example"
            )
            entry = {"email": address, "subject": "A form", "message": text}
            taken = await self.target.answered(partial(_post, entry, key_of(text)))
            self.ledger.items.append(taken["item"])
            self.ledger.forms[text] = taken["case"]
            await chance.choice((self._note, self._reply, self._reply_later, self._snooze))(
                text, taken["case"]
            )
            await self._pause(chance)

    async def _note(self, text: str, case: str) -> None:
        note = f"A note on {text}"
        await self._command(case, "notes", {"text": note})
        self.ledger.notes.append(note)

    async def _reply(self, text: str, case: str) -> None:
        for number in range(2):
            reply = f"Answer {number} to {text}"
            await self._command(case, "replies", {"text": reply})
            self.ledger.replies[case].append(reply)

    async def _reply_later(self, text: str, case: str) -> None:
        reply = f"A later answer to {text}"
        send_at = (datetime.now(UTC) + ASLEEP).isoformat()
        await self._command(case, "replies", {"text": reply, "send_at": send_at})
        self.ledger.replies[case].append(reply)

    async def _snooze(self, text: str, case: str) -> None:
        """Put aside for a moment. Where the hub was away for longer than that, there is nothing left to put aside for."""
        until = (datetime.now(UTC) + ASLEEP).isoformat()
        if await self._command(case, "snooze", {"until": until}):
            self.ledger.snoozes[case] += 1

    async def _command(self, case: str, what: str, body: dict[str, Any]) -> bool:
        """Give a command until it is answered. Whether it was done, or came too late."""
        key = key_of(f"{what} {case} {body.get('text', '')}")

        async def ask(hub: HubProcess) -> bool:
            began = monotonic()
            async with hub.operator() as api:
                answer = await api.post(f"/cases/{case}/{what}", json=body, headers={"Idempotency-Key": key})
            self.slowest_command_seconds = max(self.slowest_command_seconds, monotonic() - began)
            if answer.status_code == 422 and "until" in body:
                return False
            if answer.status_code != 200:  # the case may not be there yet
                raise NotNow(answer.text)
            return True

        return await self.target.answered(ask)

    # -- operators ----------------------------------------------------------------------------------------------------

    async def _back_up(self) -> None:
        for number in count():
            if self.is_over.is_set():
                return
            target = str(self.folder / f"backup-{number}")

            async def ask(hub: HubProcess, target: str = target) -> None:
                async with hub.operator() as api:
                    await api.post("/backup", json={"folder": target})

            await self.target.answered(ask)
            await asyncio.sleep(1.0)


def key_of(text: str) -> str:
    return text.lower().replace(" ", "-")


async def _deliver(raw: bytes, hub: HubProcess) -> str:
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=hub.smtp_port, timeout=CLIENT_SECONDS)
    try:
        await client.connect()
        return await send_mail(client, raw)
    finally:
        client.close()


async def _post(entry: dict[str, str], key: str, hub: HubProcess) -> dict[str, str]:
    async with httpx.AsyncClient(timeout=CLIENT_SECONDS, trust_env=False) as client:
        answer = await client.post(f"{hub.intake}/f/contact", json=entry, headers={"Idempotency-Key": key})
    if answer.status_code != 200:
        raise NotNow(answer.text)
    taken: dict[str, str] = answer.json()
    return taken
