"""The workload of the issue, from a seed: interactions of 5,000 customers, 70 % of them replies, and 20 rules of 3 clauses."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from uuid import UUID

from connectors.kit.intake import interaction_event
from hub.company import Company
from schemas.configuration import Configuration
from schemas.events import SYSTEM, Event
from schemas.ids import case_id, item_id, sha256
from schemas.interactions import (
    Authentication,
    BlobRef,
    Content,
    InteractionReceived,
    Kind,
    Part,
    Participant,
    Role,
)
from schemas.steps import Step
from sinks.sqlite.engine import open_engine

CUSTOMERS = 5_000
REPLIES = 0.7
TOKENS = 0.5  # of the replies: those that answer a mail of ours, which carries our token
SHORTEST, LONGEST = 400, 2_000  # characters
LATEST_THREADS = 3
EVENTS_A_STEP = 1_000
BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ACCOUNT, BRAND = "support", "default"
SUBJECTS = (
    "invoice",
    "refund",
    "delivery",
    "order",
    "login",
    "warranty",
    "address",
    "broken",
    "question",
    "contract",
)
TEXT = (
    "the order that I placed last week has not come yet and nobody could tell me when it will be here please look into "
    "this as soon as you can because we need it for a birthday Grüße aus München thanks for your help my number is 4711 "
    "invoice refund parcel damaged box colour wrong size account password reset link expired card charged twice"
)

WORDS = TEXT.split(" ")


class FixedClock:
    """The hub's clock during a measurement."""

    def now(self) -> datetime:
        return BEGIN + timedelta(days=1)


def configuration() -> Configuration:
    """20 rules of 3 clauses; most miss, as in life. Five automations, two of which answer to some cases only."""
    queues = [{"name": "inbox", "title": "Inbox"}] + [
        {"name": f"queue-{number}", "title": f"Queue {number}", "first_response_minutes": 240}
        for number in range(10)
    ]
    return Configuration.model_validate(
        {
            "queues": queues,
            "rules": [_rule(number) for number in range(20)],
            "templates": [{"name": "thanks", "text": {"default": "We have it: {{ case.number }}"}}],
            "automations": [_automation(number) for number in range(5)],
        }
    )


def _rule(number: int) -> dict[str, object]:
    word = SUBJECTS[number % len(SUBJECTS)]
    clauses = [
        {"field": "subject", "operator": "contains", "value": word},
        {"field": "text", "operator": "contains", "value": "damaged" if number % 2 else "please"},
        {"field": "sender.domain", "operator": "is_not", "value": f"blocked-{number}.example"},
    ]
    rule: dict[str, object] = {"name": f"rule-{number}", "when": {"all": clauses}, "tags": [word]}
    return {**rule, "queue": f"queue-{number % 10}"} if number % 3 else rule


def _automation(number: int) -> dict[str, object]:
    return {
        "name": f"automation-{number}",
        "event": ("routed", "received")[number % 2],
        "when": {
            "all": [
                {"field": "case.queue", "operator": "is", "value": f"queue-{number}"},
                {"field": "subject", "operator": "contains", "value": SUBJECTS[number]},
            ]
        },
        "actions": [{"action": "tag", "add": [f"seen-{number}"]}],
    }


@dataclass(frozen=True, slots=True)
class Parent:
    """A message that opened a case, which replies may answer."""

    external_id: str
    interaction: UUID


def interactions(count: int, seed: int = 1) -> Iterator[Event]:
    """The same events for the same seed, in the order of the log. Few events have fewer customers, so that replies stay 70 %."""
    random = Random(seed)
    customers = min(CUSTOMERS, max(1, count // 20))
    threads: dict[int, deque[Parent]] = {}
    for number in range(count):
        customer = random.randrange(customers)
        known = threads.setdefault(customer, deque(maxlen=LATEST_THREADS))
        parent = random.choice(known) if known and random.random() < REPLIES else None
        external_id = f"mail:{number:x}.{random.getrandbits(64):016x}@mail.customer-{customer % 97}.example"
        event = interaction_event(_received(random, number, customer, external_id, parent))
        if parent is None:
            known.append(Parent(external_id, event.id))
        yield event


def _received(
    random: Random, number: int, customer: int, external_id: str, parent: Parent | None
) -> InteractionReceived:
    at = BEGIN + timedelta(milliseconds=100 * number)
    text = a_text(random)
    original = text.encode()
    subject = f"{random.choice(SUBJECTS)} {random.randrange(10_000)}"
    return InteractionReceived(
        part=Part(item=item_id("email", ACCOUNT, external_id)),
        channel="email",
        account=ACCOUNT,
        brand=BRAND,
        conversation=parent.external_id if parent else external_id,
        occurred_at=at - timedelta(seconds=5),
        received_at=at,
        original=BlobRef(sha256=sha256(original), size=len(original), media_type="message/rfc822"),
        kind=Kind.MESSAGE,
        external_id=external_id,
        parents=(parent.external_id,) if parent else (),
        tokens=(f"case:{case_id(parent.interaction)}",) if parent and random.random() < TOKENS else (),
        participants=(
            Participant(
                role=Role.FROM,
                scheme="email",
                value=f"customer-{customer}@customer-{customer % 97}.example",
                name=f"Customer {customer}",
                verified=True,
            ),
            Participant(role=Role.TO, scheme="email-own", value="support@company.example"),
        ),
        content=Content(
            subject=f"Re: {subject}" if parent else subject, text=text, text_new=text, language="en"
        ),
        authentication=Authentication(spf="pass", dkim="pass", dmarc="pass"),
    )


def a_text(random: Random) -> str:
    length = random.randrange(SHORTEST, LONGEST)
    words: list[str] = []
    while length > 0:
        word = random.choice(WORDS)
        words.append(word)
        length -= len(word) + 1
    return " ".join(words)


async def fill(folder: Path, count: int, seed: int = 1) -> None:
    """A data folder with the interactions on its log and nothing done about them yet."""
    engine = await open_engine(folder, clock=FixedClock())
    try:
        step = Step()
        for event in interactions(count, seed):
            step.events.append(event)
            if len(step.events) == EVENTS_A_STEP:
                await engine.commit(step)
                step = Step()
        await engine.commit(step)
        company = await Company.open(engine, FixedClock())
        await company.publish(configuration(), SYSTEM)
    finally:
        await engine.close()
