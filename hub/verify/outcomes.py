"""(c) For a consumer every event up to its position is exactly one of applied, duplicate, ignored, dead-lettered, parked."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from hub.verify.gathered import CHUNK, Fault, Gathered, beyond
from processors.cases.decide import CONSUMER as CASES
from processors.cases.decide import TOPICS as CASES_TOPICS
from processors.cases.work import marker
from schemas.ports import START, Engine, OutcomeKind, Position, Record, References

APPLIED = "applied"
CONTRADICTION = "contradiction"


class Outcomes:
    """Of the cases decider. That an event was applied is seen by the entry that it left, and may be so once."""

    def __init__(self, engine: Engine, gathered: Gathered, counts: Counter[str]) -> None:
        self._engine = engine
        self._repeated = gathered.repeated
        self._applied: set[UUID] = set()
        self._counts = counts

    async def faults(self, position: Position) -> AsyncIterator[Fault]:
        """Up to the position at which the consumer stood when the verification began."""
        after = START
        while True:
            records = await self._engine.scan(CASES_TOPICS, after, CHUNK)
            within = [
                each for each in records if each.event is not None and not beyond(each.position, position)
            ]
            if within:
                async for fault in self._chunk(within, after):
                    yield fault
            if not records or beyond(records[-1].position, position):
                return
            after = records[-1].position

    async def _chunk(self, records: Sequence[Record], after: Position) -> AsyncIterator[Fault]:
        kinds = await self._kinds(after, records[-1].position)
        markers = {marker(record.event) for record in records if record.event}
        entries = (await self._engine.load(References(entries=markers))).entries
        for record in records:
            assert record.event is not None
            what = what_became(kinds.get(record.position, []))
            self._counts[f"{CASES}:{what}"] += 1
            problem = ""
            if what == CONTRADICTION:
                problem = f"has the outcomes {sorted(kinds[record.position])}"
            elif what == APPLIED and marker(record.event) not in entries:
                problem = f"{record.type} was neither applied nor set aside"
            elif what == APPLIED and record.id in self._applied:
                problem = f"{record.type} was applied a second time"
            if what == APPLIED and record.id in self._repeated:
                self._applied.add(record.id)
            if problem:
                yield Fault("c", f"{CASES}: {problem}", str(record.id))

    async def _kinds(self, after: Position, last: Position) -> dict[Position, list[OutcomeKind]]:
        kinds: dict[Position, list[OutcomeKind]] = defaultdict(list)
        while not beyond(after, last):
            outcomes = await self._engine.outcomes(CASES, after, CHUNK)
            for outcome in outcomes:
                kinds[outcome.position].append(outcome.kind)
            if len(outcomes) < CHUNK:
                break
            after = outcomes[-1].position
        return kinds


def what_became(kinds: Sequence[OutcomeKind]) -> str:
    """The one thing that became of an event, from all that is recorded of it; nothing recorded means applied."""
    ends = [kind for kind in kinds if kind not in (OutcomeKind.PARKED, OutcomeKind.RELEASED)]
    if len(set(ends)) > 1:
        return CONTRADICTION
    if ends:
        return str(ends[0])
    if OutcomeKind.PARKED in kinds and OutcomeKind.RELEASED not in kinds:
        return str(OutcomeKind.PARKED)
    return APPLIED
