"""The configuration in force: each version immutable, compiled once, old ones kept for explanation and replay."""

from dataclasses import dataclass
from functools import cached_property

from processors.automation import Automations
from processors.routing import Router
from schemas.configuration import Configuration, ConfigurationPublished
from schemas.documents import CONFIGURATIONS, PublishedConfiguration
from schemas.errors import Unknown
from schemas.events import Actor, Event
from schemas.ids import derive, effect_id
from schemas.ports import Clock, Engine, Query, Step, Where


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


class Company:
    """Holds the current version; `publish` makes the next one. A batch is decided under one version and says which."""

    def __init__(self, engine: Engine, clock: Clock, current: Version) -> None:
        self._engine = engine
        self._clock = clock
        self._versions = {current.number: current}
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

    async def publish(self, configuration: Configuration, actor: Actor) -> Version:
        """Make this the version in force, unless it already is. Durable before it takes effect."""
        if configuration == self.current.configuration and self.current.number > 0:
            return self.current
        number = self.current.number + 1
        now = self._clock.now()
        published = PublishedConfiguration(
            id=derive("configuration", str(number)),
            number=number,
            configuration=configuration,
            actor=actor,
            published_at=now,
        )
        data = ConfigurationPublished(
            number=number, configuration=configuration, actor=actor, published_at=now
        )
        event = Event(
            id=effect_id(published.id, "configuration", 0),
            key="company",
            time=now,
            data=data,
            source="/hub/configuration",
            correlation=published.id,
        )
        version = Version(number, configuration)
        version.router, version.automations  # noqa: B018  compiled before it is in force: a fault shows here
        await self._engine.commit(Step(events=[event], documents=[(published, 0)]))
        self._versions[number] = version
        self.current = version
        return version

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
            raise Unknown(f"there is no version {number} of the configuration")
        published = page.items[0]
        assert isinstance(published, PublishedConfiguration)
        return Version(number, published.configuration)

    def has_queue(self, name: str) -> bool:
        return any(queue.name == name for queue in self.current.configuration.queues)
