"""An installation on servers in memory, and the whole hub in as many processes as the test starts. They stand still until told."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from connectors.kit.intake import Accepted, interaction_event
from hub.company import Company
from processors.cases.work import marker
from schemas.accounts import Principal, Role
from schemas.case_messages import CaseOpened, CaseReplied, MessageEvent
from schemas.case_work import CaseRouted
from schemas.cases import CaseEvent
from schemas.collections import PARKED
from schemas.commands import Command, NoteCase, ReplyToCase
from schemas.errors import Conflict, Outage, Refused
from schemas.events import SYSTEM, Event
from schemas.ids import derive, item_id, sha256
from schemas.interactions import BlobRef, Content, InteractionReceived, Kind, Part, Participant
from schemas.interactions import Role as PartyRole
from schemas.outbound import OutboundMessage
from schemas.steps import Blob, Query
from schemas.topics import Topic
from sinks.distributed.engine import DistributedEngine
from sinks.kafka.codec import to_message
from sinks.kafka.offsets import from_place
from sinks.kafka.stamps import Stamps
from sinks.mongo.layout import BLOBS, LOCK, POSITIONS, STEPS
from sinks.mongo.values import micros
from tests.hub.test_flow import CONFIGURATION, Flow
from tests.sinks.distributed.fakes import FakeDatabase
from tests.sinks.distributed.memory_log import Broker, MemoryLog
from tests.sinks.distributed.stepped import Process, Servers, stepped_loop

BEGIN = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
BOSS = Principal(kind="agent", id="boss", name="Boss", roles={"*": Role.ADMIN})
ANN, BOB = "ann@example.com", "bob@example.com"
MOST_OPERATIONS = 200_000
MOST_LOOKS, QUIET_LOOKS = 100, 2
CONSUMERS = ("cases", "automation", "outbound", "search")


class Clock:
    """A process's own: it may be wrong, and it rises by a little each time it is looked at."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.wrong_by = timedelta()

    def now(self) -> datetime:
        self._world.looks += 1
        return (
            BEGIN + timedelta(seconds=self._world.loop.time(), microseconds=self._world.looks) + self.wrong_by
        )


def first_sight(events: Sequence[Event]) -> list[Event]:
    """Each event where it stands first."""
    seen: dict[UUID, Event] = {}
    for each in events:
        seen.setdefault(each.id, each)
    return list(seen.values())


@dataclass
class Request:
    """An agent's command, asked until it is answered."""

    id: UUID
    command: Command
    answer: str = ""


@dataclass
class Hub:
    """One process with all parts of the hub."""

    process: Process
    clock: Clock
    flow: Flow


