"""Committers over one database, in any interleaving, any of them ending at any operation: each step happens wholly or not at all.

Every case keeps in its tags the steps that changed it, in order. A step may change two cases, claim a reference, and move a
consumer. Clocks run so fast that the living are taken for dead too, and the log fails now and then.
"""

from collections.abc import Coroutine
from contextlib import nullcontext
from dataclasses import dataclass, field, replace

from hypothesis import event, given, settings
from hypothesis import strategies as st

from schemas.documents import Case
from schemas.errors import Conflict, Outage
from schemas.ids import derive
from schemas.steps import Step
from sinks.distributed.committing import Committer
from sinks.distributed.plan import make_plan
from sinks.kafka.codec import to_message
from sinks.mongo.consumers import load_claims, read_positions
from sinks.mongo.documents import load_documents
from sinks.mongo.layout import CLAIMS, LOCK, POSITIONS, STEP_PARTS, STEPS
from tests.contracts.samples import case, entry, name, noted
from tests.sinks.distributed.fakes import FakeDatabase, FakeLog, gate, one_by_one

CASES = ("a", "b", "c")
PARTITION = "interactions:0"
MOST_TICKS = 20_000
RETRIES = 4


@dataclass(frozen=True)
class Intention:
    """What one process wants to do, once."""

    token: str
    cases: tuple[str, ...]
    claim: str | None = None
    is_consumer: bool = False
    is_request: bool = False
    """Durable once it is decided, though the log may be down."""


@dataclass
class World:
    database: FakeDatabase = field(default_factory=FakeDatabase)
    log: FakeLog = field(default_factory=FakeLog)
    micros: int = 1_000_000_000_000_000
    haste: float = 20.0
    """How much faster clocks run while somebody waits."""
    numbers: int = 0
    done: set[str] = field(default_factory=set)

    def now(self) -> int:
        self.micros += 1000
        return self.micros

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    async def pause(self, seconds: float) -> None:
        self.micros += int(seconds * self.haste * 1_000_000)
        await gate()

    def committer(self, who: str) -> Committer:
        return Committer(
            self.database,
            self.log.publish,
            self.now,
            self.pause,
            lambda: f"{who}{self.number()}",
            lambda _: nullcontext(),
            one_by_one,
        )

    async def attempt(self, who: str, intention: Intention) -> None:
        """Decide on what is there and commit; decide again when somebody was first."""
        committer = self.committer(who)
        for _ in range(RETRIES):
            step = await self._decide(intention)
            if step is None:
                self.done.add(intention.token)
                return
            messages = [to_message(each, self.now()) for each in step.events]
            try:
                await committer.commit(
                    make_plan(step, messages, self.number), may_publish_later=intention.is_request
                )
            except (Conflict, Outage):
                continue
            self.done.add(intention.token)
            return

    async def _decide(self, intention: Intention) -> Step | None:
        """None when it is done already, as the cases say."""
        ids = {name("case", label): label for label in intention.cases}
        found = await load_documents(self.database, {Case: set(ids)})
        step = Step()
        for id, label in ids.items():
            known = found.get(id)
            assert known is None or isinstance(known, Case)
            if known is not None and intention.token in known.tags:
                return None
            revision = known.revision if known else 0
            tags = (*(known.tags if known else ()), intention.token)
            step.documents.append((case(label, revision=revision + 1, tags=tags), revision))
            step.events.append(noted(id, revision + 1, intention.token))
            step.entries.append(entry(revision + 1, label, id=derive(intention.token, label)))
        if intention.claim is not None:
            if await load_claims(self.database, {intention.claim}):
                return None
            step.claims[intention.claim] = derive("owner", intention.token)
        if intention.is_consumer:
            offset = (await read_positions(self.database, "cases")).get("cases", {}).get(PARTITION, 0)
            step.consumer = "cases"
            step.before = f"interactions={offset}" if offset else ""
            step.position = f"interactions={offset + 1}"
        return step

    async def settle(self) -> None:
        """The next process: it works on everything, so that whatever was left is in its way."""
        self.haste = 200.0
        self.micros += 60_000_000
        for label in CASES:
            await self.attempt(f"last-{label}", Intention(f"last-{label}", (label,)))
        await self.attempt("last-reader", Intention("last-reader", ("a",), is_consumer=True))
        committer = self.committer("relay")
        await committer.relay()
        self.micros += 7200_000_000
        await committer.tidy(["cases", CLAIMS, POSITIONS], 3600)
        self.micros += 7200_000_000
        await committer.tidy(["cases", CLAIMS, POSITIONS], 3600)


