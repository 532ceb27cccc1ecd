"""A small company behind the API: two queues, an agent of each, an admin, and cases made without the decider."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI

from hub.accounts import Accounts
from hub.accounts.credentials import Passwords
from hub.company import Company, Version
from hub.http.app import api_app
from hub.http.context import AppContext, Facts, Ingested, Limits
from hub.observe import Metrics
from hub.people import People
from hub.service import Service
from schemas.accounts import Role, Scope
from schemas.cases import CaseNoted, CaseState, RoutingDecision
from schemas.commands import ClaimCase, Command, NoteCase
from schemas.configuration import Configuration, Queue
from schemas.documents import (
    Case,
    DeadLetter,
    Entry,
    EntryKind,
    Handle,
    LetterState,
    PublishedConfiguration,
    QuarantineItem,
)
from schemas.errors import Invalid, Stale, Unknown
from schemas.events import SYSTEM, Actor, Event
from schemas.ids import case_number, derive
from schemas.interactions import Attachment
from schemas.ports import Page, References, Step
from tests.hub.memory import FixedClock, MemoryEngine

SECRET = b"a secret of the tests, 32 bytes."
ORIGIN = "http://hub.test"
FILES_ORIGIN = "http://files.test"
PASSWORD = "correct horse battery"
ADMIN = Actor(kind="agent", id="root")
QUEUES = (Queue(name="orders", title="Orders"), Queue(name="billing", title="Billing"))
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
NO_DECISION = RoutingDecision(configuration=0, rule=None, reason="default")
ATTACHED = b"%PDF-1.7 not a page of ours"
ORIGINAL = b"From: ann@example.net\r\nSubject: hello\r\n\r\nhello\r\n"


class SimpleService(Service):
    """Commands without the decider: a claim and a note, so that the API is tested on its own."""

    async def command(self, principal: Any, command: Command, request: UUID) -> Case:
        case = await self.case(principal, command.case)
        self._may_command(principal, case, command)
        done = (await self.engine.load(References(entries={request}))).entries
        if done:
            return await self.case_after(case.id)
        if command.expected_sequence is not None and command.expected_sequence != case.revision:
            raise Stale(f"case {case.number} changed meanwhile", {"sequence": case.revision})
        now = self.clock.now()
        changes: dict[str, object] = {"revision": case.revision + 1, "updated_at": now}
        text = ""
        if isinstance(command, ClaimCase):
            if case.assignee is not None:
                raise Stale(f"{case.assignee} was first", {"assignee": case.assignee})
            changes |= {"assignee": principal.id, "assigned_at": now}
        if isinstance(command, NoteCase):
            text = command.text
        after = case.model_copy(update=changes)
        noted = CaseNoted(case=case.id, actor=command.actor, text=text, after=after.summary())
        event = Event(
            id=request,
            key=str(case.id),
            time=now,
            data=noted,
            source="/tests",
            correlation=request,
            sequence=after.revision,
        )
        entry = entry_of(after, request, text, kind=EntryKind.NOTE)
        await self.engine.commit(Step(documents=[(after, case.revision)], events=[event], entries=[entry]))
        return await self.case_after(case.id)


def entry_of(case: Case, id: UUID, text: str, **more: Any) -> Entry:
    fields: dict[str, Any] = {
        "id": id,
        "case": case.id,
        "handle": case.handle,
        "conversation": case.conversation,
        "channel": case.channel,
        "kind": EntryKind.MESSAGE,
        "step": "received",
        "sequence": case.revision,
        "occurred_at": case.updated_at,
        "received_at": case.updated_at,
        "actor": SYSTEM,
        "text": text,
    }
    return Entry(**{**fields, **more})


@dataclass
class FakeLetters:
    letters: dict[UUID, DeadLetter] = field(default_factory=dict)
    items: dict[UUID, QuarantineItem] = field(default_factory=dict)
    replayed: list[tuple[UUID, bytes | None]] = field(default_factory=list)

    async def dead_letters(
        self, state: LetterState | None = LetterState.OPEN, limit: int = 50, after: str | None = None
    ) -> Page[DeadLetter]:
        return Page([each for each in self.letters.values() if state in (None, each.state)][:limit])

    async def dead_letter(self, id: UUID) -> DeadLetter:
        if id not in self.letters:
            raise Unknown("there is no such dead letter")
        return self.letters[id]

    async def replay_dead_letter(self, id: UUID, actor: Actor, value: bytes | None = None) -> None:
        await self.dead_letter(id)
        self.replayed.append((id, value))

    async def drop_dead_letter(self, id: UUID, actor: Actor) -> None:
        letter = await self.dead_letter(id)
        self.letters[id] = letter.model_copy(update={"state": LetterState.DROPPED})

    async def quarantine(
        self, state: LetterState | None = LetterState.OPEN, limit: int = 50, after: str | None = None
    ) -> Page[QuarantineItem]:
        return Page([each for each in self.items.values() if state in (None, each.state)][:limit])

    async def quarantined(self, id: UUID) -> QuarantineItem:
        if id not in self.items:
            raise Unknown("there is nothing in quarantine with this id")
        return self.items[id]

    async def original(self, item: QuarantineItem) -> bytes:
        return ORIGINAL

    async def replay_quarantined(self, id: UUID, actor: Actor) -> None:
        await self.quarantined(id)
        raise Invalid("it still cannot be read")

    async def drop_quarantined(self, id: UUID, actor: Actor) -> None:
        await self.quarantined(id)


@dataclass
class FakeVerifier:
    faults: list[str] = field(default_factory=list)

    async def verify(self, ledger: str | None = None) -> AsyncIterator[Mapping[str, object]]:
        for each in self.faults:
            yield {"fault": each}
        yield {"result": "broken" if self.faults else "whole"}


class FakeBackups:
    async def backup(self, folder: str) -> None:
        if not folder.startswith("/"):
            raise Invalid("the folder cannot be used", {"folder": "give an absolute path"})


@dataclass
class FakePublisher:
    published: list[PublishedConfiguration] = field(default_factory=list)

    async def current(self) -> PublishedConfiguration | None:
        return self.published[-1] if self.published else None

    async def versions(self, limit: int = 50, after: str | None = None) -> Page[PublishedConfiguration]:
        return Page(self.published[::-1][:limit])

    async def version(self, number: int) -> PublishedConfiguration:
        for each in self.published:
            if each.number == number:
                return each
        raise Unknown("there is no such version")

    def problems(self, configuration: Configuration) -> Mapping[str, str]:
        names = {queue.name for queue in configuration.queues}
        if configuration.default_queue in names:
            return {}
        return {"default_queue": f"there is no queue {configuration.default_queue!r}"}

    async def publish(self, configuration: Configuration, actor: Actor) -> int:
        if wrong := self.problems(configuration):
            raise Invalid("the configuration is not right", wrong)
        number = len(self.published) + 1
        self.published.append(
            PublishedConfiguration(
                id=derive("configuration", str(number)),
                number=number,
                configuration=configuration,
                actor=actor,
                published_at=FixedClock().now(),
            )
        )
        return number


class FakeIngester:
    async def ingest_mail(self, account: str | None, content: bytes) -> Ingested:
        if account not in (None, "support"):
            raise Invalid("the account is not known", {"account": "use support"})
        return Ingested(derive("item", content.hex()), "accepted" if content else "quarantined")


@dataclass
class House:
    """Everything that a test needs at hand."""

    context: AppContext
    app: FastAPI
    engine: MemoryEngine
    clock: FixedClock

    @property
    def accounts(self) -> Accounts:
        return self.context.accounts

    @asynccontextmanager
    async def client(
        self, app: Any = None, origin: str = ORIGIN, **headers: str
    ) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(app=app or self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=origin, headers=headers) as client:
            yield client

    @asynccontextmanager
    async def signed_in(self, name: str) -> AsyncIterator[httpx.AsyncClient]:
        """A browser of this user, with the CSRF token set."""
        async with self.client() as client:
            answer = await client.post("/api/v1/session", json={"name": name, "password": PASSWORD})
            assert answer.status_code == 201, answer.text
            client.headers["X-CSRF-Token"] = answer.json()["csrf"]
            yield client

    async def add_user(self, name: str, roles: dict[str, Role]) -> None:
        """A user who has changed the one-time password already."""
        _, password = await self.accounts.users.create(name, roles, ADMIN)
        await self.accounts.users.change_password(name, password, PASSWORD, ADMIN)

    async def key(self, roles: dict[str, Role], *scopes: Scope) -> str:
        _, text = await self.accounts.keys.create("a key", scopes or tuple(Scope), roles, ADMIN)
        return text

    def rebuilt(self, **changes: Any) -> "House":
        """The same house with another context."""
        context = replace(self.context, **changes)
        return House(context, api_app(context), self.engine, self.clock)

    async def case(self, seed: str, queue: str = "orders", **more: Any) -> Case:
        """A case with its person, one message with an attachment, its HTML and its original."""
        id = derive("case", seed)
        now = self.clock.now()
        handle = derive("handle", seed)
        fields: dict[str, Any] = {
            "id": id,
            "revision": 1,
            "number": case_number(id),
            "brand": "default",
            "channel": "email",
            "account": "support",
            "conversation": seed,
            "handle": handle,
            "subject": f"Subject {seed}",
            "language": "en",
            "state": CaseState.OPEN,
            "queue": queue,
            "opened_at": now,
            "updated_at": now,
            "waiting_since": now,
            "decision": NO_DECISION,
        }
        case = Case(**{**fields, **more})
        person = Handle(
            id=handle,
            revision=1,
            scheme="email",
            value=f"{seed}@example.net",
            name=seed.title(),
            first_seen_at=now,
        )
        attached = await self.engine.put_blob(ATTACHED, "application/pdf")
        original = await self.engine.put_blob(ORIGINAL, "message/rfc822")
        entry = entry_of(
            case,
            derive("entry", seed),
            f"Message {seed}",
            html="<p>hello</p>",
            original=original,
            attachments=(
                Attachment(
                    name='in"voice\r\n.pdf', media_type="text/html", size=len(ATTACHED), blob=attached
                ),
            ),
        )
        await self.engine.commit(Step(documents=[(case, 0), (person, 0)], entries=[entry]))
        return case


async def house(limits: Limits | None = None, origin: str = ORIGIN, **facts: Any) -> House:
    clock = FixedClock()
    engine = MemoryEngine()
    company = Company(engine, clock, Version(1, Configuration(queues=QUEUES, default_queue="orders")))
    service = object.__new__(SimpleService)
    service.engine, service.clock, service.company = engine, clock, company
    accounts = Accounts(engine, clock, Passwords(CHEAP))
    context = AppContext(
        service=service,
        accounts=accounts,
        people=People(engine, clock, service),
        engine=engine,
        clock=clock,
        secret=SECRET,
        facts=Facts(
            public_url=origin, files_url=FILES_ORIGIN, version="0.1.0", limits=limits or Limits(), **facts
        ),
        metrics=Metrics(),
        letters=FakeLetters(),
        verifier=FakeVerifier(),
        backups=FakeBackups(),
        publisher=FakePublisher(),
        ingester=FakeIngester(),
    )
    built = House(context, api_app(context), engine, clock)
    await built.add_user("root", {"*": Role.ADMIN})
    await built.add_user("ines", {"orders": Role.AGENT})
    await built.add_user("bill", {"billing": Role.AGENT})
    return built
