"""What the contract suite stands on: a channel under test, its source played, and the engine behind it watched.

A rig says how a source gives things to this one channel and what the channel's other side does with what we send. Whatever a
channel cannot do, its rig answers with None, and the suite says `not applicable`.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar, cast
from uuid import UUID

from connectors.kit.channel import Channel, Opened, Surroundings
from connectors.kit.cursors import Cursors
from connectors.kit.downloads import Downloads
from connectors.kit.hooks import Hook, HookRequest, serve
from connectors.kit.intake import Intake
from connectors.kit.kept import Kept
from connectors.kit.media import MediaSettings
from schemas.capabilities import Capabilities
from schemas.crash import Crashed
from schemas.errors import Outage
from schemas.events import Actor, Event
from schemas.ids import derive, sha256
from schemas.interactions import InteractionEvent, InteractionReceived, Role
from schemas.outbound import OutboundMessage
from schemas.parking import Quarantined
from schemas.ports import Engine
from schemas.steps import START, Step
from schemas.topics import Topic

INTAKE_POINTS = ("intake.after-original", "intake.before-commit", "intake.before-acknowledge")
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
AGENT = Actor(kind="agent", id="mia", name="Mia")


class Told(StrEnum):
    """What a source takes our answer for."""

    DONE = "done"  # it will not give this again
    AGAIN = "again"  # it keeps it and tries again
    NO = "no"  # it was refused, and is the sender's to put right


class Send(StrEnum):
    """What the other side does with the next message that we send."""

    TAKES = "takes a message"
    REFUSES = "refuses a message for good"
    LIMITS = "takes no more for 7 seconds"
    DOWN = "cannot be reached"
    LOSES = "took a message, before its answer is lost"
    BREAKS = "took a message, before it failed itself (5xx)"
    REJECTS_US = "does not know our credentials"


@dataclass(frozen=True, slots=True)
class Given:
    """One thing that a source gives, the same however often. `name` is the rig's own, `extra` whatever it needs besides."""

    name: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    extra: Any = None


