"""The configuration in force: each version immutable, compiled once, old ones kept for explanation and replay."""

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from functools import cached_property

from processors.automation import Automations
from processors.routing import Router
from schemas.collections import CONFIGURATIONS
from schemas.configuration import Configuration, ConfigurationPublished, Origin
from schemas.documents import PublishedConfiguration
from schemas.errors import Conflict, Outage, Stale, Unknown
from schemas.events import Actor, Event
from schemas.ids import derive, effect_id
from schemas.ports import Clock, Engine
from schemas.sentences import said
from schemas.steps import Query, Step, Where

log = logging.getLogger("hubbub.company")

FOLLOW_SECONDS = 1.0


@dataclass(frozen=True)
class Version:
    """One version with its compiled parts."""

    number: int
    configuration: Configuration

    @cached_property
    def router(self) -> Router:
        return Router(self.configuration, self.number)

    @cached_property
    def automations(self) -> Automations:
        return Automations(self.configuration, self.number)

    def compile(self) -> None:
        """Now, and not when the first event needs it. Raises what is wrong."""
        self.router, self.automations  # noqa: B018


def _overtaken(number: int) -> Stale:
    return Stale(
        said(
            "version {number} was published by somebody else meanwhile; look at it and publish again",
            number=number,
        ),
        {"version": number},
    )


class Company:
    """Holds the current version; `publish` makes the next one, `follow` takes over what others publish.

    A batch is decided under one version and says which.
    """

    def __init__(self, engine: Engine, clock: Clock, current: Version) -> None:
        self._engine = engine
        self._clock = clock
        self._versions = {current.number: current}
        self._refused = 0
        """A version that cannot be compiled here, such as one of a newer Hubbub: the one before stays in force."""
        self._stopping = asyncio.Event()
        self.current = current

    @classmethod
    async def open(cls, engine: Engine, clock: Clock) -> "Company":
        """The company as last published; version 0, the built-in one, when nothing was."""
        page = await engine.find(Query(CONFIGURATIONS, order=("-number",), limit=1))
        if not page.items:
            return cls(engine, clock, Version(0, Configuration()))
        latest = page.items[0]
        assert isinstance(latest, PublishedConfiguration)
        return cls(engine, clock, Version(latest.number, latest.configuration))

    async def publish(
        self,
        configuration: Configuration,
        actor: Actor,
        *,
        over: int | None = None,
        note: str = "",
        origin: Origin = Origin.FILE,
        back_to: int | None = None,
    ) -> Version:
        """Make this the version in force, unless it already is. Durable before it takes effect.

        `over` is the version that it was made from. Raises Stale when another one is in force.
        """
        if over is not None and over != self.current.number:
            raise _overtaken(self.current.number)
        if configuration == self.current.configuration and self.current.number > 0:
            return self.current
        number = self.current.number + 1
        published = PublishedConfiguration(
            id=derive("configuration", str(number)),
            number=number,
            configuration=configuration,
            actor=actor,
            published_at=self._clock.now(),
            note=note,
            origin=origin,
            back_to=back_to,
        )
        data = ConfigurationPublished.model_validate(
            {name: getattr(published, name) for name in ConfigurationPublished.model_fields}
        )
        event = Event(
            id=effect_id(published.id, "configuration", 0),
            key="company",
            time=published.published_at,
            data=data,
            source="/hub/configuration",
            correlation=published.id,
        )
        version = Version(number, configuration)
        version.compile()  # before it is in force: a fault shows here
        try:
            await self._engine.commit(Step(events=[event], documents=[(published, 0)]))
        except Conflict as conflict:
            await self.catch_up()
            if self.current.configuration == configuration:
                return self.current
            raise _overtaken(self.current.number) from conflict
        self._put_in_force(version)
        return version

    def _put_in_force(self, version: Version) -> None:
        self._versions[version.number] = version
        if version.number > self.current.number:
            self.current = version

    async def catch_up(self) -> bool:
        """Put in force what another process has published. True when something was. Raises Outage."""
        beyond = Where("number", ">", max(self.current.number, self._refused))
        page = await self._engine.find(Query(CONFIGURATIONS, (beyond,), ("-number",), limit=1))
        if not page.items:
            return False
        latest = page.items[0]
        assert isinstance(latest, PublishedConfiguration)
        version = Version(latest.number, latest.configuration)
        try:
            version.compile()
        except Exception:
            self._refused = latest.number
            log.exception(
                "version %d of the configuration cannot be used; %d stays in force here",
                latest.number,
                self.current.number,
            )
            return False
        self._put_in_force(version)
        return True

    async def follow(self) -> None:
        """Until `stop`: takes over what other processes publish, a second later at most while the store answers."""
        while not self._stopping.is_set():
            try:
                if await self.catch_up():
                    log.info("version %d of the configuration is in force", self.current.number)
            except Outage as outage:
                log.debug("the configuration is looked at later: %s", outage)
            except Exception:
                log.exception("looking for the configuration failed and is tried again")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), FOLLOW_SECONDS)

    def stop(self) -> None:
        self._stopping.set()

    async def version(self, number: int) -> Version:
        """An older version, for explanation and replay."""
        if number not in self._versions:
            self._versions[number] = await self._load(number)
        return self._versions[number]

    async def _load(self, number: int) -> Version:
        if number == 0:
            return Version(0, Configuration())
        page = await self._engine.find(Query(CONFIGURATIONS, (Where("number", "=", number),), limit=1))
        if not page.items:
            raise Unknown(said("there is no version {number} of the configuration", number=number))
        published = page.items[0]
        assert isinstance(published, PublishedConfiguration)
        return Version(number, published.configuration)

    def has_queue(self, name: str) -> bool:
        return any(queue.name == name for queue in self.current.configuration.queues)
