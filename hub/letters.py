"""Quarantine and dead letters: what could not be read and what could not be processed, shown and played again."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from connectors.kit.channel import Reparse
from connectors.kit.intake import Intake
from schemas.codec import decode
from schemas.collections import DEAD_LETTERS, QUARANTINE
from schemas.errors import Invalid, Stale, Undecodable, Unknown
from schemas.events import Actor, Event
from schemas.ids import derive
from schemas.letters import DeadLetter, LetterState, QuarantineItem
from schemas.parking import DeadLetterClosed, DeadLettered, QuarantineClosed
from schemas.ports import Clock, Engine
from schemas.sentences import said
from schemas.steps import Page, Query, Record, References, Step, Where


def dead_letter(
    consumer: str, record: Record, stage: str, reason: str, attempts: int, now: datetime
) -> tuple[Event, DeadLetter]:
    """The event and the state of a record that a consumer can never process as it is; the original bytes in both."""
    id = derive("letter", consumer, record.place)
    event = record.event
    attributes = {"topic": str(record.topic)}
    if event is not None:
        attributes |= {
            "source": event.source,
            "time": event.time.isoformat(),
            "correlation": str(event.correlation),
            "causation": str(event.causation or ""),
            "chain": ",".join(event.chain),
        }
        numbers = {"sequence": event.sequence, "configuration": event.configuration}
        attributes |= {name: str(number) for name, number in numbers.items() if number is not None}
    data = DeadLettered(
        letter=id,
        consumer=consumer,
        event=record.id,
        event_type=record.type,
        key=record.key,
        position=record.place,
        attributes=attributes,
        value=record.value,
        stage=stage,
        reason=reason[:2000],
        attempts=attempts,
    )
    letter = DeadLetter(
        id=id,
        revision=1,
        added_at=now,
        **data.model_dump(exclude={"letter"}),
    )
    told = Event(
        id=derive("dead-lettered", id.hex),
        key=record.key,
        time=now,
        data=data,
        source=f"/hub/{consumer}",
        correlation=event.correlation if event else record.id,
        causation=record.id,
    )
    return told, letter


def _number(text: str | None) -> int | None:
    return int(text) if text else None


class Letters:
    """What operators do with them. `reparse` maps a channel to how its originals are read again."""

    def __init__(self, engine: Engine, clock: Clock, intake: Intake, reparse: Mapping[str, Reparse]) -> None:
        self._engine = engine
        self._clock = clock
        self._intake = intake
        self._reparse = reparse

    # -- dead letters -----------------------------------------------------------------------------------------------

    async def dead_letters(
        self, state: LetterState | None = LetterState.OPEN, limit: int = 50, after: str | None = None
    ) -> Page[DeadLetter]:
        where = (Where("state", "=", state),) if state else ()
        page = await self._engine.find(Query(DEAD_LETTERS, where, ("-added_at",), limit, after))
        return Page([each for each in page.items if isinstance(each, DeadLetter)], page.next)

    async def dead_letter(self, id: UUID) -> DeadLetter:
        found = await self._engine.load(References(documents={DeadLetter: {id}}))
        letter = found.documents.get(id)
        if not isinstance(letter, DeadLetter):
            raise Unknown(said("there is no dead letter {id}", id=id))
        return letter

    async def replay_dead_letter(self, id: UUID, actor: Actor, value: bytes | None = None) -> None:
        """Append the event again, as it was or with edited data, marked `late`. Once in effect: its id is the same."""
        letter = await self._open_letter(id)
        try:
            data = decode(letter.event_type, value or letter.value)
        except Undecodable as error:
            raise Invalid(
                said("the event cannot be read yet: {error}", error=error), {"value": str(error)}
            ) from error
        attributes = letter.attributes
        event = Event(
            id=letter.event,
            key=letter.key,
            time=self._clock.now(),
            data=data,
            source=attributes.get("source", "/hub/letters"),
            correlation=UUID(attributes["correlation"]) if attributes.get("correlation") else letter.event,
            causation=UUID(attributes["causation"]) if attributes.get("causation") else None,
            sequence=_number(attributes.get("sequence")),
            chain=tuple(each for each in attributes.get("chain", "").split(",") if each),
            configuration=_number(attributes.get("configuration")),
            late=True,
        )
        await self._close_letter(letter, LetterState.REPLAYED, actor, [event])

    async def drop_dead_letter(self, id: UUID, actor: Actor) -> None:
        """Give up on it; the original stays on the log."""
        await self._close_letter(await self._open_letter(id), LetterState.DROPPED, actor, [])

    async def _open_letter(self, id: UUID) -> DeadLetter:
        letter = await self.dead_letter(id)
        if letter.state is not LetterState.OPEN:
            raise Stale(
                said("the dead letter was {state} already", state=said(letter.state)),
                {"state": str(letter.state)},
            )
        return letter

    async def _close_letter(
        self, letter: DeadLetter, state: LetterState, actor: Actor, events: list[Event]
    ) -> None:
        closed = letter.model_copy(update={"state": state, "revision": letter.revision + 1})
        data = DeadLetterClosed(letter=letter.id, outcome=str(state), actor=actor)
        told = self._told(data, letter.key, letter.id, letter.revision)
        await self._engine.commit(Step(events=[told, *events], documents=[(closed, letter.revision)]))

    # -- quarantine -------------------------------------------------------------------------------------------------

    async def quarantine(
        self, state: LetterState | None = LetterState.OPEN, limit: int = 50, after: str | None = None
    ) -> Page[QuarantineItem]:
        where = (Where("state", "=", state),) if state else ()
        page = await self._engine.find(Query(QUARANTINE, where, ("-received_at",), limit, after))
        return Page([each for each in page.items if isinstance(each, QuarantineItem)], page.next)

    async def quarantined(self, id: UUID) -> QuarantineItem:
        found = await self._engine.load(References(documents={QuarantineItem: {id}}))
        item = found.documents.get(id)
        if not isinstance(item, QuarantineItem):
            raise Unknown(said("there is nothing in quarantine with the id {id}", id=id))
        return item

    async def original(self, item: QuarantineItem) -> bytes:
        return await self._engine.blob(item.original)

    async def replay_quarantined(self, id: UUID, actor: Actor) -> None:
        """Read the original again. Raises Invalid, with the reason, while it still cannot be read."""
        item = await self._open_item(id)
        reparse = self._reparse.get(item.channel)
        if reparse is None:
            raise Invalid(
                said("the channel {channel} cannot read originals again", channel=said(item.channel))
            )
        accepted = await reparse(await self.original(item), item)
        if accepted.quarantined is not None:
            raise Invalid(said("it still cannot be read: {reason}", reason=accepted.quarantined.reason))
        await self._intake.accept(accepted)
        await self._close_item(item, LetterState.REPLAYED, actor)

    async def drop_quarantined(self, id: UUID, actor: Actor) -> None:
        await self._close_item(await self._open_item(id), LetterState.DROPPED, actor)

    async def _open_item(self, id: UUID) -> QuarantineItem:
        item = await self.quarantined(id)
        if item.state is not LetterState.OPEN:
            raise Stale(said("it was {state} already", state=said(item.state)), {"state": str(item.state)})
        return item

    async def _close_item(self, item: QuarantineItem, state: LetterState, actor: Actor) -> None:
        closed = item.model_copy(update={"state": state, "revision": item.revision + 1})
        data = QuarantineClosed(item=item.id, outcome=str(state), actor=actor)
        told = self._told(data, item.id.hex, item.id, item.revision)
        await self._engine.commit(Step(events=[told], documents=[(closed, item.revision)]))

    def _told(self, data: DeadLetterClosed | QuarantineClosed, key: str, id: UUID, revision: int) -> Event:
        return Event(
            id=derive("closed", id.hex, str(revision)),
            key=key,
            time=self._clock.now(),
            data=data,
            source="/hub/letters",
            correlation=id,
        )