class Clock:
    """Stands still until told to go on."""

    def __init__(self) -> None:
        self.time = MONDAY

    def now(self) -> datetime:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class Watched:
    """An engine whose commits can be held up or made to fail. Everything else is the engine's own."""

    def __init__(self, inner: Engine) -> None:
        self._inner = inner
        self.is_down = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.reached = asyncio.Event()

    async def commit(self, step: Step) -> None:
        self.reached.set()
        await self.gate.wait()
        if self.is_down:
            raise Outage("the log does not answer", retry_after_seconds=1)
        await self._inner.commit(step)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class House:
    """What a channel is given in the suite, and what is on the log behind it."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self.clock = clock
        self.watched = Watched(engine)
        self.engine = cast(Engine, self.watched)
        self.intake = Intake(self.engine, clock)
        self._downloads = Downloads(MediaSettings(), self.engine.put_blob)

    def around(self) -> Surroundings:
        return Surroundings(
            intake=self.intake,
            clock=self.clock,
            cursors=Cursors(self.engine, self.clock),
            fetch_blob=self.engine.blob,
            secret=lambda purpose: sha256(purpose.encode()).encode()[:32],
            downloads=self._downloads,
            public_url="https://forms.example",
            kept=Kept(self.engine),
        )

    async def close(self) -> None:
        await self._downloads.close()

    async def events(self) -> list[Event]:
        """Each event of intake once, in the order of the log: the log may hold an id twice."""
        records = await self.engine.scan((Topic.INTERACTIONS, Topic.QUARANTINE), START, 10_000)
        return list({each.event.id: each.event for each in records if each.event is not None}.values())

    async def interactions(self) -> list[InteractionEvent]:
        return [each.data for each in await self.events() if isinstance(each.data, InteractionEvent)]

    async def received(self) -> list[InteractionReceived]:
        return [each for each in await self.interactions() if isinstance(each, InteractionReceived)]

    async def quarantined(self) -> list[Quarantined]:
        return [each.data for each in await self.events() if isinstance(each.data, Quarantined)]


class Rig:
    """Subclass it for a channel. `settings` is the channel's section; `account` the account under test."""

    channel: ClassVar[Channel[Any]]
    account: ClassVar[str] = "main"
    secrets: ClassVar[Sequence[str]] = ()
    """Of the settings: they must show up nowhere."""
    crash_points: ClassVar[Sequence[str]] = INTAKE_POINTS
    """Places between two steps of taking a message in, at which the process may end and the source keeps the message."""
    opened: Opened

    def __init__(self) -> None:
        self.left: list[Given] = []

    def settings(self) -> Mapping[str, Any]:
        raise NotImplementedError

    @property
    def capabilities(self) -> Capabilities:
        return self.opened.capabilities.get(self.account, self.channel.capabilities)

    # -- life -------------------------------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Once, before the channel is opened: start a stand-in here."""

    async def end(self) -> None:
        """Once, after all."""

    async def open(self, house: House) -> None:
        settings = self.channel.settings.model_validate(self.settings())
        self.opened = self.channel.open(settings, house.around())
        for connector in self.opened.connectors:
            await connector.start()

    async def close(self) -> None:
        for connector in self.opened.connectors:
            await connector.stop(1)
        await self.opened.close()

    # -- the source -------------------------------------------------------------------------------------------------

    async def give(self, given: Given) -> Told:
        """What the source is told. For a source that is fetched from: DONE once the cursor has passed it."""
        raise NotImplementedError

    async def leave(self, given: Given) -> None:
        """The source has this while we are away; when we are back it comes by itself, or is given again."""
        self.left.append(given)

    async def come_back(self) -> None:
        """We are open again: returns when all that was left has come."""
        left, self.left = self.left, []
        for each in left:
            assert await self.give(each) is Told.DONE

    def message(self, name: str, text: str = "Where is my order?", thread: str = "") -> Given:
        """A customer's message. `thread` names the first message of the conversation that it belongs to; empty: its own."""
        raise NotImplementedError

    def edited(self, of: Given, text: str, by: str = "author") -> Given | None:
        """`by` is `author` or `other`."""
        return None

    def deleted(self, of: Given, by: str = "author") -> Given | None:
        return None

    def reaction(self, of: Given, by: str = "other") -> Given | None:
        return None

    def malformed(self) -> Given | None:
        """From the source itself, and of no shape that the channel knows. None: whatever comes can be read."""
        return None

    def forged(self, given: Given) -> Given | None:
        """The same, not from the source. None: nothing proves who sends."""
        return None

    def by_second_secret(self, given: Given) -> Given | None:
        """The same, proven by the other one of two secrets. None: there are no secrets."""
        return None

    async def echo(self, message: OutboundMessage) -> Given | None:
        """A message of ours, as it comes back after it was sent. None: it does not."""
        return None

    # -- the other side of what we send --------------------------------------------------------------------------------

    async def prepare(self, what: Send) -> bool:
        """What happens to the next message. False: that cannot happen with this channel."""
        return False

    async def arrived(self) -> list[str]:
        """Texts that the other side has from us, as often as it has them."""
        raise NotImplementedError

    def outbound(self, received: InteractionReceived, text: str, name: str = "answer") -> OutboundMessage:
        """An answer to a message that is on the log."""
        sender = received.sender
        to = () if sender is None else (sender.model_copy(update={"role": Role.TO}),)
        return OutboundMessage(
            message=derive("contract", name),
            case=UUID(int=7),
            channel=self.channel.name,
            account=self.account,
            brand=received.brand,
            conversation=received.conversation,
            recipients=to,
            subject="Re: Order" if self.capabilities.subject else "",
            text=text,
            in_reply_to=received.external_id,
            references=(received.external_id,),
            author=AGENT,
            queued_at=MONDAY,
        )


class HookRig(Rig):
    """A channel whose source calls a webhook. `Given.headers` are those of the signed request."""

    @property
    def hook(self) -> Hook:
        return self.opened.hooks[self.account]

    async def give(self, given: Given) -> Told:
        request = HookRequest("POST", given.headers, given.body, self.hook.receiver.intake.clock.now())
        try:
            answer = await serve(self.hook, request)
        except Crashed:
            return Told.AGAIN  # the process ended: the source was told nothing
        if answer.status < 300:
            return Told.DONE
        return Told.NO if answer.status < 500 and answer.status != 429 else Told.AGAIN


async def until(condition: Any, seconds: float = 10) -> None:
    """Waits until an asynchronous condition holds; for sources that deliver in their own time."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110  the other side has no event of ours
            await asyncio.sleep(0.01)


async def cancelled(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, Crashed):
        await task
