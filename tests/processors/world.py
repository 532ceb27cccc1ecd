"""A world of cases in memory: what an engine would hold, for tests of the deciders."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from processors.cases.decide import ROUNDS, decide, wants
from processors.cases.work import Facts, Work
from processors.routing import Router
from schemas.configuration import Configuration, Queue, Template
from schemas.documents import Case, Document, Entry
from schemas.events import Actor, Event, Payload
from schemas.ids import handle_id, item_id, part_id
from schemas.interactions import (
    BlobRef,
    Content,
    InteractionBounced,
    InteractionReceived,
    Kind,
    Part,
    Participant,
    Role,
)
from schemas.steps import Found, OutcomeKind, References, Step

SECRET = b"secret of the tests"
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
ANN = Participant(role=Role.FROM, scheme="email", value="ann@example.com", name="Ann")
BOB = Participant(role=Role.FROM, scheme="email", value="bob@example.net", name="Bob")
AGENT = Actor(kind="agent", id="mia", name="Mia")
RULE = Actor(kind="automation", id="thanks")
CONFIGURATION = Configuration(
    queues=(
        Queue(name="inbox", title="Inbox", first_response_minutes=60),
        Queue(name="billing", title="Billing", reopen_days=7),
    ),
    templates=(Template(name="thanks", text={"default": "Thank you, your number is {{ case.number }}."}),),
    automatic_answers_per_day=2,
)


class World:
    """What an engine would hold: applies steps and answers look-ups, in memory."""

    def __init__(self, configuration: Configuration = CONFIGURATION) -> None:
        self.now = NOW
        self.configuration = configuration
        self.documents: dict[UUID, Document] = {}
        self.threads: dict[str, UUID] = {}
        self.entries: dict[UUID, Entry] = {}
        self.ignored: set[UUID] = set()
        self.log: list[Event] = []

    def handle_id(self, scheme: str, value: str) -> UUID:
        return handle_id(SECRET, scheme, value)

    def facts(self, refuse: bool = False) -> Facts:
        return Facts(
            now=self.now,
            version=1,
            configuration=self.configuration,
            router=Router(self.configuration, 1),
            handle_id=self.handle_id,
            answer_accounts={"default": "support"},
            refuse=refuse,
        )

    def load(self, references: References) -> Found:
        wanted = {id for ids in references.documents.values() for id in ids}
        numbers = {each.number: each.id for each in self.documents.values() if isinstance(each, Case)}
        return Found(
            handled={id for id in references.handled if id in self.entries or id in self.ignored},
            threads={each: self.threads[each] for each in references.threads if each in self.threads},
            documents={id: self.documents[id] for id in wanted if id in self.documents},
            numbers={each: numbers[each] for each in references.numbers if each in numbers},
        )

    def decide(self, *inputs: Event, refuse: bool = False) -> tuple[Work, list[Any]]:
        found = Found()
        for _ in range(ROUNDS):
            references = wants(inputs, found, self.handle_id)
            if not references:
                break
            found.absorb(references, self.load(references))
        work, results = decide(inputs, found, self.facts(refuse))
        self.apply(work.finish())
        self.ignored |= {
            event.id
            for event, result in zip(inputs, results, strict=True)
            if result.kind is OutcomeKind.IGNORED
        }
        return work, results

    def apply(self, step: Step) -> None:
        for document, expected in step.documents:
            known = self.documents.get(document.id)
            assert (known.revision if known else 0) == expected
            revision = max(document.revision, expected + 1)
            self.documents[document.id] = document.model_copy(update={"revision": revision})
        self.threads.update(step.claims)
        for entry in step.entries:
            self.entries.setdefault(entry.id, entry)
        self.log += step.events

    def do(self, *payloads: Payload, refuse: bool = False) -> list[Any]:
        return self.decide(*(event_of(each) for each in payloads), refuse=refuse)[1]

    def cases(self) -> list[Case]:
        return [each for each in self.documents.values() if isinstance(each, Case)]

    def case(self) -> Case:
        (case,) = self.cases()
        return case

    def told(self, kind: type[Payload]) -> list[Any]:
        return [event.data for event in self.log if isinstance(event.data, kind)]


def event_of(payload: Payload) -> Event:
    if isinstance(payload, InteractionReceived | InteractionBounced):
        id = part_id(payload.part.item, payload.part.index)
        return Event(id, payload.conversation, NOW, payload, "/test", id)
    id = uuid4()
    return Event(id, "case", NOW, payload, "/test", id)


def mail(name: str, sender: Participant = ANN, **changes: Any) -> InteractionReceived:
    fields: dict[str, Any] = {
        "part": Part(item=item_id("email", "support", name)),
        "channel": "email",
        "account": "support",
        "brand": "default",
        "conversation": f"mail:{name}",
        "occurred_at": NOW,
        "received_at": NOW,
        "original": BlobRef(sha256="0" * 64, size=1),
        "kind": Kind.MESSAGE,
        "external_id": f"mail:{name}",
        "participants": (sender,),
        "content": Content(subject="Invoice 7", text="Where is it?"),
    }
    return InteractionReceived(**{**fields, **changes})


def opened(world: World, **changes: Any) -> Case:
    world.do(mail("a", **changes))
    return world.case()
