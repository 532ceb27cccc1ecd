"""What intake writes through while there is a spool: to the engine, and to the disk while the engine does not take it.

As long as anything waits here, everything goes behind it, so later items of a conversation never overtake earlier ones. An item
whose writing was cut off may be on the log already; there it has the same id, and counts once.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol
from uuid import UUID

from schemas.accounts import AnsweredRequest
from schemas.crash import crash_point
from schemas.documents import Document
from schemas.errors import Conflict, Never, Outage
from schemas.events import Event
from schemas.ids import derive
from schemas.interactions import InteractionReceived
from schemas.letters import QuarantineItem
from schemas.parking import Quarantined
from schemas.ports import Clock
from schemas.steps import Found, References, Step
from sinks.mongo.values import micros
from sinks.spool.codec import from_bytes, item_of, to_bytes
from sinks.spool.file import Figures, SpoolFile, Waiting, look
from sinks.spool.settings import SpoolSettings

log = logging.getLogger("hubbub.spool")

FORWARD_AT_ONCE = 100
FORWARD_BYTES = 8 * 1024**2
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 5.0
FORWARD_SECONDS = 60.0
"""So long a batch may take on a slow log before it is tried again."""
EVENT, DOCUMENT = "event:", "document:"


class Keeper(Protocol):
    """The part of the engine that intake uses."""

    async def commit(self, step: Step) -> None: ...

    async def load(self, references: References) -> Found: ...


class Spool:
    """Stands for the engine before intake. Until `start`, and where nothing waits, it is the engine."""

    def __init__(self, engine: Keeper, settings: SpoolSettings, clock: Clock) -> None:
        self._engine = engine
        self._settings = settings
        self._clock = clock
        self._file: SpoolFile | None = None
        self._arrived = asyncio.Event()
        self._forwarding: asyncio.Task[None] | None = None
        self.spooled = 0
        """Items that went to the disk since the start."""

    @property
    def folder(self) -> Path:
        return self._settings.folder

    def figures(self) -> Figures:
        return self._file.figures if self._file is not None else Figures()

    async def start(self) -> None:
        """Takes the folder for this process and begins to hand on what was left. Raises Outage where it cannot be taken."""
        self._file = await SpoolFile.open(self._settings.folder)
        if self._file.figures.items:
            log.warning("%d items wait in the spool", self._file.figures.items)
            self._arrived.set()
        self._forwarding = asyncio.create_task(self._forward())

    async def stop(self) -> None:
        """What waits stays on the disk. Calling it again does nothing."""
        if self._forwarding is not None:
            self._forwarding.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._forwarding
        file, self._file = self._file, None
        if file is not None:
            await file.close()

    # -- as the engine ------------------------------------------------------------------------------------------------

    async def commit(self, step: Step) -> None:
        """Durable when it returns, there or here. Raises Conflict as the engine does, Outage where neither takes it."""
        file = self._file
        if file is None:
            await self._engine.commit(step)
            return
        if file.figures.items == file.figures.stuck:  # nothing waits that will go on
            try:
                async with asyncio.timeout(self._settings.after_seconds):
                    await self._engine.commit(step)
            except (Outage, TimeoutError) as outage:
                log.warning("items go to the spool: %s", str(outage) or "the log and the store take too long")
            else:
                return
        await self._append(file, step)

    async def load(self, references: References) -> Found:
        """What is here, and what the engine has of the rest. Raises Outage where the rest is not known."""
        found = Found(asked=references)
        rest = references
        if self._file is not None and self._file.figures.items:
            found, rest = await self._here(self._file, references)
        if rest:
            found.absorb(rest, await self._engine.load(rest))
        return found

    async def _append(self, file: SpoolFile, step: Step) -> None:
        held = await file.named([f"{DOCUMENT}{document.id}" for document, _ in step.documents])
        if held:
            raise Conflict(f"{next(iter(held)).removeprefix(DOCUMENT)} waits in the spool")
        events = [f"{EVENT}{each.id}" for each in step.events]
        if events and len(await file.named(events)) == len(set(events)):
            return  # the source gave it again
        body = await asyncio.to_thread(to_bytes, step)
        if file.figures.size + len(body) > self._settings.max_bytes:
            raise Outage("the spool is full; give it more (spool.max_bytes), or bring Kafka and MongoDB back")
        names = dict.fromkeys(events, b"")
        names |= {f"{DOCUMENT}{each.id}": each.model_dump_json().encode() for each, _ in step.documents}
        await file.append(body, micros(self._clock.now()), names)
        self.spooled += 1
        self._arrived.set()

    async def _here(self, file: SpoolFile, references: References) -> tuple[Found, References]:
        found, rest = Found(asked=references), References()
        rest.absorb(references)
        kinds: dict[UUID, type[Document]] = {
            id: kind
            for kind in (AnsweredRequest, QuarantineItem)
            for id in references.documents.get(kind, ())
        }
        kept = await file.named(
            [*(f"{DOCUMENT}{id}" for id in kinds), *(f"{EVENT}{id}" for id in references.handled)]
        )
        for name, value in kept.items():
            id = UUID(name.partition(":")[2])
            if name.startswith(EVENT):
                found.handled.add(id)
                rest.handled.discard(id)
            else:
                found.documents[id] = kinds[id].model_validate_json(value)
                rest.documents[kinds[id]].discard(id)
        return found, rest

    # -- handing on -----------------------------------------------------------------------------------------------------

    async def _forward(self) -> None:
        """In order, for ever. An outage is waited for; it is told when all is handed on."""
        pause = FIRST_PAUSE_SECONDS
        while self._file is not None:
            await self._arrived.wait()
            try:
                async with asyncio.timeout(FORWARD_SECONDS):
                    is_empty = await self._next(self._file)
            except (Outage, TimeoutError):
                self._arrived.set()
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE_SECONDS, pause * 2)
                continue
            except Exception:
                log.exception("items in the spool could not be handed on; they are tried again")
                self._arrived.set()
                await asyncio.sleep(LONGEST_PAUSE_SECONDS)
                continue
            pause = FIRST_PAUSE_SECONDS
            if is_empty:
                log.info("the spool is empty: all was handed on")

    async def _next(self, file: SpoolFile) -> bool:
        """Hands on what came first; whether nothing is left."""
        self._arrived.clear()
        together: list[tuple[Waiting, Step]] = []
        alone: tuple[Waiting, Step] | None = None
        size = 0
        for each in await file.first(FORWARD_AT_ONCE, FORWARD_BYTES):
            step = await self._read(file, each)
            if step is None:
                continue
            if step.documents:  # it may conflict, so it goes alone
                alone = (each, step)
                break
            together.append((each, step))
            size += len(each.body)
            if size > FORWARD_BYTES:
                break
        if together:
            await self._hand_on(file, [each for each, _ in together], [step for _, step in together])
        elif alone is not None:
            await self._hand_on_alone(file, *alone)
        if file.figures.items > file.figures.stuck:
            self._arrived.set()
            return False
        return bool(together or alone)

    async def _read(self, file: SpoolFile, waiting: Waiting) -> Step | None:
        try:
            if not waiting.is_whole:
                raise Never("its bytes are not those that were written")
            return await asyncio.to_thread(from_bytes, waiting.body)
        except Never as error:
            log.error("item %d of the spool cannot be handed on and stays: %s", waiting.number, error)
            await file.set_aside(waiting.number, str(error))
            return None

    async def _hand_on(self, file: SpoolFile, waiting: Sequence[Waiting], steps: Sequence[Step]) -> None:
        joined = Step(
            events=[event for step in steps for event in step.events],
            blobs=[blob for step in steps for blob in step.blobs],
        )
        try:
            await self._engine.commit(joined)
        except Never as error:
            if len(waiting) > 1:  # find out which
                for each, step in zip(waiting, steps, strict=True):
                    await self._hand_on(file, [each], [step])
                return
            log.error("item %d of the spool is not taken and stays: %s", waiting[0].number, error)
            await file.set_aside(waiting[0].number, str(error))
            return
        crash_point("spool.after-forwarding")
        await file.remove(each.number for each in waiting)

    async def _hand_on_alone(self, file: SpoolFile, waiting: Waiting, step: Step) -> None:
        """An item with an answer, or with its place in quarantine, which the store may hold from before."""
        try:
            try:
                await self._engine.commit(step)
            except Conflict:
                await self._engine.commit(await self._told_before(step))
        except Never as error:
            log.error("item %d of the spool is not taken and stays: %s", waiting.number, error)
            await file.set_aside(waiting.number, str(error))
            return
        crash_point("spool.after-forwarding")
        await file.remove([waiting.number])

    async def _told_before(self, step: Step) -> Step:
        """The step without documents that are there. Where its key was used for something else before, it goes to quarantine:
        its sender was told that it is kept."""
        references = References()
        for document, _ in step.documents:
            references.want(type(document), document.id)
        found = (await self._engine.load(references)).documents
        for document, _ in step.documents:
            kept = found.get(document.id)
            if (
                isinstance(document, AnsweredRequest)
                and isinstance(kept, AnsweredRequest)
                and kept.digest != document.digest
            ):
                return _quarantined(step)
        return replace(step, documents=[each for each in step.documents if each[0].id not in found])


def _quarantined(step: Step) -> Step:
    event = step.events[0]
    data = event.data
    assert isinstance(data, InteractionReceived)
    reason = "its Idempotency-Key was used for something else while the store could not be asked"
    item = derive("spooled", str(event.id), *(blob.ref.sha256 for blob in step.blobs))
    told = Quarantined(
        item=item,
        channel=data.channel,
        account=data.account,
        original=data.original,
        stage="verify",
        reason=reason,
        received_at=data.received_at,
    )
    kept = QuarantineItem(
        id=item,
        channel=data.channel,
        account=data.account,
        original=data.original,
        stage="verify",
        reason=reason,
        received_at=data.received_at,
    )
    id = derive("quarantined", item.hex)
    said = Event(id=id, key=item.hex, time=data.received_at, data=told, source=event.source, correlation=id)
    return replace(step, events=[said], documents=[(kept, 0)])


def spooled_items(folder: Path) -> tuple[set[UUID], list[str]]:
    """The items that wait in a spool, and what is wrong with any of them; whoever has the folder."""
    items: set[UUID] = set()
    faults: list[str] = []
    for each in look(folder):
        try:
            if not each.is_whole:
                raise Never("was altered")
            step = from_bytes(each.body)
        except Never as error:
            faults.append(f"spool: item {each.number}: {error}")
            continue
        if each.problem:
            faults.append(f"spool: item {each.number} cannot be handed on: {each.problem}")
        items |= {item for event in step.events if (item := item_of(event)) is not None}
    return items, faults
