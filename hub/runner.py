"""The embedded runner: each consumer reads, decides and commits in batches, in one asyncio process.

What happens to an event depends on its error alone (schemas/errors.py): an outage is waited for, a conflict decided again,
`not yet` parks the key, anything else is a dead letter. The log position moves only with the step that holds the effects.
A batch that conflicts again and again is decided record by record, so that one record never stops the others for ever.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from hub.letters import dead_letter
from hub.observe import Metric, Metrics
from hub.reading import Reading
from schemas.crash import crash_point
from schemas.documents import PARKED, Parked
from schemas.errors import Conflict, Outage
from schemas.ids import derive
from schemas.ports import Batch, Clock, Engine, Outcome, OutcomeKind, Position, Query, Record, Step, Where
from schemas.topics import Topic

log = logging.getLogger("hubbub.runner")

BATCH = 500
IDLE_SECONDS = 5.0
GIVE_UP_AFTER_ATTEMPTS = 25
FIRST_PARK_SECONDS = 0.5
LONGEST_PARK_SECONDS = 300.0
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
    """What a runner runs: decides records into one step, and says what became of each."""

    name: str
    topics: Sequence[Topic]

    async def process(self, records: Sequence[Record]) -> tuple[Step, Sequence[Result]]: ...

    def committed(self, step: Step) -> None:
        """Called after the step is durable."""
        ...


class Runner:
    """Runs one consumer."""

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
        self._batch = batch
        self._reading = Reading(engine, consumer.name, consumer.topics)
        self._stopping = asyncio.Event()
        self._parked: dict[str, list[Parked]] | None = None
        self._conflicts = 0
        self._alone = 0
        """How many records are still decided one by one."""
        self._reason = ""
        self.position: Position = ""
        self.processed = 0

    async def run(self) -> None:
        """Until `stop`. Never ends by what an event holds; a defect of ours outside the decisions is logged and retried."""
        while not self._stopping.is_set():
            try:
                tail = await self._engine.tail()  # before reading: what comes meanwhile ends the wait at once
                if not await self.once():
                    await self._idle(tail)
            except Conflict as conflict:
                log.debug("%s decides again: %s", self.consumer.name, conflict)
            except Outage as outage:
                log.warning("%s waits: %s", self.consumer.name, outage)
                await self._rest(outage.retry_after_seconds)
            except Exception:
                log.exception("%s failed and tries again", self.consumer.name)
                await self._rest(1.0)
        self._reading.forget()

    def stop(self) -> None:
        self._stopping.set()

    async def _idle(self, tail: Position) -> None:
        """Until something is appended, something parked is due, or the runner stops."""
        waits = {
            asyncio.ensure_future(self._engine.wait(tail, self._idle_seconds())),
            asyncio.ensure_future(self._stopping.wait()),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()

    async def _rest(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return

    def _idle_seconds(self) -> float:
        heads = [waiting[0].not_before for waiting in (self._parked or {}).values() if waiting]
        if not heads:
            return IDLE_SECONDS
        return max(0.02, min(IDLE_SECONDS, (min(heads) - self._clock.now()).total_seconds()))

    async def once(self) -> bool:
        """One batch, and what was parked and is due. False when there was nothing to do."""
        if self._parked is None:
            self._parked = await self._load_parked()
        retried = await self._retry_parked()
        limit = 1 if self._alone else self._batch
        with self._stage("read"):
            batch = await self._reading.next(limit)
        self.position = batch.position
        if not batch.records:
            return retried
        crash_point("runner.after-read")
        with self._stage("decide"):
            step, parked = await self._decide(batch)
        crash_point("runner.before-commit")
        if not self._alone:
            self._reading.ahead(batch, limit)
        try:
            with self._stage("commit"):
                await self._engine.commit(step)
        except BaseException as error:
            self._reading.forget()
            if isinstance(error, Conflict):
                self._conflicted(error)
            raise
        crash_point("runner.after-commit")
        self._conflicts = 0
        self._alone = max(0, self._alone - len(batch.records))
        self._count(batch, step)
        for each in parked:
            self._parked.setdefault(each.key, []).append(each)
        self.processed += len(batch.records)
        self.consumer.committed(step)
        return True

    @contextmanager
    def _stage(self, stage: str) -> Iterator[None]:
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
        waiting = set(self._parked or ())
        while True:
            ready = [each for each in batch.records if each.event is not None and each.key not in waiting]
            step, results = await self.consumer.process(ready)
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
            result = by_place.get(record.place) or self._undecided(record)
            if result.kind is not None:
                parked += self._record(step, record, result)
        step.consumer = self.consumer.name
        step.before = batch.before
        step.position = batch.position
        return step, parked

    def _conflicted(self, conflict: Conflict) -> None:
        """Somebody was first, which the next look puts right. If it does not, a decision of ours is at fault."""
        self._conflicts += 1
        if self._conflicts == ALONE_AFTER_CONFLICTS:
            log.warning(
                "%s decides one by one, as somebody is always first: %s", self.consumer.name, conflict
            )
            self._alone = self._batch
        self._reason = str(conflict)

    def _given_up(self, batch: Batch) -> Step:
        """The one record that can never be committed, set aside."""
        step = Step(consumer=self.consumer.name, before=batch.before, position=batch.position)
        reason = f"decided {self._conflicts} times, and each time it conflicted: {self._reason}"
        for record in batch.records:
            self._record(step, record, Result(OutcomeKind.DEAD_LETTERED, reason, "commit"))
        return step

    def _undecided(self, record: Record) -> Result:
        if record.event is None:
            return Result(OutcomeKind.DEAD_LETTERED, record.problem, "decode")
        return Result(OutcomeKind.PARKED, "waits behind an earlier event of its key")

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
        parked = Parked(
            id=derive("parked", self.consumer.name, record.place),
            revision=1,
            consumer=self.consumer.name,
            key=record.key,
            event=record.id,
            position=record.place,
            reason=result.reason,
            not_before=self._clock.now() + timedelta(seconds=FIRST_PARK_SECONDS),
        )
        step.documents.append((parked, 0))
        return [parked]

    # -- parked keys ------------------------------------------------------------------------------------------------

    async def _load_parked(self) -> dict[str, list[Parked]]:
        """By key, in the order in which they were parked, which is that of the log within a key."""
        by_key: dict[str, list[Parked]] = {}
        after: str | None = None
        while True:
            query = Query(PARKED, (Where("consumer", "=", self.consumer.name),), limit=1000, after=after)
            page = await self._engine.find(query)
            for each in page.items:
                assert isinstance(each, Parked)
                by_key.setdefault(each.key, []).append(each)
            if page.next is None:
                break
            after = page.next
        return by_key

    async def _retry_parked(self) -> bool:
        """Decide the head of each parked key that is due; in order, until one has to wait again."""
        assert self._parked is not None
        now = self._clock.now()
        due = [key for key, waiting in self._parked.items() if waiting[0].not_before <= now]
        for key in due:
            waiting = self._parked[key]
            while waiting and await self._retry(waiting):
                waiting.pop(0)
            if not waiting:
                del self._parked[key]
        return bool(due)

    async def _retry(self, waiting: list[Parked]) -> bool:
        """Decide a parked event again. True when it waits no longer: applied, ignored or dead-lettered."""
        head = waiting[0]
        record = await self._engine.record(head.position)
        if record is None or record.event is None:
            result = Result(
                OutcomeKind.DEAD_LETTERED, record.problem if record else "no longer on the log", "decode"
            )
            step = Step()
        else:
            step, results = await self.consumer.process([record])
            result = results[0]
        if result.kind is OutcomeKind.PARKED and head.attempts < GIVE_UP_AFTER_ATTEMPTS:
            waiting[0] = await self._park_again(head, result.reason)
            return False
        if result.kind is OutcomeKind.PARKED:
            result = Result(
                OutcomeKind.DEAD_LETTERED, f"gave up after {head.attempts} attempts: {result.reason}"
            )
            step = Step()
        if result.kind is not None and record is not None:
            self._record(step, record, result, head.attempts + 1)
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
        step.deletions.append((Parked, head.id))
        try:
            await self._engine.commit(step)
        except Conflict as conflict:
            waiting[0] = await self._park_again(head, str(conflict))
            return False
        self.consumer.committed(step)
        return True

    async def _park_again(self, head: Parked, reason: str) -> Parked:
        seconds = min(LONGEST_PARK_SECONDS, FIRST_PARK_SECONDS * 2 ** (head.attempts + 1))
        again = head.model_copy(
            update={
                "attempts": head.attempts + 1,
                "reason": reason,
                "not_before": self._clock.now() + timedelta(seconds=seconds),
                "revision": head.revision + 1,
            }
        )
        await self._engine.commit(Step(documents=[(again, head.revision)]))
        return again
