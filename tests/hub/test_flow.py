"""One message through the consumers on each engine: case, timeline, automatic answer, delivery, search, verify."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from connectors.kit.intake import Accepted, Intake
from hub.accounts.credentials import Passwords
from hub.accounts.users import Users
from hub.case_lists import CaseFilter
from hub.company import Company
from hub.consumers import AutomationConsumer, CasesConsumer, OutboundConsumer, SearchConsumer
from hub.deciding import Deciding
from hub.observe import Metric, Metrics
from hub.runner import Runner
from hub.service import Service
from hub.timers import Timers
from hub.verify import Verification
from schemas.accounts import Principal, Role
from schemas.cases import CaseState
from schemas.commands import AssignCase, ClaimCase, Command, ReplyToCase, SnoozeCase
from schemas.configuration import Configuration
from schemas.documents import Case, EntryKind
from schemas.errors import Invalid, Stale, Unknown
from schemas.events import SYSTEM, Actor
from schemas.ids import item_id, sha256
from schemas.interactions import BlobRef, Content, InteractionReceived, Kind, Part, Participant
from schemas.interactions import Role as PartyRole
from schemas.outbound import DeliveryState, OutboundMessage
from schemas.ports import Engine, Receipt, ReceiptStatus
from schemas.steps import Blob
from sinks.outbound import Dispatcher
from tests.contracts.engines import ATOMIC, CHOICES, ENGINES
from tests.support.clock import StandingClock

OPERATOR = Principal(kind="operator", id="operator", roles={"*": Role.ADMIN})
MIA = Principal(kind="agent", id="mia", name="Mia", roles={"billing": Role.AGENT})
TOM = Principal(kind="agent", id="tom", name="Tom", roles={"inbox": Role.AGENT})
CONFIGURATION = Configuration.model_validate(
    {
        "queues": [{"name": "inbox", "title": "Inbox"}, {"name": "billing", "title": "Billing"}],
        "rules": [
            {
                "name": "invoices",
                "when": {"field": "subject", "operator": "contains", "value": "invoice"},
                "queue": "billing",
                "priority": "high",
                "tags": ["money"],
            }
        ],
        "templates": [{"name": "thanks", "text": {"default": "We have it: {{ case.number }}"}}],
        "automations": [
            {"name": "thank", "event": "opened", "actions": [{"action": "answer", "template": "thanks"}]}
        ],
    }
)


class Relay:
    """Takes everything, and remembers it."""

    channel = "email"

    def __init__(self) -> None:
        self.sent: list[OutboundMessage] = []
        self.status = ReceiptStatus.SENT

    async def deliver(self, message: OutboundMessage) -> Receipt:
        self.sent.append(message)
        return Receipt(self.status, external_id=f"mail:{message.message}@hub")


class Flow:
    """The hub without its edges."""

    def __init__(self, engine: Engine, clock: StandingClock, company: Company) -> None:
        self.engine, self.clock, self.company = engine, clock, company
        self.intake = Intake(engine, clock)
        deciding = Deciding(engine, clock, company, b"secret", {"default": "support"})
        self.service = Service(engine, clock, company, deciding)
        self.relay = Relay()
        self.dispatcher = Dispatcher(engine, clock, {"email": self.relay})
        self.timers = Timers(engine, clock)
        consumers = (
            CasesConsumer(deciding),
            AutomationConsumer(engine, company),
            OutboundConsumer(engine, self.dispatcher.wake),
            SearchConsumer(engine),
        )
        self.metrics = Metrics()
        self.runners = [Runner(engine, clock, each, metrics=self.metrics) for each in consumers]

    async def settle(self) -> None:
        """Until nothing is left to do."""
        while True:
            moved = [await runner.once() for runner in self.runners]
            started = await self.dispatcher.send_due()
            if not any(moved) and not started:
                return

    async def receive(
        self, name: str, subject: str = "Invoice 7", text: str = "Where is it?", **more: object
    ) -> None:
        content = name.encode()
        original = Blob(BlobRef(sha256=sha256(content), size=len(content)), content)
        now = self.clock.now()
        fields: dict[str, object] = {
            "part": Part(item=item_id("email", "support", name)),
            "channel": "email",
            "account": "support",
            "brand": "default",
            "conversation": f"mail:{name}",
            "occurred_at": now,
            "received_at": now,
            "original": original.ref,
            "kind": Kind.MESSAGE,
            "external_id": f"mail:{name}",
            "participants": (
                Participant(role=PartyRole.FROM, scheme="email", value="ann@example.com", name="Ann"),
            ),
            "content": Content(subject=subject, text=text),
            **more,
        }
        received = InteractionReceived.model_validate(fields)
        await self.intake.accept(Accepted(received.part.item, original, (received,)))

    async def cases(self) -> list[Case]:
        page = await self.service.cases(OPERATOR, CaseFilter(states=()))
        return list(page.items)

    async def do(self, principal: Principal, command: type[Command], case: Case, **fields: object) -> Case:
        actor = Actor(kind="agent", id=principal.id)
        data = command.model_validate({"case": case.id, "actor": actor, **fields})
        return await self.service.command(principal, data, uuid4())

    async def faults(self, ledger: list[UUID] | None = None) -> list[str]:
        return [
            f"{each.promise}: {each.what} {each.subject}"
            async for each in Verification(self.engine).faults(ledger or [])
        ]


@pytest.fixture(params=CHOICES)
async def flow(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Flow]:
    clock = StandingClock()
    engine = await ENGINES[request.param](tmp_path / "data", clock)
    company = await Company.open(engine, clock)
    await company.publish(CONFIGURATION, SYSTEM)
    yield Flow(engine, clock, company)
    await engine.close()


async def test_a_mail_becomes_a_routed_case_with_one_automatic_answer(flow: Flow) -> None:
    await flow.receive("a")
    await flow.settle()
    (case,) = await flow.cases()
    assert (case.queue, case.priority, case.tags) == ("billing", "high", ("money",))
    (answer,) = flow.relay.sent
    assert answer.text == f"We have it: {case.number}"
    page = await flow.service.timeline(OPERATOR, case)
    assert [entry.step for entry in reversed(page.items)] == ["opened", "routed", "replied", "delivery"]
    reply = next(entry for entry in page.items if entry.kind is EntryKind.REPLY)
    assert reply.delivery is DeliveryState.SENT
    assert await flow.faults() == []


async def test_everything_a_second_time_changes_nothing(flow: Flow) -> None:
    for name in ("a", "b", "c"):
        await flow.receive(name)
    await flow.settle()
    before = await flow.cases()
    for name in ("a", "b", "c"):
        await flow.receive(name)
    await flow.settle()
    assert await flow.cases() == before
    assert len(flow.relay.sent) == 3
    run = Verification(flow.engine)
    assert [fault async for fault in run.faults([item_id("email", "support", "a")])] == []
    assert run.counts["cases:duplicate"] == 3


async def test_an_item_that_was_acknowledged_and_is_not_there_is_found(flow: Flow) -> None:
    await flow.receive("a")
    await flow.settle()
    lost = item_id("email", "support", "lost")
    (fault,) = await flow.faults([lost])
    assert str(lost) in fault


@pytest.mark.parametrize("flow", ATOMIC, indirect=True)
async def test_two_agents_claim_and_one_is_told_who_was_first(flow: Flow) -> None:
    await flow.receive("a", subject="Hello")
    await flow.settle()
    (case,) = await flow.cases()
    boss = Principal(kind="agent", id="eva", roles={"*": Role.SUPERVISOR})
    claims = await asyncio.gather(
        flow.do(TOM, ClaimCase, case), flow.do(boss, ClaimCase, case), return_exceptions=True
    )
    (winner,) = [each for each in claims if isinstance(each, Case)]
    (refusal,) = [each for each in claims if isinstance(each, Stale)]
    assert refusal.now["assignee"] == winner.assignee


async def test_an_agent_of_another_queue_sees_nothing(flow: Flow) -> None:
    await flow.receive("a")
    await flow.settle()
    (case,) = await flow.cases()
    assert list((await flow.service.cases(TOM, CaseFilter(states=()))).items) == []
    with pytest.raises(Unknown):
        await flow.service.case(TOM, case.id)
    assert list((await flow.service.search(TOM, "invoice")).items) == []
    assert [hit.case for hit in (await flow.service.search(MIA, "invoice")).items] == [case.id]
    assert [view.name for view in await flow.service.queues(MIA)] == ["billing"]


async def test_a_reply_arrives_and_its_answer_joins(flow: Flow) -> None:
    await flow.receive("a")
    await flow.settle()
    (case,) = await flow.cases()
    await flow.do(MIA, ReplyToCase, case, text="Here it is.")
    await flow.settle()
    reply = flow.relay.sent[-1]
    assert reply.in_reply_to is not None
    await flow.receive(
        "b",
        parents=(f"mail:{reply.message}@hub",),
        conversation=f"mail:{reply.message}@hub",
        tokens=(f"case:{case.id}",),
    )
    await flow.settle()
    (after,) = await flow.cases()
    assert (after.messages, after.state) == (2, CaseState.OPEN)
    assert await flow.faults() == []


async def test_a_snoozed_case_wakes_by_its_timer_once(flow: Flow) -> None:
    await flow.receive("a")
    await flow.settle()
    (case,) = await flow.cases()
    await flow.do(MIA, SnoozeCase, case, until=flow.clock.now() + timedelta(hours=1))
    assert await flow.timers.tick() == 0
    flow.clock.time += timedelta(hours=2)
    assert await flow.timers.tick() == 1
    assert await flow.timers.tick() == 0
    await flow.settle()
    (after,) = await flow.cases()
    assert after.state is CaseState.OPEN
    assert await flow.faults() == []


async def test_what_is_unknown_is_never_sent_again_by_a_machine(flow: Flow) -> None:
    flow.relay.status = ReceiptStatus.UNKNOWN
    await flow.receive("a")
    await flow.settle()
    flow.clock.time += timedelta(days=1)
    await flow.settle()
    assert len(flow.relay.sent) == 1
    assert await flow.faults() == []


async def test_what_was_refused_for_now_is_sent_after_its_backoff(flow: Flow) -> None:
    flow.relay.status = ReceiptStatus.RETRY
    await flow.receive("a")
    await flow.settle()
    flow.relay.status = ReceiptStatus.SENT
    await flow.settle()
    assert len(flow.relay.sent) == 1
    flow.clock.time += timedelta(seconds=6)
    await flow.settle()
    assert len(flow.relay.sent) == 2
    assert await flow.faults() == []


async def test_a_case_is_given_only_to_who_works_in_its_queue(flow: Flow) -> None:
    await flow.receive("a", subject="Hello")
    await flow.settle()
    (case,) = await flow.cases()
    users = Users(flow.engine, flow.clock, Passwords())
    await users.create("tom", {"inbox": Role.AGENT}, SYSTEM)
    await users.create("mia", {"billing": Role.AGENT}, SYSTEM)
    for name in ("mia", "nobody"):
        with pytest.raises(Invalid, match="does not work in inbox"):
            await flow.do(OPERATOR, AssignCase, case, assignee=name)
    assert (await flow.do(OPERATOR, AssignCase, case, assignee="tom")).assignee == "tom"


async def test_a_runner_counts_what_became_of_events(flow: Flow) -> None:
    await flow.receive("a")
    await flow.receive("a")
    await flow.settle()
    value = flow.metrics.value
    labels = {"consumer": "cases", "topic": "interactions"}
    assert value(Metric.EVENTS, **labels, outcome="applied") == 1
    assert value(Metric.EVENTS, **labels, outcome="duplicate") == 1
    assert b'hubbub_stage_seconds_count{consumer="cases",stage="commit"}' in flow.metrics.text()
