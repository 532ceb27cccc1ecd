"""Originals read again by today's parsers: what would be different, told before anything is, and then as edits of the messages.

What is on the log stays as it was. With `apply` a message that reads differently gets an edit, by the system, whose id derives from
what it says: applying twice changes nothing more. What lay in quarantine and can be read now is taken in as if it came today.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from connectors.kit.channel import Reparse
from connectors.kit.hooks import WHOLE
from connectors.kit.intake import Accepted, Intake, interaction_event
from hub.letters import Letters
from schemas.codec import encode
from schemas.errors import Conflict, HubbubError, Outage, Refused
from schemas.events import Actor, Event
from schemas.ids import derive, sha256
from schemas.interactions import Content, InteractionEdited, InteractionReceived, Part
from schemas.letters import QuarantineItem
from schemas.message_changes import MessageChanges, Way, changes_id
from schemas.ports import Clock, Engine
from schemas.steps import START, References, Step
from schemas.topics import Topic

PAGE = 200
SHOWN_CHARACTERS = 300
COMPARED = ("kind", "participants", "parents", "numbers", "flags")
"""Beside the content and the attachments. What an envelope told is not kept with a message, and not compared."""
Line = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that reads differently."""

    field: str
    was: str
    now: str


class Reparsing:
    """`reparse`: channel -> how its originals are read."""

    def __init__(
        self, engine: Engine, clock: Clock, intake: Intake, letters: Letters, reparse: Mapping[str, Reparse]
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._intake = intake
        self._letters = letters
        self._reparse = reparse

    async def run(
        self, since: datetime, channel: str | None, actor: Actor, *, apply: bool
    ) -> AsyncIterator[Line]:
        """A line for each item that reads differently, or cannot be read any more, and the counts as the last one."""
        counts: Counter[str] = Counter()
        async for event, data in self._messages(since, channel):
            counts["messages"] += 1
            line = await self._compared(event, data, apply=apply)
            counts[str(line["result"])] += 1
            if line["result"] != "same":
                yield line
        async for line in self._quarantined(since, channel, actor, apply=apply):
            counts["quarantined"] += 1
            counts[str(line["result"])] += 1
            if line["result"] != "still unreadable":
                yield line
        yield {"result": "applied" if apply else "compared", **counts}

    # -- messages -----------------------------------------------------------------------------------------------------

    async def _messages(
        self, since: datetime, channel: str | None
    ) -> AsyncIterator[tuple[Event, InteractionReceived]]:
        position, seen = START, set[UUID]()
        while records := await self._engine.scan((Topic.INTERACTIONS,), position, PAGE):
            position = records[-1].position
            for record in records:
                event = record.event
                if event is None or not isinstance(event.data, InteractionReceived) or event.id in seen:
                    continue
                if event.data.received_at >= since and channel in (None, event.data.channel):
                    seen.add(event.id)
                    yield event, event.data

    async def _compared(self, event: Event, data: InteractionReceived, *, apply: bool) -> Line:
        about = {"event": str(event.id), "channel": data.channel, "account": data.account}
        try:
            accepted = await self._read(data)
        except Outage:
            raise
        except HubbubError as error:
            return {**about, "result": "unreadable", "reason": str(error)[:SHOWN_CHARACTERS]}
        now = next((each for each in accepted.interactions if each.part.index == data.part.index), None)
        if accepted.quarantined is not None or now is None:
            reason = accepted.quarantined.reason if accepted.quarantined else "it has fewer parts"
            return {**about, "result": "unreadable", "reason": reason[:SHOWN_CHARACTERS]}
        if not isinstance(now, InteractionReceived):
            return {**about, "result": "another", "reason": f"it would be {now.type}"}
        found = differences(data, now)
        if not found:
            return {**about, "result": "same"}
        fields = {each.field: {"was": each.was, "now": each.now} for each in found}
        if apply:
            await self._edit(event, data, now, accepted)
        return {**about, "result": "different", "fields": fields}

    async def _read(self, data: InteractionReceived) -> Accepted:
        reparse = self._reparse.get(data.channel)
        if reparse is None:
            raise Refused(f"the channel {data.channel} is not set up, or cannot read originals again")
        original = await self._engine.blob(data.original)
        return await reparse(original, _as_kept(data))

    async def _edit(
        self, event: Event, data: InteractionReceived, now: InteractionReceived, accepted: Accepted
    ) -> None:
        """The edit, and with it where its message is: readers then show the new text, the log keeps both."""
        digest = sha256(encode(now.model_copy(update={"received_at": data.received_at})))
        edit = InteractionEdited(
            part=Part(item=derive("read again", event.id.hex, digest)),
            channel=data.channel,
            account=data.account,
            brand=data.brand,
            conversation=data.conversation,
            occurred_at=self._clock.now(),
            received_at=self._clock.now(),
            original=data.original,
            external_id=f"reparse:{event.id}:{digest[:16]}",
            target=data.external_id,
            content=now.content,
            attachments=now.attachments,
        )
        step = Step(blobs=list(accepted.blobs), events=[interaction_event(edit)])
        place = await self._place(event, data)
        if place is None:
            await self._engine.commit(step)
            return
        try:
            await self._engine.commit(Step(blobs=step.blobs, events=step.events, documents=[(place, 0)]))
        except Conflict:  # it is known already
            await self._engine.commit(step)

    async def _place(self, event: Event, data: InteractionReceived) -> MessageChanges | None:
        """Where the message is, as it is noted of those that may change from the beginning."""
        id = changes_id(data.external_id)
        references = References(threads={data.external_id})
        references.want(MessageChanges, id)
        found = await self._engine.load(references)
        if id in found.documents or data.external_id not in found.threads:
            return None
        return MessageChanges(
            id=id,
            revision=1,
            external_id=data.external_id,
            noted_at=self._clock.now(),
            case=found.threads[data.external_id],
            entry=event.id,
            way=Way(channel=data.channel, account=data.account, conversation=data.conversation),
        )

    # -- quarantine -----------------------------------------------------------------------------------------------------

    async def _quarantined(
        self, since: datetime, channel: str | None, actor: Actor, *, apply: bool
    ) -> AsyncIterator[Line]:
        after: str | None = None
        while True:
            page = await self._letters.quarantine(limit=PAGE, after=after)
            for item in page.items:
                if item.received_at >= since and channel in (None, item.channel):
                    yield await self._tried(item, actor, apply=apply)
            after = page.next
            if after is None:
                return

    async def _tried(self, item: QuarantineItem, actor: Actor, *, apply: bool) -> Line:
        about = {"item": str(item.id), "channel": item.channel, "account": item.account}
        reparse = self._reparse.get(item.channel)
        try:
            accepted = None if reparse is None else await reparse(await self._letters.original(item), item)
            if accepted is None or accepted.quarantined is not None:
                return {**about, "result": "still unreadable"}
            if apply:
                await self._letters.replay_quarantined(item.id, actor)
        except Refused:
            return {**about, "result": "still unreadable"}
        return {**about, "result": "readable now", "events": len(accepted.interactions)}


def differences(was: InteractionReceived, now: InteractionReceived) -> list[Difference]:
    """Fields that read differently: of the content each by itself, attachments by name, type and bytes."""
    found: list[Difference] = []
    for name in Content.model_fields:
        found += _differs(f"content.{name}", getattr(was.content, name), getattr(now.content, name))
    found += _differs("attachments", _files(was), _files(now))
    for name in COMPARED:
        found += _differs(name, getattr(was, name), getattr(now, name))
    return found


def _differs(field: str, was: object, now: object) -> list[Difference]:
    if was == now:
        return []
    first, second = str(was), str(now)
    start = next((i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), 0)
    start = max(0, start - 40)
    shown = slice(start, start + SHOWN_CHARACTERS)
    return [Difference(field, first[shown], second[shown])]


def _files(data: InteractionReceived) -> Sequence[tuple[str, str, str]]:
    return [(each.name, each.media_type, each.blob.sha256 if each.blob else "") for each in data.attachments]


def _as_kept(data: InteractionReceived) -> QuarantineItem:
    """As it would lie in quarantine: what the transport knew is not kept with a message."""
    facts = {"account": data.account, "content-type": data.original.media_type, WHOLE: "1"}
    return QuarantineItem(
        id=data.part.item,
        channel=data.channel,
        account=data.account,
        original=data.original,
        stage="reparse",
        reason="",
        received_at=data.received_at,
        envelope={**facts, "webhook-id": "reparse:" + data.part.item.hex},
    )
