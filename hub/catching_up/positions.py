"""Where consumers stand after it: behind everything of which the log tells the effects.

An input without effects on the log was ignored, set aside, or not read before the store was lost: nobody can tell. It is parked, so
that it is decided by itself when the hub starts, and what has effects is not read again.
"""

from collections import Counter
from collections.abc import Set
from datetime import timedelta
from uuid import UUID

from hub.catching_up.reading import CHUNK, chunks, since
from hub.consumers import AUTOMATION, AUTOMATION_SOURCE
from hub.parking import Parking
from processors.cases.decide import CONSUMER as CASES
from processors.cases.decide import TOPICS as INPUTS
from schemas.automation import AutomationSuppressed
from schemas.ports import Clock, Engine
from schemas.steps import START, Outcome, OutcomeKind, Position, Record, Step
from schemas.topics import Topic
from sinks.kafka.offsets import from_place, from_position, to_position
from sinks.outbound import CONSUMER as OUTBOUND

CLOCKS_APART = timedelta(hours=1)
REASON = "before the store was put back nothing followed from it on the log, or it was not read"


class Positions:
    """Remembers ids of what came since the backup: about 0.1 kB an event."""

    def __init__(self, engine: Engine, clock: Clock, counts: Counter[str], caused: Set[UUID]) -> None:
        """`caused`: inputs of whose effects the store did not know."""
        self._engine = engine
        self._clock = clock
        self._counts = counts
        self._parking = Parking(engine, clock, CASES)
        self._caused = caused
        self._reacted: set[UUID] = set()
        self._suppressed: dict[UUID, str] = {}
        self._seen: set[UUID] = set()

    async def run(self) -> None:
        positions = await self._engine.positions()
        await self._gather(await self._from(since(positions, {AUTOMATION: (Topic.CASES,), CASES: INPUTS})))
        await self._cases(positions.get(CASES, START))
        await self._automation(positions.get(AUTOMATION, START))
        await self._outbound(positions.get(OUTBOUND, START))

    async def _from(self, after: Position) -> Position:
        """From where effects can lie of what consumers have before them: by the clock, as their topics have no reader."""
        first = await self._engine.scan((*INPUTS, Topic.CASES), after, CHUNK)
        times = [each.event.time for each in first if each.event is not None]
        return await self._engine.position_at(min(times) - CLOCKS_APART) if times else START

    async def _gather(self, after: Position) -> None:
        async for records in chunks(self._engine, (Topic.COMMANDS, Topic.AUTOMATION), after):
            for record in records:
                event = record.event
                if event is None or event.causation is None:
                    continue
                if event.source == AUTOMATION_SOURCE:
                    self._reacted.add(event.causation)
                elif isinstance(event.data, AutomationSuppressed):
                    self._suppressed[event.causation] = event.data.reason

    async def _cases(self, position: Position) -> None:
        while records := await self._engine.scan(INPUTS, position, CHUNK):
            step = Step(consumer=CASES, before=position, position=records[-1].position)
            for record in records:
                self._settle(record, step)
            await self._engine.commit(step)
            self._counts["inputs that are decided"] += len(records) - len(step.outcomes)
            position = records[-1].position

    def _settle(self, record: Record, step: Step) -> None:
        kind, reason = None, ""
        if record.id in self._seen:
            kind, reason = OutcomeKind.DUPLICATE, "applied before"
        elif record.id in self._suppressed and record.id not in self._caused:
            kind, reason = OutcomeKind.IGNORED, self._suppressed[record.id]
        elif record.id not in self._caused or (record.event is not None and record.event.late):
            kind, reason = OutcomeKind.PARKED, REASON
            step.documents.append((self._parking.new(record, reason), 0))
            self._counts["inputs that are decided by themselves"] += 1
        self._seen.add(record.id)
        if kind is not None:
            step.outcomes.append(Outcome(CASES, record.place, record.id, kind, reason))

    async def _automation(self, position: Position) -> None:
        """Behind the last event of each partition that was reacted to: all before it were looked at."""
        offsets = from_position(position)
        async for records in chunks(self._engine, (Topic.CASES,), position):
            for record in records:
                if record.id in self._reacted:
                    partition, offset = from_place(record.place)
                    offsets[partition] = max(offsets.get(partition, 0), offset + 1)
        await self._move(AUTOMATION, position, to_position(offsets))

    async def _outbound(self, position: Position) -> None:
        """All that was queued is known by now."""
        after = position
        while records := await self._engine.scan((Topic.OUTBOUND,), after, CHUNK):
            after = records[-1].position
        await self._move(OUTBOUND, position, after)

    async def _move(self, consumer: str, before: Position, position: Position) -> None:
        if position != before:
            await self._engine.commit(Step(consumer=consumer, before=before, position=position))
