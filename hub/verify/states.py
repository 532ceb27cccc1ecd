"""(d) Cases and timelines equal a fresh fold, with nothing missing and nothing beside it; letters are where the log says."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from itertools import islice
from uuid import UUID

from hub.verify.gathered import CATCH_UPS, CHUNK, Fault, Gathered
from processors.cases.evolve import evolve
from processors.cases.folds import FOLD, as_of
from processors.timeline import change_of
from schemas.cases import CaseEvent
from schemas.collections import CASES
from schemas.documents import Case, Document, Entry
from schemas.events import Event
from schemas.letters import DeadLetter, QuarantineItem
from schemas.ports import Engine
from schemas.steps import START, EntryChange, Position, Query, References
from schemas.topics import Topic


class States:
    """Compares what is stored with what was gathered from the log."""

    def __init__(self, engine: Engine, gathered: Gathered, counts: Counter[str]) -> None:
        self._engine = engine
        self._gathered = gathered
        self._counts = counts

    async def faults(self) -> AsyncIterator[Fault]:
        for part in (self._cases(), self._timelines(), self._changes(), self._letters()):
            async for fault in part:
                yield fault

    async def _cases(self) -> AsyncIterator[Fault]:
        unseen = set(self._gathered.cases)
        after: str | None = None
        while True:
            page = await self._engine.find(Query(CASES, limit=CHUNK, after=after))
            for case in page.items:
                assert isinstance(case, Case)
                self._counts["cases"] += 1
                if case.fold != FOLD:
                    self._counts[
                        "cases:of an earlier version" if case.fold < FOLD else "cases:of a later version"
                    ] += 1
                unseen.discard(case.id)
                if not await self._is_fold(case):
                    yield Fault("d", f"case {case.number} is not the fold of its events", str(case.id))
            if (after := page.next) is None:
                break
        for id in unseen:
            yield Fault("d", "the case is missing", str(id))

    async def _is_fold(self, stored: Case) -> bool:
        """Whether a stored case is what its events make, those that came during this run included."""
        known = self._gathered.cases.get(stored.id)
        if known is not None and _is(stored, known):
            return True
        if known is not None and stored.revision <= known.revision:
            return False
        folded: Case | None = None
        for event in await _case_events(self._engine, stored.id):
            assert isinstance(event.data, CaseEvent)
            folded = evolve(folded, event.data, event.time, event.chain)
            if folded.revision == stored.revision:
                break
        return folded is not None and _is(stored, folded)

    async def _timelines(self) -> AsyncIterator[Fault]:
        """As many entries as events, for each case: that none is missing or altered was seen before, so none is too many."""
        for ids in _chunked(self._gathered.cases):
            found: Counter[UUID] = Counter()
            after: str | None = None
            while True:
                page = await self._engine.timeline(cases=ids, limit=CHUNK, after=after)
                for entry in page.items:
                    case = self._gathered.cases.get(entry.case)
                    if case is not None and entry.sequence <= case.revision:
                        found[entry.case] += 1
                if (after := page.next) is None:
                    break
            for id in ids:
                case = self._gathered.cases[id]
                if found[id] > case.revision:
                    what = f"case {case.number} has {case.revision} events and {found[id]} timeline entries"
                    yield Fault("d", what, str(id))

    async def _changes(self) -> AsyncIterator[Fault]:
        """Replies say what became of them as the log does."""
        for ids in _chunked(self._gathered.changes):
            entries = (await self._engine.load(References(entries=set(ids)))).entries
            for id in ids:
                entry = entries.get(id)
                if entry is None or _says(entry, self._gathered.changes[id]):
                    continue
                if not await self._says_by_now(id):
                    what = f"the timeline entry {id} says {entry.delivery}, and the log {self._gathered.changes[id].delivery}"
                    yield Fault("d", what, str(entry.case))

    async def _says_by_now(self, id: UUID) -> bool:
        """The hub may have changed it since the log was read: look at both again, until they agree."""
        for _ in range(CATCH_UPS):
            entry = (await self._engine.load(References(entries={id}))).entries[id]
            latest = self._gathered.changes[id]
            case: UUID | None = entry.case
            while case is not None:  # and on to the cases that it was merged into
                folded: Case | None = None
                for event in await _case_events(self._engine, case):
                    assert isinstance(event.data, CaseEvent)
                    folded = evolve(folded, event.data, event.time, event.chain)
                    change = change_of(event, folded)
                    if change is not None and change.entry == id and change.sequence > latest.sequence:
                        latest = change
                case = folded.merged_into if folded else None
            if _says(entry, latest):
                return True
        return False

    async def _letters(self) -> AsyncIterator[Fault]:
        kinds: Iterable[tuple[str, type[Document], set[UUID]]] = (
            ("b", QuarantineItem, self._gathered.quarantined),
            ("c", DeadLetter, self._gathered.letters),
        )
        for promise, kind, wanted in kinds:
            for ids in _chunked(wanted):
                found = (await self._engine.load(References(documents={kind: set(ids)}))).documents
                for id in ids:
                    if id not in found:
                        yield Fault(promise, f"is on the log as {kind.__name__} and not in the list", str(id))


def _is(stored: Case, folded: Case) -> bool:
    """Whether a stored case is what its events make: under the version of the fold that it was made by."""
    if (
        stored.fold > FOLD
    ):  # of a later version, whose fold is not known here: its summary is what all versions agree on
        return stored.revision == folded.revision and stored.summary() == folded.summary()
    return as_of(folded, stored.fold) == stored


def _says(entry: Entry, change: EntryChange) -> bool:
    return (entry.delivery, entry.delivery_reason) == (change.delivery, change.reason)


def _chunked(ids: Iterable[UUID]) -> Iterable[Sequence[UUID]]:
    rest = iter(list(ids))
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


async def _case_events(engine: Engine, case: UUID) -> list[Event]:
    found: list[Event] = []
    after: Position = START
    while records := await engine.scan((Topic.CASES,), after, CHUNK, key=str(case)):
        events = [each.event for each in records if each.event and not each.event.late]
        found += [each for each in events if isinstance(each.data, CaseEvent)]
        after = records[-1].position
    return found if engine.is_one_order else list({each.id: each for each in found}.values())
