"""(c) For a consumer every event up to its position is exactly one of applied, duplicate, ignored, dead-lettered, parked."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from hub.verify.gathered import APPLIED, CHUNK, CONTRADICTION, Fault, Gathered
from processors.cases.decide import CONSUMER as CASES
from processors.cases.decide import TOPICS as CASES_TOPICS
from processors.cases.work import marker
from schemas.ports import Engine
from schemas.steps import START, Place, Position, Record, References


class Outcomes:
    """Of the cases decider. That an event was applied is seen by the entry that it left, and may be so once."""

    def __init__(self, engine: Engine, gathered: Gathered, counts: Counter[str]) -> None:
        self._engine = engine
        self._gathered = gathered
        self._applied: set[UUID] = set()
        self._counts = counts

    async def load(self) -> None:
        """Fill in what was recorded. Bounded by the number of events that were not simply applied."""
        after: Place = START
        while outcomes := await self._engine.outcomes(CASES, after, CHUNK):
            for outcome in outcomes:
                self._gathered.outcomes[outcome.position].append(outcome.kind)
            after = outcomes[-1].position

    async def faults(self, position: Position) -> AsyncIterator[Fault]:
        """Up to the position at which the consumer stood when the verification began."""
        after: Position = START
        while True:
            records = await self._engine.scan(CASES_TOPICS, after, CHUNK)
            within = [
                each
                for each in records
                if each.event is not None and self._engine.covers(position, each.place)
            ]
            if within:
                async for fault in self._chunk(within):
                    yield fault
            if not records or self._engine.covers(records[-1].position, position):
                return
            after = records[-1].position

    async def _chunk(self, records: Sequence[Record]) -> AsyncIterator[Fault]:
        markers = {marker(record.event) for record in records if record.event}
        entries = (await self._engine.load(References(entries=markers))).entries
        for record in records:
            assert record.event is not None
            what = self._gathered.what_became(record.place)
            self._counts[f"{CASES}:{what}"] += 1
            problem = ""
            if what == CONTRADICTION:
                problem = f"has the outcomes {sorted(self._gathered.outcomes[record.place])}"
            elif what == APPLIED and marker(record.event) not in entries:
                problem = f"{record.type} was neither applied nor set aside"
            elif what == APPLIED and record.id in self._applied:
                problem = f"{record.type} was applied a second time"
            if what == APPLIED and record.id in self._gathered.repeated:
                self._applied.add(record.id)
            if problem:
                yield Fault("c", f"{CASES}: {problem}", str(record.id))
