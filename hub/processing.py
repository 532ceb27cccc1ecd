"""What becomes of a consumer's batches, whoever reads them: decided, committed, and where that fails parked or set aside.

What happens to an event depends on its error alone (schemas/errors.py): an outage is waited for, a conflict decided again,
`not yet` parks the key, anything else is a dead letter; so is an event that needs a stored document which fits no schema,
and the document is named in it. The position moves only with the step that holds the effects. A
batch that conflicts again and again is decided record by record, so that one record never stops the others for ever.
"""

import logging
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from hub.letters import dead_letter
from hub.observe import Metric, Metrics
from hub.parking import Parking
from schemas.crash import crash_point
from schemas.documents import Parked
from schemas.errors import Conflict, Never
from schemas.ports import Clock, Engine
from schemas.steps import Batch, Outcome, OutcomeKind, Record, Step
from schemas.topics import Topic

log = logging.getLogger("hubbub.runner")

BATCH = 500
GIVE_UP_AFTER_ATTEMPTS = 25
ALONE_AFTER_CONFLICTS = 8
GIVE_UP_AFTER_CONFLICTS = 50


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one record. `kind` None: applied."""

    kind: OutcomeKind | None = None
    reason: str = ""
    stage: str = "decide"


APPLIED = Result()


class Consumer(Protocol):
    """Decides records into one step, and says what became of each."""

    name: str
    topics: Sequence[Topic]

    async def process(self, records: Sequence[Record]) -> tuple[Step, Sequence[Result]]: ...

    def committed(self, step: Step) -> None:
        """Called after the step is durable."""
        ...


@dataclass(frozen=True, slots=True)
class Decided:
    """A batch's step, and what it parks."""

    batch: Batch
    step: Step
    parked: Sequence[Parked]


