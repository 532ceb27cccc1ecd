"""Cases that an earlier version folded are folded again from their events: when one is decided on, and all in the background."""

import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from uuid import UUID

from processors.cases.evolve import evolve
from processors.cases.folds import FOLD
from schemas.case_messages import CaseOpened, CaseStarted
from schemas.cases import CaseEvent
from schemas.collections import CASES
from schemas.documents import Case
from schemas.errors import Conflict
from schemas.events import Event
from schemas.ports import Engine
from schemas.steps import START, Found, Query, Step, Where
from schemas.topics import Topic

log = logging.getLogger("hubbub.refolding")

CASES_AT_ONCE = 500
CASES_A_PASS = 50_000
EVENTS_A_SCAN = 1000
OLDER = (Where("fold", "<", FOLD), Where("fold", "null"))
"""A store that was made before there were versions has no column for them."""


class Refolding:
    """A case whose events do not lead to where it stands is left as it is: `hubbub verify` tells of it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._left: set[UUID] = set()
        """Cases that cannot be folded again."""
        self._is_done = False

    async def known(self, found: Found) -> None:
        """Fold again, in memory, what was loaded. Where finding the events of one case means reading the log, the rest waits.

        Whoever decides on it then stores it.
        """
        if not self._engine.is_one_order:
            return
        older = [each for each in found.documents.values() if type(each) is Case and each.fold < FOLD]
        for case in await self._by_key(older):
            found.documents[case.id] = case

    async def run(self) -> int:
        """Fold all of them again and store them; those that somebody changes meanwhile later. Returns how many."""
        count = 0
        while not self._is_done:
            stored = 0
            async for older in self._older():
                folded = await (self._by_key(older) if self._engine.is_one_order else self._by_pass(older))
                stored += await self._store(folded)
            count += stored
            self._is_done = not stored
        if count:
            log.info("%d cases of an earlier version were folded again", count)
        return count

    async def _older(self) -> AsyncIterator[list[Case]]:
        """The cases of an earlier fold that are not known to be hopeless, some at once."""
        most = CASES_AT_ONCE if self._engine.is_one_order else CASES_A_PASS
        found: list[Case] = []
        for where in OLDER:
            after: str | None = None
            while True:
                page = await self._engine.find(Query(CASES, (where,), limit=CASES_AT_ONCE, after=after))
                found += [each for each in page.items if isinstance(each, Case) and each.id not in self._left]
                if len(found) >= most:
                    yield found
                    found = []
                if (after := page.next) is None:
                    break
        if found:
            yield found

    async def _by_key(self, cases: Sequence[Case]) -> list[Case]:
        folded = []
        for case in cases:
            if case.id in self._left:
                continue
            events: list[Event] = []
            after = START
            while records := await self._engine.scan((Topic.CASES,), after, EVENTS_A_SCAN, key=str(case.id)):
                events += [each.event for each in records if each.event is not None]
                after = records[-1].position
            fold = _Fold(case)
            fold.take(events)
            folded += self._made(fold)
        return folded

    async def _by_pass(self, cases: Sequence[Case]) -> list[Case]:
        """One pass over the log for all of them."""
        folds = {case.id: _Fold(case) for case in cases}
        after = START
        while records := await self._engine.scan((Topic.CASES,), after, EVENTS_A_SCAN):
            for record in records:
                if record.event is not None and isinstance(record.event.data, CaseEvent):
                    fold = folds.get(record.event.data.case)
                    if fold is not None:
                        fold.take([record.event])
            after = records[-1].position
        return [case for fold in folds.values() for case in self._made(fold)]

    def _made(self, fold: "_Fold") -> list[Case]:
        if fold.case is not None and fold.case.revision == fold.stored.revision:
            return [fold.case]
        self._left.add(fold.stored.id)
        log.warning("case %s cannot be folded again: its events do not lead there", fold.stored.number)
        return []

    async def _store(self, folded: Iterable[Case]) -> int:
        stored = 0
        for case in folded:
            try:
                await self._engine.commit(Step(remade=[case]))
                stored += 1
            except Conflict:
                continue  # it was changed meanwhile, and folded again for that
        return stored


class _Fold:
    """The fold of a case's events up to where it is stored. Events that stand twice on the log count once."""

    def __init__(self, stored: Case) -> None:
        self.stored = stored
        self.case: Case | None = None

    def take(self, events: Iterable[Event]) -> None:
        for event in events:
            reached = self.case.revision if self.case else 0
            if event.late or event.sequence != reached + 1 or reached == self.stored.revision:
                continue
            if isinstance(event.data, CaseEvent) and (
                self.case is not None or isinstance(event.data, CaseOpened | CaseStarted)
            ):
                self.case = evolve(self.case, event.data, event.time, event.chain)
