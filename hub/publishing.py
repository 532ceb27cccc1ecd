"""The configuration in force, and how the next one comes into force: checked whole, published, or refused whole."""

from collections.abc import Mapping

from hub.company import Company
from processors.configuration import problems
from schemas.collections import CONFIGURATIONS
from schemas.configuration import Configuration
from schemas.documents import PublishedConfiguration
from schemas.errors import Invalid, Unknown
from schemas.events import Actor
from schemas.ports import Engine
from schemas.steps import Page, Query, Where


class Publishing:
    """Implements hub.http.context.Publisher."""

    def __init__(self, engine: Engine, company: Company) -> None:
        self._engine = engine
        self._company = company

    async def current(self) -> PublishedConfiguration | None:
        number = self._company.current.number
        return await self.version(number) if number else None

    async def versions(self, limit: int = 50, after: str | None = None) -> Page[PublishedConfiguration]:
        page = await self._engine.find(Query(CONFIGURATIONS, order=("-number",), limit=limit, after=after))
        return Page([each for each in page.items if isinstance(each, PublishedConfiguration)], page.next)

    async def version(self, number: int) -> PublishedConfiguration:
        page = await self._engine.find(Query(CONFIGURATIONS, (Where("number", "=", number),), limit=1))
        for each in page.items:
            if isinstance(each, PublishedConfiguration):
                return each
        raise Unknown(f"there is no version {number} of the configuration")

    def problems(self, configuration: Configuration) -> Mapping[str, str]:
        return {each.path: each.message for each in problems(configuration)}

    async def publish(self, configuration: Configuration, actor: Actor) -> int:
        found = self.problems(configuration)
        if found:
            raise Invalid(f"the configuration has {len(found)} problems; the old one stays in force", found)
        version = await self._company.publish(configuration, actor)
        return version.number
