"""A small company behind the API: two queues, an agent of each, an admin, and cases made without the decider."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI

from connectors.kit.intake import Intake
from hub.accounts import Accounts
from hub.accounts.credentials import Passwords
from hub.company import Company, Version
from hub.deciding import Deciding
from hub.http.app import api_app
from hub.http.context import AppContext, Facts, Ingested, Limits
from hub.letters import Letters
from hub.observe import Metrics
from hub.people import People
from hub.publishing import Publishing
from hub.service import Service
from hub.verify import Verifier
from schemas.accounts import Role, Scope
from schemas.case_messages import CaseNoted
from schemas.case_work import CaseRouted
from schemas.cases import CaseEvent, CaseState, RoutingDecision
from schemas.configuration import Configuration, Queue
from schemas.documents import Case, Entry, EntryKind, Handle
from schemas.errors import Invalid, Outage
from schemas.events import SYSTEM, Actor, Event
from schemas.ids import case_number, derive, sha256
from schemas.interactions import Attachment, BlobRef
from schemas.parking import Audited
from schemas.ports import Engine
from schemas.steps import START, Blob, SearchText, Step
from schemas.topics import Topic
from sinks.sqlite.engine import SqliteEngine, open_engine
from tests.support.clock import MONDAY_MORNING

SECRET = b"a secret of the tests, 32 bytes."
ORIGIN = "http://hub.test"
FILES_ORIGIN = "http://files.test"
PASSWORD = "correct horse battery"
ADMIN = Actor(kind="agent", id="root")
QUEUES = (Queue(name="orders", title="Orders"), Queue(name="billing", title="Billing"))
CONFIGURATION = Configuration(queues=QUEUES, default_queue="orders")
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
NO_DECISION = RoutingDecision(configuration=0, rule=None, reason="default")
ATTACHED = b"%PDF-1.7 not a page of ours"
ORIGINAL = b"From: ann@example.net\r\nSubject: hello\r\n\r\nhello\r\n"


@dataclass
class FixedClock:
    """The port's clock, standing still."""

    at: datetime = MONDAY_MORNING

    def now(self) -> datetime:
        return self.at

    def advance(self, **units: float) -> datetime:
        self.at += timedelta(**units)
        return self.at


class Breakable:
    """The engine of the house; with `outage` set, whatever is asked of it is refused."""

    def __init__(self, engine: SqliteEngine) -> None:
        self._engine = engine
        self.outage: Outage | None = None

    def __getattr__(self, name: str) -> Any:
        if self.outage is not None:
            raise self.outage
        return getattr(self._engine, name)


def blob_of(content: bytes, media_type: str) -> Blob:
    return Blob(BlobRef(sha256=sha256(content), size=len(content), media_type=media_type), content)


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
    engine: SqliteEngine
    clock: FixedClock
    breakable: Breakable

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
        return House(context, api_app(context), self.engine, self.clock, self.breakable)

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
        attached = blob_of(ATTACHED, "application/pdf")
        original = blob_of(ORIGINAL, "message/rfc822")
        entry = entry_of(
            case,
            derive("entry", seed),
            f"Message {seed}",
            html="<p>hello</p>",
            original=original.ref,
            attachments=(
                Attachment(
                    name='in"voice\r\n.pdf', media_type="text/html", size=len(ATTACHED), blob=attached.ref
                ),
            ),
        )
        step = Step(documents=[(case, 0), (person, 0)], entries=[entry], blobs=[attached, original])
        step.search = [
            SearchText(
                entry.id, case.id, case.number, person.value, case.subject, entry.text, entry.occurred_at
            )
        ]
        await self.engine.commit(step)
        return case

    async def routed(self, case: Case) -> None:
        """Put the decision by which the case came into its queue on the log."""
        data = CaseRouted(
            case=case.id, actor=SYSTEM, queue=case.queue, priority=case.priority, decision=NO_DECISION
        )
        await self.happen(case, data, f"routed {case.number}")

    async def happen(self, case: Case, data: CaseEvent, name: str) -> Event:
        """Put an event of the case on the log, as if it had been decided."""
        id = derive("happened", name)
        event = Event(id, str(case.id), self.clock.now(), data, "/tests", id, sequence=case.revision)
        await self.engine.commit(Step(events=[event]))
        return event

    async def note(self, case: Case, name: str) -> Event:
        return await self.happen(
            case, CaseNoted(case=case.id, actor=SYSTEM, text=name, after=case.summary()), name
        )

    async def events(self, *topics: Topic) -> Sequence[Event]:
        """The events on the log, of these topics or all."""
        records = await self.engine.scan(topics or tuple(Topic), START, 100_000)
        return [each.event for each in records if each.event is not None]

    async def audit(self) -> list[str]:
        """What was recorded in the audit trail, in order."""
        return [each.data.action for each in await self.events(Topic.AUDIT) if isinstance(each.data, Audited)]


@asynccontextmanager
async def house(
    folder: Path, limits: Limits | None = None, origin: str = ORIGIN, **facts: Any
) -> AsyncIterator[House]:
    """Everything is real but the mail connector."""
    clock = FixedClock()
    opened = await open_engine(folder, clock=clock)
    breakable = Breakable(opened)
    engine = cast(Engine, breakable)
    company = Company(engine, clock, Version(0, Configuration()))
    await company.publish(CONFIGURATION, ADMIN)
    service = Service(engine, clock, company, Deciding(engine, clock, company, SECRET, {}))
    context = AppContext(
        service=service,
        accounts=Accounts(engine, clock, Passwords(CHEAP)),
        people=People(engine, clock, service),
        engine=engine,
        clock=clock,
        secret=SECRET,
        facts=Facts(
            public_url=origin, files_url=FILES_ORIGIN, version="0.1.0", limits=limits or Limits(), **facts
        ),
        metrics=Metrics(),
        letters=Letters(engine, clock, Intake(engine, clock), {}),
        verifier=Verifier(engine),
        backups=engine,
        publisher=Publishing(engine, company),
        ingester=FakeIngester(),
    )
    built = House(context, api_app(context), opened, clock, breakable)
    await built.add_user("root", {"*": Role.ADMIN})
    await built.add_user("ines", {"orders": Role.AGENT})
    await built.add_user("bill", {"billing": Role.AGENT})
    try:
        yield built
    finally:
        await opened.close()
