"""How fast the engine is by itself, in batches as the runner writes them. Prints one line of JSON; limits are loose."""

import json
from time import perf_counter, process_time

import pytest

from schemas.documents import Case
from schemas.steps import START, References, Step
from schemas.topics import Topic
from sinks.sqlite.engine import SqliteEngine
from tests.contracts.samples import case, entry, name, noted, received

pytestmark = pytest.mark.bench
EVENTS = 20_000
BATCH = 500
CASES = 5_000
TEXT = "Hello there, I would like to know where my order is. " * 20


def steps() -> list[Step]:
    """A case event, an entry and a write of the case for each interaction; most are replies to a case that is there."""
    sequences: dict[str, int] = {}
    made = []
    for first in range(0, EVENTS, BATCH):
        step, documents = Step(), {}
        for number in range(first, first + BATCH):
            label = str(number * 7919 % CASES)
            before = sequences.get(label, 0)
            sequences[label] = before + 1
            documents[label] = (case(label, revision=before + 1), before)
            step.events.append(noted(name("case", label), before + 1))
            text = TEXT[: 400 + number % 600]
            step.entries.append(entry(0, label, id=name("entry", number), sequence=before + 1, text=text))
            if before == 0:
                step.claims[f"thread:{label}"] = name("case", label)
        step.documents = list(documents.values())
        made.append(step)
    return made


async def test_speed(engine: SqliteEngine) -> None:
    measured: dict[str, float] = {}

    def note(what: str, since: tuple[float, float]) -> None:
        measured[f"{what}_per_second"] = round(EVENTS / (perf_counter() - since[0]))
        measured[f"{what}_cpu_microseconds"] = round((process_time() - since[1]) / EVENTS * 1e6, 1)

    events = [
        received(number, f"thread-{number % CASES}", TEXT[: 400 + number % 600]) for number in range(EVENTS)
    ]
    decided = steps()

    since = perf_counter(), process_time()
    for first in range(0, EVENTS, BATCH):
        await engine.commit(Step(events=events[first : first + BATCH]))
    note("append", since)

    since = perf_counter(), process_time()
    position = START
    while records := await engine.scan([Topic.INTERACTIONS], position, BATCH):
        position = records[-1].position
    note("read", since)

    since = perf_counter(), process_time()
    for step in decided:
        await engine.commit(step)
    note("decide", since)

    since = perf_counter(), process_time()
    for step in decided:
        references = References(handled={each.id for each in step.entries}, threads=set(step.claims))
        for document, _ in step.documents:
            references.want(Case, document.id)
        await engine.load(references)
    note("load", since)

    print(json.dumps(measured))
    assert measured["decide_per_second"] > 1_000
    assert measured["read_per_second"] > 2_000