class Processing:
    """One consumer's decisions. One call at a time. `parking` is loaded by whoever knows which keys are this process's."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        consumer: Consumer,
        batch: int = BATCH,
        metrics: Metrics | None = None,
    ) -> None:
        self._metrics = metrics or Metrics()
        self._engine = engine
        self._clock = clock
        self.consumer = consumer
        self.parking = Parking(engine, clock, consumer.name)
        self._batch = batch
        self._conflicts = 0
        self._alone = 0
        """How many records are still decided one by one."""
        self._reason = ""
        self.processed = 0

    @property
    def limit(self) -> int:
        """How many records the next batch may have."""
        return 1 if self._alone else self._batch

    async def decide(self, batch: Batch) -> Decided:
        with self.stage("decide"):
            step, parked = await self._decide(batch)
        crash_point("runner.before-commit")
        return Decided(batch, step, parked)

    async def commit(self, decided: Decided) -> None:
        """Raises Conflict or Outage; then nothing of it happened."""
        batch, step = decided.batch, decided.step
        with self.stage("commit"):
            await self._engine.commit(step)
        crash_point("runner.after-commit")
        self._conflicts = 0
        self._alone = max(0, self._alone - len(batch.records))
        self._count(batch, step)
        self.parking.add(decided.parked)
        self.processed += len(batch.records)
        self.consumer.committed(step)

    def conflicted(self, conflict: Conflict) -> None:
        """Somebody was first, which the next look puts right. If it does not, a decision of ours is at fault."""
        self._conflicts += 1
        if self._conflicts == ALONE_AFTER_CONFLICTS:
            log.warning(
                "%s decides one by one, as somebody is always first: %s", self.consumer.name, conflict
            )
            self._alone = self._batch
        self._reason = str(conflict)

    @contextmanager
    def stage(self, stage: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        seconds = time.perf_counter() - began
        self._metrics.observe(Metric.STAGE_SECONDS, seconds, consumer=self.consumer.name, stage=stage)

    def _count(self, batch: Batch, step: Step) -> None:
        """What became of a batch's events; what has no outcome was applied."""
        outcomes = {outcome.position: str(outcome.kind) for outcome in step.outcomes}
        became = Counter((str(each.topic), outcomes.get(each.place, "applied")) for each in batch.records)
        for (topic, outcome), number in became.items():
            self._metrics.add(
                Metric.EVENTS, number, consumer=self.consumer.name, topic=topic, outcome=outcome
            )
        self._metrics.observe(Metric.BATCH_EVENTS, len(batch.records), consumer=self.consumer.name)

    async def _decide(self, batch: Batch) -> tuple[Step, list[Parked]]:
        """The step of a batch. Where a key is parked, later records of that key are decided without: it is done again."""
        if self._conflicts >= GIVE_UP_AFTER_CONFLICTS:
            return self._given_up(batch), []
        waiting = set(self.parking.keys)
        while True:
            ready = [each for each in batch.records if each.event is not None and each.key not in waiting]
            step, results = await self._process(ready)
            newly = {
                record.key
                for record, result in zip(ready, results, strict=True)
                if result.kind is OutcomeKind.PARKED
            }
            count = {key: sum(each.key == key for each in ready) for key in newly}
            if not any(number > 1 for number in count.values()):
                break
            waiting |= {key for key, number in count.items() if number > 1}
        by_place = {record.place: result for record, result in zip(ready, results, strict=True)}
        parked: list[Parked] = []
        for record in batch.records:
            result = by_place.get(record.place) or _undecided(record)
            if result.kind is not None:
                parked += self._record(step, record, result)
        step.consumer = self.consumer.name
        step.before = batch.before
        step.position = batch.position
        return step, parked

    async def _process(self, records: Sequence[Record]) -> tuple[Step, Sequence[Result]]:
        """As the consumer decides. What needs a stored document that fits no schema is set aside, and the others go on."""
        try:
            return await self.consumer.process(records)
        except Never as error:
            log.error("%s: a stored document cannot be read: %s", self.consumer.name, error)
        refused = {record.place: reason for record in records if (reason := await self._why_refused(record))}
        readable = [each for each in records if each.place not in refused]
        step, decided = await self.consumer.process(readable)
        results = iter(decided)
        return step, [
            Result(OutcomeKind.DEAD_LETTERED, refused[each.place], "load")
            if each.place in refused
            else next(results)
            for each in records
        ]

    async def _why_refused(self, record: Record) -> str:
        """What keeps this record alone from being decided; nothing for most."""
        try:
            await self.consumer.process([record])
        except Never as error:
            return str(error)
        return ""

    def _given_up(self, batch: Batch) -> Step:
        """The one record that can never be committed, set aside."""
        step = Step(consumer=self.consumer.name, before=batch.before, position=batch.position)
        reason = f"decided {self._conflicts} times, and each time it conflicted: {self._reason}"
        for record in batch.records:
            self._record(step, record, Result(OutcomeKind.DEAD_LETTERED, reason, "commit"))
        return step

    def _record(self, step: Step, record: Record, result: Result, attempts: int = 1) -> list[Parked]:
        """Put into the step what became of a record that was not simply applied. Returns what is parked now."""
        assert result.kind is not None
        step.outcomes.append(
            Outcome(self.consumer.name, record.place, record.id, result.kind, result.reason[:500])
        )
        if result.kind is OutcomeKind.DEAD_LETTERED:
            event, letter = dead_letter(
                self.consumer.name, record, result.stage, result.reason, attempts, self._clock.now()
            )
            step.events.append(event)
            step.documents.append((letter, 0))
        if result.kind is not OutcomeKind.PARKED:
            return []
        parked = self.parking.new(record, result.reason)
        step.documents.append((parked, 0))
        return [parked]

    # -- parked keys ------------------------------------------------------------------------------------------------

    async def retry_parked(self) -> bool:
        """Decide the head of each parked key that is due; in order, until one has to wait again."""
        due = self.parking.due()
        for key in due:
            while (head := self.parking.head(key)) is not None and await self._retry(head):
                self.parking.settled(head)
        return bool(due)

    async def _retry(self, head: Parked) -> bool:
        """Decide a parked event again. True when it waits no longer: applied, ignored or dead-lettered.

        Raises Conflict when another process settled it meanwhile.
        """
        record = await self._engine.record(head.position)
        if record is None or record.event is None:
            result = Result(
                OutcomeKind.DEAD_LETTERED, record.problem if record else "no longer on the log", "decode"
            )
            step = Step()
        else:
            step, results = await self._process([record])
            result = results[0]
        if result.kind is OutcomeKind.PARKED and head.attempts < GIVE_UP_AFTER_ATTEMPTS:
            await self.parking.again(head, result.reason)
            return False
        if result.kind is OutcomeKind.PARKED:
            result = Result(
                OutcomeKind.DEAD_LETTERED, f"gave up after {head.attempts} attempts: {result.reason}"
            )
            step = Step()
        if result.kind is not None and record is not None:
            self._record(step, record, result, head.attempts + 1)
        self._release(step, head)
        try:
            await self._engine.commit(step)
        except Conflict as conflict:
            await self.parking.again(head, str(conflict))
            return False
        self.consumer.committed(step)
        return True

    def _release(self, step: Step, head: Parked) -> None:
        step.consumer = None
        step.outcomes.append(
            Outcome(
                self.consumer.name,
                head.position,
                head.event,
                OutcomeKind.RELEASED,
                f"after {head.attempts + 1} attempts",
            )
        )
        # Written before it is deleted, so that of two who settle it one conflicts.
        step.documents.append((head.model_copy(update={"revision": head.revision + 1}), head.revision))
        step.deletions.append((Parked, head.id))


def _undecided(record: Record) -> Result:
    if record.event is None:
        return Result(OutcomeKind.DEAD_LETTERED, record.problem, "decode")
    return Result(OutcomeKind.PARKED, "waits behind an earlier event of its key")
