"""The whole hub in this process, stepped by hand: what happens at which moment is the test's to say."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
from aiosmtpd.smtp import Envelope, Session

from connectors.email.standin.mailbox import Mailbox, StoredMail
from connectors.email.standin.server import StandinServer
from hub.settings import HubSettings
from hub.wiring import Hub, wire
from schemas.accounts import Principal, Role
from schemas.commands import Command, NoteCase, ReplyToCase, SnoozeCase
from schemas.documents import Case
from schemas.events import SYSTEM, Actor
from schemas.ids import derive, parse_case_number
from schemas.ports import Connector
from tests.e2e.hubs import ADDRESS, ITEM, company
from tests.faults.ledger import Ledger

MIA = Principal(kind="agent", id="mia", name="Mia", roles={"*": Role.AGENT})
BLOB_BYTES = 70_000


@dataclass
class Clock:
    """Goes a little on with each look, so that nothing happens at the same time as anything else."""

    time: datetime = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)

    def now(self) -> datetime:
        self.time += timedelta(milliseconds=1)
        return self.time


@dataclass
class World:
    """What outlives a hub: its folder, the receiver of its mail, the record of its senders, and time."""

    folder: Path
    relay: StandinServer
    clock: Clock = field(default_factory=Clock)
    ledger: Ledger = field(default_factory=Ledger)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    async def arrived(self) -> Sequence[StoredMail]:
        return await self.relay.mailbox.list(limit=10**9)

    @asynccontextmanager
    async def hub(self) -> "AsyncIterator[WholeHub]":
        """Opened as `hubbub up` opens it, without listening. However the block ends, the folder is free afterwards."""
        settings = HubSettings.model_validate(company(self.relay.port))
        hub = await wire(settings, self.data, self.clock)
        try:
            await hub.publishing.publish(settings.company(), SYSTEM)
            await hub.dispatcher.recover()
            await forms_of(hub).start()
            yield WholeHub(hub, self)
        finally:
            if hub.email:
                await hub.email.stop(0)
            await hub.close_channels()
            await hub.engine.close()


def forms_of(hub: Hub) -> Connector:
    return hub.channels["webform"].connectors[0]


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    mailbox = Mailbox(":memory:")
    made = World(folder, StandinServer(mailbox, Clock()))
    await made.relay.start()
    try:
        yield made
    finally:
        await made.relay.stop()
        await mailbox.close()


@dataclass
class WholeHub:
    hub: Hub
    world: World

    async def mail(self, customer: str, number: int, attachment: bytes = b"") -> None:
        """A mail by SMTP's own path, up to its 250."""
        text = f"{customer} message {number}"
        raw = mail(customer, number, text, attachment)
        assert self.hub.email and self.hub.email.server
        envelope, session = Envelope(), Session(asyncio.get_running_loop())
        envelope.mail_from, envelope.rcpt_tos, envelope.content = "ann@customer.example", [ADDRESS], raw
        vars(session)["peer"] = ("127.0.0.1", 9)
        server: Any = self.hub.email.server
        answer = await server.handle_DATA(None, session, envelope)
        found = ITEM.search(answer)
        assert found, answer
        texts = self.world.ledger.threads[customer]
        if text not in texts:
            texts.append(text)
        self.world.ledger.items.append(found[1])

    async def form(self, text: str) -> str:
        """A form by its JSON post, up to its answer. Returns the case's number."""
        transport = httpx.ASGITransport(app=self.hub.channels["webform"].app)
        async with httpx.AsyncClient(transport=transport, base_url="http://forms.example") as client:
            entry = {"email": "kim@customer.example", "message": text}
            key = {"Idempotency-Key": derive("form", text).hex}
            answer = await client.post("/f/contact", json=entry, headers=key)
        assert answer.status_code == 200, answer.text
        taken = answer.json()
        self.world.ledger.items.append(taken["item"])
        self.world.ledger.forms[text] = taken["case"]
        number: str = taken["case"]
        return number

    async def note(self, number: str, text: str) -> None:
        await self._command(number, NoteCase, text=text)
        if text not in self.world.ledger.notes:
            self.world.ledger.notes.append(text)

    async def reply(self, number: str, text: str) -> None:
        await self._command(number, ReplyToCase, text=text)
        if text not in self.world.ledger.replies[number]:
            self.world.ledger.replies[number].append(text)

    async def snooze(self, number: str, until: datetime) -> None:
        await self._command(number, SnoozeCase, until=until)
        self.world.ledger.snoozes[number] = 1

    async def _command(self, number: str, command: type[Command], **fields: Any) -> None:
        case = await self.case(number)
        made = command.model_validate({"case": case.id, "actor": Actor(kind="agent", id="mia"), **fields})
        request = derive("request", number, command.__name__, str(fields.get("text", "")))
        await self.hub.service.command(MIA, made, request)

    async def case(self, number: str) -> Case:
        canonical = parse_case_number(number)
        assert canonical
        return await self.hub.service.case(MIA, canonical)

    async def settle(self) -> None:
        """Until nothing is left to do."""
        while True:
            moved = [await runner.once() for runner in self.hub.runners]
            sent = await self.hub.dispatcher.send_due()
            if not any(moved) and not sent:
                return


async def work(hub: WholeHub, told: Callable[[], None] = lambda: None) -> None:
    """Everything that the hub does, once. `told` is called after each answer to who asked."""
    await hub.mail("Ann", 0)
    told()
    await hub.settle()
    await hub.mail("Ann", 1, attachment=b"\1" * BLOB_BYTES)
    told()
    number = await hub.form("Where is my order?")
    told()
    await hub.settle()
    await hub.note(number, "She called.")
    told()
    await hub.reply(number, "It is on its way.")
    told()
    await hub.settle()
    clock = hub.world.clock
    await hub.snooze(number, clock.now() + timedelta(hours=1))
    told()
    clock.time += timedelta(hours=2)
    await hub.hub.timers.tick()
    await hub.settle()


def mail(customer: str, number: int, text: str, attachment: bytes = b"") -> bytes:
    local = customer.lower().replace(" ", "-")
    made = EmailMessage()
    made["From"] = f"{customer} <{local}@customer.example>"
    made["To"] = ADDRESS
    made["Subject"] = f"About {customer}"
    made["Message-ID"] = f"<{local}-{number}@customer.example>"
    if number:
        made["In-Reply-To"] = f"<{local}-0@customer.example>"
    made.set_content(text + "\n")
    if attachment:
        made.add_attachment(attachment, maintype="application", subtype="octet-stream", filename="photo.bin")
        made.set_boundary(local)
    return made.as_bytes().replace(b"\n", b"\r\n")