@dataclass
class World:
    servers: Servers = field(default_factory=Servers)
    broker: Broker = field(default_factory=Broker)
    hubs: list[Hub] = field(default_factory=list)
    sent: list[Accepted] = field(default_factory=list)
    taken: set[UUID] = field(default_factory=set)
    """Items whose source was told that they are on the log."""
    requests: list[Request] = field(default_factory=list)
    arrived: list[OutboundMessage] = field(default_factory=list)
    """What the relay took."""
    looks: int = 0
    started: int = 0

    def __post_init__(self) -> None:
        self.loop = stepped_loop()
        self.database = FakeDatabase(self.servers.gate("store"))

    def begin(self) -> None:
        """The company's configuration is there."""
        hub = self.start()
        self.drive(hub, hub.flow.company.publish(CONFIGURATION, SYSTEM))
        self.end(hub)

    def close(self) -> None:
        for hub in [*self.hubs]:
            self.end(hub)
        self.loop.close()

    # -- processes --------------------------------------------------------------------------------------------------

    def start(self) -> Hub:
        self.started += 1
        process, clock = Process(f"hub-{self.started}", self.loop), Clock(self)

        async def opened() -> Flow:
            stamps = Stamps(lambda: micros(clock.now()))
            log = MemoryLog(self.broker, stamps, self.servers.gate("log"))
            engine = DistributedEngine(log, self.database, clock, stamps)  # type: ignore[arg-type]
            company = await Company.open(engine, clock)
            return Flow(engine, clock, company)  # type: ignore[arg-type]

        is_up, self.servers.is_up = self.servers.is_up, {"log": True, "store": True}
        flow = self._driven(process, opened())
        self.servers.is_up = is_up
        flow.relay.sent = self.arrived
        hub = Hub(process, clock, flow)
        self.hubs.append(hub)
        return hub

    def work(self, hub: Hub, consumers: Sequence[str]) -> None:
        for runner in hub.flow.runners:
            if runner.consumer.name in consumers:
                hub.process.begin(runner.run())

    def end(self, hub: Hub) -> None:
        hub.process.end()
        self.hubs.remove(hub)

    def bury(self) -> None:
        """Those that ended at a named point."""
        for hub in [each for each in self.hubs if each.process.has_ended]:
            self.end(hub)

    def drive(self, hub: Hub, work: Coroutine[Any, Any, Any]) -> Any:
        """To its end, with all that the process does beside it; time passes whenever it waits."""
        return self._driven(hub.process, work)

    def _driven(self, process: Process, work: Coroutine[Any, Any, Any]) -> Any:
        task = process.start(work)
        for _ in range(MOST_OPERATIONS):
            if task.done():
                return task.result()
            if not process.go():
                self.loop.advance(0.1)
        raise AssertionError(f"{process.name} never comes to an end")

    # -- what people do ---------------------------------------------------------------------------------------------

    def write(self, hub: Hub, conversation: str, sender: str) -> None:
        """A mail in a conversation, handed to a hub."""
        self.compose(conversation, sender)
        self.deliver(hub, len(self.sent) - 1)

    def arrive(self, conversation: str, sender: str) -> None:
        """A mail that is on the log already, and whose source was told so."""
        accepted = self.compose(conversation, sender)
        original = accepted.original
        self.database.collection(BLOBS).documents[original.ref.sha256] = {
            "_id": original.ref.sha256,
            "size": original.ref.size,
            "content": original.content,
        }
        for each in accepted.interactions:
            self.broker.append(to_message(interaction_event(each), micros(Clock(self).now())))
        self.taken.add(accepted.item)

    def compose(self, conversation: str, sender: str) -> Accepted:
        """The first of a conversation opens it, later ones answer the first."""
        number = len(self.sent)
        first = f"mail:{conversation}"
        is_first = not any(each.interactions[0].conversation == first for each in self.sent)
        content = f"message {number}".encode()
        original = Blob(BlobRef(sha256=sha256(content), size=len(content)), content)
        people = [(PartyRole.FROM, sender), *((PartyRole.CC, each) for each in (ANN, BOB) if each != sender)]
        received = InteractionReceived(
            part=Part(item=item_id("email", "support", f"item {number}")),
            channel="email",
            account="support",
            brand="default",
            conversation=first,
            occurred_at=BEGIN,
            received_at=BEGIN,
            original=original.ref,
            kind=Kind.MESSAGE,
            external_id=first if is_first else f"{first}-{number}",
            parents=() if is_first else (first,),
            participants=tuple(
                Participant(role=role, scheme="email", value=each, verified=True) for role, each in people
            ),
            content=Content(subject="Invoice", text=f"message {number}"),
        )
        accepted = Accepted(received.part.item, original, (received,))
        self.sent.append(accepted)
        return accepted

    def deliver(self, hub: Hub, number: int) -> None:
        """Hand an item to a hub, perhaps again."""
        hub.process.begin(self._delivered(hub, self.sent[number]))

    async def _delivered(self, hub: Hub, accepted: Accepted) -> None:
        try:
            await hub.flow.intake.accept(accepted)
        except Outage:
            return
        self.taken.add(accepted.item)

    def ask(self, hub: Hub, command: Command) -> None:
        request = Request(derive("request", str(len(self.requests))), command)
        self.requests.append(request)
        self.ask_again(hub, request)

    def ask_again(self, hub: Hub, request: Request) -> None:
        hub.process.begin(self._asked(hub, request))

    async def _asked(self, hub: Hub, request: Request) -> None:
        try:
            await hub.flow.service.command(BOSS, request.command, request.id)
        except Outage:
            return
        except Refused as refused:
            request.answer = request.answer or f"refused: {refused}"
            return
        request.answer = "done"

    def cases(self) -> list[UUID]:
        rows = self.database.collection("cases").documents
        return sorted(UUID(id) for id, row in rows.items() if row.get("revision"))

    # -- what must hold, always -------------------------------------------------------------------------------------

    def told(self) -> dict[str, list[Event]]:
        """What the log says of each case: each event where it stands first."""
        by_case: dict[str, list[Event]] = {}
        for events in self.broker.events(Topic.CASES).values():
            for event in first_sight(events):
                by_case.setdefault(event.key, []).append(event)
        return by_case

    def check_order(self) -> None:
        """Of each case the log holds 1, 2, 3 … once each, and of each message one event."""
        taken: dict[UUID, UUID] = {}
        for key, events in self.told().items():
            sequences = [each.sequence for each in events]
            assert sequences == list(range(1, len(events) + 1)), f"case {key}: {sequences}"
            for each in events:
                if isinstance(each.data, MessageEvent):
                    before = taken.setdefault(each.data.interaction, each.id)
                    assert before == each.id, f"{each.data.interaction} has two effects"

    def check_positions(self) -> None:
        """Nobody stands beyond what he did."""
        entries = self.database.collection("entries").documents
        outcomes = {each["event"] for each in self.database.collection("outcomes").documents.values()}
        asked = {each.causation for of in self.broker.events(Topic.COMMANDS).values() for each in of}
        for row in self.database.collection(POSITIONS).documents.values():
            partition, _ = from_place(f"{row['partition']}:0")
            for raw in self.broker.records[partition][: row["offset"]]:
                event = self.broker.event(raw)
                assert event is not None
                if row["consumer"] == "cases":
                    known = {str(event.id), str(marker(event))}
                    assert known & (entries.keys() | outcomes), f"{event.data.type} was passed over"
                if (
                    row["consumer"] == "automation"
                    and isinstance(event.data, CaseRouted)
                    and event.sequence == 2
                ):
                    assert event.id in asked, "an automation was passed over"

    # -- and in the end ---------------------------------------------------------------------------------------------

    def conclude(self) -> Hub:
        """All processes end, servers answer, and the next process does what is left."""
        for hub in [*self.hubs]:
            self.end(hub)
        self.servers.is_up = {"log": True, "store": True}
        self.loop.advance(60)
        last = self.start()
        self.drive(last, self._finish(last))
        self.loop.advance(7200)
        self.drive(last, last.flow.engine.expire())
        self.loop.advance(7200)
        self.drive(last, last.flow.engine.expire())
        return last

    async def _finish(self, hub: Hub) -> None:
        for accepted in self.sent:
            while accepted.item not in self.taken:
                await self._delivered(hub, accepted)
        await self._settled(hub)
        for request in self.requests:
            while not request.answer:
                await self._asked(hub, request)
        await self._settled(hub)

    async def _settled(self, hub: Hub) -> None:
        """Until nothing is left to do, and nothing is parked."""
        quiet = 0
        for _ in range(MOST_LOOKS):
            try:
                await hub.flow.settle()
                waiting = await hub.flow.engine.count(Query(PARKED))
            except Conflict:
                waiting = 1
            quiet = 0 if waiting else quiet + 1
            if quiet == QUIET_LOOKS:
                return
            await asyncio.sleep(30)
        raise AssertionError("there is always something left to do")

    def check_end(self, last: Hub) -> None:
        faults = self.drive(last, last.flow.faults([*self.taken]))
        assert faults == []
        self.check_order()
        self.check_positions()
        self._check_effects()
        assert self.database.collection(STEPS).documents == {}, "a step is not over"
        left = [
            (name, id)
            for name, kept in self.database.collections.items()
            for id, document in kept.documents.items()
            if document.get(LOCK) is not None
        ]
        assert left == [], "something is still held"

    def _check_effects(self) -> None:
        """Every message is on one timeline, in order; every request was done once; every case was answered once."""
        told = self.told()
        data: list[tuple[Event, CaseEvent]] = [
            (each, each.data)
            for events in told.values()
            for each in events
            if isinstance(each.data, CaseEvent)
        ]
        sequence_of = {
            payload.interaction: (event.key, event.sequence or 0)
            for event, payload in data
            if isinstance(payload, MessageEvent)
        }
        for events in self.broker.events(Topic.INTERACTIONS).values():
            latest: dict[tuple[str, str], int] = {}
            for event in first_sight(events):
                case, sequence = sequence_of[event.id]
                assert latest.get((event.key, case), 0) <= sequence, f"{event.key} is out of order"
                latest[event.key, case] = sequence
        causes = [event.causation for event, _ in data]
        for request in self.requests:
            if request.answer == "done" and isinstance(request.command, NoteCase | ReplyToCase):
                assert request.id in causes, f"{request.command.type} was answered and not done"
        messages = [each.message for each in self.arrived]
        assert len(messages) == len(set(messages)), "a message was sent twice"
        opened = sum(isinstance(payload, CaseOpened) for _, payload in data)
        automatic = {
            event.causation
            for event, payload in data
            if isinstance(payload, CaseReplied) and payload.actor.kind != "agent"
        }
        assert len(automatic) <= opened, "a case was answered twice"