def drive(
    processes: dict[str, Coroutine[None, None, None]], choices: list[int], deaths: dict[str, int]
) -> None:
    """One operation at a time; `deaths`: process -> the operation before which it ends."""
    passed = dict.fromkeys(processes, 0)
    for tick in range(MOST_TICKS):
        if not processes:
            return
        alive = sorted(processes)
        who = alive[(choices[tick] if tick < len(choices) else tick) % len(alive)]
        if passed[who] == deaths.get(who):
            processes.pop(who).close()
            continue
        passed[who] += 1
        try:
            processes[who].send(None)
        except StopIteration:
            del processes[who]
    raise AssertionError(f"{sorted(processes)} never come to an end")


INTENTIONS = st.builds(
    Intention,
    token=st.just(""),
    cases=st.lists(st.sampled_from(CASES), min_size=1, max_size=2, unique=True).map(tuple),
    claim=st.sampled_from([None, None, "thread"]),
    is_consumer=st.booleans(),
    is_request=st.booleans(),
)


@settings(max_examples=200)
@given(
    intentions=st.lists(INTENTIONS, min_size=2, max_size=4),
    twins=st.booleans(),
    haste=st.sampled_from([1.0, 20.0, 1000.0]),
    choices=st.lists(st.integers(0, 3), max_size=300),
    deaths=st.lists(st.none() | st.integers(0, 60), min_size=4, max_size=4),
    outages=st.lists(st.booleans(), max_size=8),
)
def test_each_step_happens_wholly_once_and_in_order(
    intentions: list[Intention],
    twins: bool,
    haste: float,
    choices: list[int],
    deaths: list[int | None],
    outages: list[bool],
) -> None:
    world = World(haste=haste)
    world.log.outages = list(outages)
    named = {f"p{place}": each for place, each in enumerate(intentions)}
    tokens = {
        who: replace(
            each,
            token="t0" if twins and who == "p1" else f"t{who[1:]}",
            is_request=each.is_request and not each.is_consumer,
        )
        for who, each in named.items()
    }
    if twins:  # two workers with the same batch
        tokens["p1"] = tokens["p0"]
    dying = {who: death for who, death in zip(tokens, deaths, strict=False) if death is not None}
    drive({who: world.attempt(who, each) for who, each in tokens.items()}, choices, dying)
    world.log.outages.clear()
    drive({"settle": world.settle()}, [], {})
    event(f"{sum(outages)} publishings fail")
    event(f"{len(dying)} die")
    check(world, {each.token: each for each in tokens.values()})


def check(world: World, intentions: dict[str, Intention]) -> None:
    cases = world.database.collection("cases").documents
    tags = {label: _tags(cases.get(str(name("case", label)))) for label in CASES}
    for label, tokens in tags.items():
        assert len(tokens) == len(set(tokens)), f"{label} was changed twice by one step: {tokens}"
        assert f"last-{label}" in tokens, "the next process was stopped"
    happened = set().union(*tags.values())
    assert world.done & intentions.keys() <= happened | _claimed_by_others(world, intentions)
    for token in happened & intentions.keys():
        wanted = intentions[token]
        assert all(token in tags[label] for label in wanted.cases), f"{token} happened in part: {tags}"
        entries = world.database.collection("entries").documents
        assert all(str(derive(token, label)) in entries for label in wanted.cases)
    published = [(message.key.decode(), message.value) for message in world.log.messages]
    for label, tokens in tags.items():
        first_seen = list(dict.fromkeys(value for key, value in published if key == str(name("case", label))))
        said = [noted(name("case", label), 1, token).data.model_dump_json().encode() for token in tokens]
        assert first_seen == said, f"the log of {label} is not what happened to it"
    claims = world.database.collection(CLAIMS).documents
    owners = {str(derive("owner", token)) for token in happened if _claims(intentions, token)}
    assert {each["owner"] for each in claims.values()} == owners
    moved = sum(each.is_consumer for token, each in intentions.items() if token in happened) + 1
    assert [each["offset"] for each in world.database.collection(POSITIONS).documents.values()] == [moved]
    left = [
        each
        for kept in world.database.collections.values()
        for each in kept.documents.values()
        if LOCK in each
    ]
    assert left == [], "something is still held"
    assert world.database.collection(STEPS).documents == {}
    assert world.database.collection(STEP_PARTS).documents == {}


def _tags(document: dict[str, object] | None) -> list[str]:
    if document is None:
        return []
    return list(Case.model_validate_json(str(document["body"])).tags)


def _claims(intentions: dict[str, Intention], token: str) -> bool:
    return token in intentions and intentions[token].claim is not None


def _claimed_by_others(world: World, intentions: dict[str, Intention]) -> set[str]:
    """Who found the reference claimed has nothing to do."""
    return (
        {token for token in intentions if _claims(intentions, token)}
        if world.database.collection(CLAIMS).documents
        else set()
    )
