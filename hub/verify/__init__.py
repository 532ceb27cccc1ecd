"""Conservation, proved by looking up: every promise of the log checked against the states, at a fixed position.

(a) the log is whole; (b) every item has all its parts and its original; (c) for each consumer every event up to its
position is exactly one of applied, duplicate, ignored, dead-lettered or parked, and automations did what their configuration says;
(d) cases, timelines, handles and search texts equal a fresh fold;
(e) every outbound message is exactly one of waiting, sent, failed, unknown or cancelled.

Works while the hub writes: what comes on the log after the beginning is not looked at, and what a state says beyond that is
looked up again before it counts as a fault.
"""

from asyncio import to_thread
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from uuid import UUID

from hub.verify.following import Following
from hub.verify.gathered import Fault, Gathered
from hub.verify.handles import Handles
from hub.verify.outcomes import Outcomes
from hub.verify.reading import Reading
from hub.verify.sending import Sending
from hub.verify.states import States
from processors.cases.decide import CONSUMER as CASES
from schemas.errors import Invalid
from schemas.ports import Engine
from schemas.steps import START
from sinks.outbound import CONSUMER as OUTBOUND
from sinks.spool.spool import spooled_items


class Verification:
    """One run. `faults` yields what is found, as it is found; `counts` says afterwards how much was looked at."""

    def __init__(self, engine: Engine, spool: Path | None = None) -> None:
        """`spool` is the folder of items that are on their way to the log."""
        self._engine = engine
        self._spool = spool
        self.counts: Counter[str] = Counter()

    async def faults(self, ledger: Sequence[UUID] = ()) -> AsyncIterator[Fault]:
        engine, gathered = self._engine, Gathered()
        # First: what is handed on meanwhile is then seen on the log, or here.
        spooled, wrong = (set(), []) if self._spool is None else await to_thread(spooled_items, self._spool)
        for told in wrong:
            yield Fault("b", told)
        if self._spool is not None:
            self.counts["spooled"] = len(spooled)
        positions = dict(await engine.positions())
        tail = await engine.tail()
        async for what in engine.check():
            yield Fault("a", what)
        outcomes = Outcomes(engine, gathered, self.counts)
        await outcomes.load()
        parts = (
            Reading(engine, gathered, self.counts).faults(tail),
            outcomes.faults(positions.get(CASES, START)),
            States(engine, gathered, self.counts).faults(),
            Sending(engine, gathered, self.counts).faults(positions.get(OUTBOUND, START)),
            Following(engine, self.counts).faults(positions),
            Handles(engine, self.counts).faults(),
        )
        for part in parts:
            async for fault in part:
                yield fault
        for item in ledger:
            self.counts["ledger"] += 1
            if item not in gathered.counts and item not in gathered.quarantined and item not in spooled:
                what = "was acknowledged and is neither on the log nor in quarantine"
                yield Fault("ledger", what, str(item))


class Verifier:
    """Runs verifications for the API and the command line."""

    def __init__(self, engine: Engine, spool: Path | None = None) -> None:
        self._engine = engine
        self._spool = spool

    async def verify(self, ledger: str | None = None) -> AsyncIterator[Mapping[str, object]]:
        """Each fault as it is found; the last record has `result` (whole or broken) and what was counted."""
        items = _items(ledger) if ledger else []
        run = Verification(self._engine, self._spool)
        broken = 0
        async for fault in run.faults(items):
            broken += 1
            yield {"promise": fault.promise, "subject": fault.subject, "fault": fault.what}
        yield {
            "result": "broken" if broken else "whole",
            "faults": broken,
            "counts": dict(sorted(run.counts.items())),
        }


def _items(ledger: str) -> list[UUID]:
    """A sender's own record: one acknowledged item id a line; blank lines and `#` comments are skipped."""
    items = []
    for number, line in enumerate(ledger.splitlines(), 1):
        text = line.split("#")[0].strip()
        if not text:
            continue
        try:
            items.append(UUID(text))
        except ValueError as error:
            raise Invalid(f"ledger, line {number}: {text[:60]!r} is not an item id") from error
    return items


__all__ = ["Fault", "Verification", "Verifier"]
