"""A small office behind the console, on the real engine with the real decider: two queues, four people, what customers wrote."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from argon2 import PasswordHasher
from fastapi import FastAPI

from connectors.email.channel import CHANNEL as MAIL
from connectors.email.writer import MailWriter
from connectors.kit.intake import Accepted, Intake
from hub.accounts import Accounts
from hub.accounts.credentials import Passwords
from hub.company import Company
from hub.console.frames import mount_frames
from hub.console.router import mount
from hub.consumers import AutomationConsumer, CasesConsumer, OutboundConsumer, SearchConsumer
from hub.deciding import Deciding
from hub.http.app import api_app
from hub.http.context import AppContext, Facts
from hub.http.files import files_app
from hub.http.previews import mount_previews
from hub.http.protocol import patient
from hub.letters import Letters
from hub.observe import Metrics
from hub.people import People
from hub.publishing import Publishing
from hub.runner import Runner
from hub.service import Service
from hub.verify import Verifier
from schemas.accounts import Principal
from schemas.commands import Command
from schemas.documents import Case
from schemas.events import SYSTEM, Actor
from schemas.ids import derive, item_id, part_id, sha256
from schemas.interactions import (
    Attachment,
    BlobRef,
    Content,
    FormSubmission,
    InteractionReceived,
    Kind,
    Part,
    Participant,
)
from schemas.interactions import Role as PartyRole
from schemas.ports import Health, HealthState
from schemas.steps import Blob, References
from sinks.outbound import Dispatcher
from sinks.sqlite.engine import SqliteEngine, open_engine
from tests.hub.console.outside import Clock, NoIngester, Relay
from tests.hub.console.shop import COMPOSER, CONFIGURATION, PASSWORD, PEOPLE, SECRET

ORIGIN, FILES_ORIGIN = "http://hub.test", "http://files.test"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass
class Office:
    engine: SqliteEngine
    clock: Any
    context: AppContext
    intake: Intake
    relay: Relay
    dispatcher: Dispatcher
    runners: list[Runner]
    app: FastAPI = field(init=False)
    files: FastAPI = field(init=False)

    def __post_init__(self) -> None:
        self.build(self.context.facts.public_url, self.context.facts.files_url)

    def build(self, public_url: str, files_url: str) -> None:
        """The applications, at these addresses."""
        self.context = replace(
            self.context, facts=replace(self.context.facts, public_url=public_url, files_url=files_url)
        )
        self.app, self.files = api_app(self.context), files_app(self.context)
        mount(self.app, self.context)
        mount_frames(self.files, self.context)
        mount_previews(self.files, self.context)

    def hold_back(self, seconds: float) -> None:
        """Answers leave so long after they were sent."""
        facts = replace(self.context.facts, undo_seconds=seconds)
        self.context = replace(self.context, facts=facts)
        self.build(facts.public_url, facts.files_url)

    @property
    def service(self) -> Service:
        return self.context.service

    async def settle(self) -> None:
        """Until nothing is left to do."""
        while True:
            moved = [await runner.once() for runner in self.runners]
            if not any(moved) and not await self.dispatcher.send_due():
                return

    async def write(
        self,
        name: str,
        subject: str = "Where is my parcel?",
        text: str = "Hello, where is it?",
        *,
        sender: str = "mara@example.com",
        sender_name: str = "Mara Ionescu",
        ago: timedelta = timedelta(),
        verified: bool = True,
        html: str = "",
        attached: dict[str, bytes] | None = None,
        content: dict[str, Any] | None = None,
        **more: Any,
    ) -> Case:
        """A customer writes a mail. Returns the case that it opened or joined."""
        at: datetime = self.clock.now() - ago
        raw = name.encode()
        original = Blob(BlobRef(sha256=sha256(raw), size=len(raw)), raw)
        files = [await self._attach(key, value) for key, value in (attached or {}).items()]
        fields: dict[str, Any] = {
            "part": Part(item=item_id("email", "support", name)),
            "channel": "email",
            "account": "support",
            "brand": "default",
            "conversation": f"mail:{name}",
            "occurred_at": at,
            "received_at": at,
            "original": original.ref,
            "kind": Kind.MESSAGE,
            "external_id": f"mail:{name}",
            "participants": (
                Participant(
                    role=PartyRole.FROM, scheme="email", value=sender, name=sender_name, verified=verified
                ),
            ),
            "content": Content(subject=subject, text=text, html=html, language="en", **(content or {})),
            "attachments": tuple(files),
            **more,
        }
        received = InteractionReceived.model_validate(fields)
        await self.intake.accept(Accepted(received.part.item, original, (received,)))
        await self.settle()
        interaction = part_id(received.part.item, 0)
        entry = (await self.engine.load(References(entries={interaction}))).entries[interaction]
        return await self.service.case_after(entry.case)

    async def fill_in(
        self, name: str, fields: dict[str, str], sender: str = "kim@example.net", ago: timedelta = timedelta()
    ) -> Case:
        """A customer sends a form; the address is typed, and proved by nothing."""
        return await self.write(
            name,
            fields.get("Subject", "A question"),
            fields.get("Message", ""),
            ago=ago,
            channel="webform",
            account="contact",
            kind=Kind.FORM,
            conversation=f"form:{name}",
            external_id=f"form:{name}",
            form=FormSubmission(form="contact", version="1", fields=fields, consent={"privacy": "2026-01"}),
            participants=(Participant(role=PartyRole.FROM, scheme="email-typed", value=sender, name="Kim"),),
        )

    async def _attach(self, name: str, content: bytes) -> Attachment:
        media_type = "image/png" if name.endswith(".png") else "application/pdf"
        ref = await self.engine.put_blob(content, media_type)
        return Attachment(
            name=name, media_type=media_type, size=len(content), blob=ref, content_id=f"<{name}>"
        )

    async def do(self, user: str, command: type[Command], case: Case, **fields: Any) -> Case:
        title, roles = PEOPLE[user]
        principal = Principal(kind="agent", id=user, name=title, roles=roles)
        actor = Actor(kind="agent", id=user, name=title)
        made = command.model_validate({"case": case.id, "actor": actor, **fields})
        request = derive("test", user, made.model_dump_json(), self.clock.now().isoformat())
        after = await self.service.command(principal, made, request)
        await self.settle()
        return after

    @asynccontextmanager
    async def client(
        self, app: FastAPI | None = None, origin: str = ORIGIN
    ) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(app=app or self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=origin) as client:
            yield client

    @asynccontextmanager
    async def signed_in(self, name: str) -> AsyncIterator["Visitor"]:
        async with self.client() as client:
            answer = await client.post("/console/sign-in", data={"name": name, "password": PASSWORD})
            assert answer.status_code == 303
            csrf = (await client.get("/api/v1/session")).json()["csrf"]
            yield Visitor(client, csrf)

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        """The two origins on real ports, as long as the block lasts; gives the address of the console."""
        servers = [_server(self.app), _server(self.app)]
        sockets = [each.config.bind_socket() for each in servers]
        for each in sockets:
            patient(each)  # as the hub does: without it each answer waits 40 ms for an acknowledgement
        urls = [f"http://127.0.0.1:{each.getsockname()[1]}" for each in sockets]
        self.build(*urls)
        for server, app in zip(servers, (self.app, self.files), strict=True):
            server.config.app = app
        tasks = [
            asyncio.create_task(server.serve(sockets=[socket]))
            for server, socket in zip(servers, sockets, strict=True)
        ]
        while not all(server.started for server in servers):  # noqa: ASYNC110  uvicorn tells by nothing else
            await asyncio.sleep(0.01)
        try:
            yield urls[0]
        finally:
            for server in servers:
                server.should_exit = server.force_exit = True
            await asyncio.gather(*tasks)


@dataclass
class Visitor:
    """A browser without scripts."""

    http: httpx.AsyncClient
    csrf: str

    async def get(self, url: str, **headers: str) -> httpx.Response:
        return await self.http.get(url, headers=headers)

    async def post(self, url: str, **fields: str) -> httpx.Response:
        return await self.http.post(url, data={"csrf": self.csrf, **fields})

    async def part(self, url: str, seen_at: str = "", **fields: str) -> httpx.Response:
        """What htmx gets for a form, sent from the page at `seen_at`."""
        headers = {"HX-Request": "true", "HX-Current-URL": str(self.http.base_url.join(seen_at or url))}
        return await self.http.post(url, data={"csrf": self.csrf, **fields}, headers=headers)


def _server(app: FastAPI) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)


@asynccontextmanager
async def office(folder: Path, clock: Any = None) -> AsyncIterator[Office]:
    clock = clock or Clock()
    engine = await open_engine(folder, clock=clock)
    try:
        yield await _furnished(engine, clock)
    finally:
        await engine.close()


async def _furnished(engine: SqliteEngine, clock: Any) -> Office:
    company = await Company.open(engine, clock)
    await company.publish(CONFIGURATION, SYSTEM)
    offered = {"email:support": MAIL.capabilities}
    deciding = Deciding(engine, clock, company, SECRET, {"default": "support"}, offered)
    service = Service(
        engine, clock, company, deciding, {"email": MailWriter(COMPOSER)}, {"email:support": "default"}
    )
    accounts = Accounts(engine, clock, Passwords(CHEAP))
    relay = Relay()
    dispatcher = Dispatcher(engine, clock, {"email": relay})
    consumers = (
        CasesConsumer(deciding),
        AutomationConsumer(engine, company),
        OutboundConsumer(engine, dispatcher.wake),
        SearchConsumer(engine),
    )
    intake = Intake(engine, clock)
    context = AppContext(
        service=service,
        accounts=accounts,
        people=People(engine, clock, service),
        engine=engine,
        clock=clock,
        secret=SECRET,
        facts=Facts(public_url=ORIGIN, files_url=FILES_ORIGIN, version="0.1.0"),
        metrics=Metrics(),
        letters=Letters(engine, clock, intake, {}),
        verifier=Verifier(engine),
        backups=engine,
        publisher=Publishing(engine, company),
        ingester=NoIngester(),
        consumers={each.name: each.topics for each in consumers},
        connectors={
            "email:support": lambda: Health(HealthState.OK, "takes mail on port 2525", clock.now()),
            "webform:contact": lambda: Health(HealthState.DEGRADED, "the relay answers slowly"),
        },
    )
    for name, (title, roles) in PEOPLE.items():
        _, password = await accounts.users.create(name, roles, SYSTEM, title=title)
        await accounts.users.change_password(name, password, PASSWORD, SYSTEM)
    return Office(
        engine, clock, context, intake, relay, dispatcher, [Runner(engine, clock, each) for each in consumers]
    )


__all__ = ["PASSWORD", "Clock", "Office", "Visitor", "office"]
