"""The configuration in force, and how the next one comes into force: checked whole, published, or refused whole."""

import asyncio
from collections.abc import Mapping

from hub.company import Company
from processors.configuration import problems
from schemas.collections import CONFIGURATIONS
from schemas.configuration import Configuration, Origin
from schemas.documents import PublishedConfiguration
from schemas.errors import Invalid, Stale, Unknown
from schemas.events import Actor
from schemas.ports import Engine
from schemas.sentences import said
from schemas.steps import Page, Query, Where


def parts_of_file(configuration: Configuration) -> Mapping[str, object]:
    """What belongs to accounts and secrets of the settings file, and what only administrators change: which brands there are, webhooks."""
    return {"brands": {each.name for each in configuration.brands}, "webhooks": configuration.webhooks}


def with_parts_of_file(configuration: Configuration, file: Configuration) -> Configuration:
    """The configuration with the parts that no form edits as the file has them. Brands that it has keep their texts."""
    edited = {each.name: each for each in configuration.brands}
    brands = tuple(edited.get(each.name, each) for each in file.brands)
    return configuration.model_copy(update={"brands": brands, "webhooks": file.webhooks})


class Publishing:
    """The versions of the configuration, and the way to the next one."""

    def __init__(self, engine: Engine, company: Company) -> None:
        self._engine = engine
        self._company = company

    async def current(self) -> PublishedConfiguration | None:
        """None while the built-in one is in force."""
        number = self._company.current.number
        return await self.version(number) if number else None

    async def versions(self, limit: int = 50, after: str | None = None) -> Page[PublishedConfiguration]:
        page = await self._engine.find(Query(CONFIGURATIONS, order=("-number",), limit=limit, after=after))
        return Page([each for each in page.items if isinstance(each, PublishedConfiguration)], page.next)

    async def version(self, number: int) -> PublishedConfiguration:
        """Raises Unknown when there is none."""
        page = await self._engine.find(Query(CONFIGURATIONS, (Where("number", "=", number),), limit=1))
        for each in page.items:
            if isinstance(each, PublishedConfiguration):
                return each
        raise Unknown(said("there is no version {number} of the configuration", number=number))

    def problems(self, configuration: Configuration) -> Mapping[str, str]:
        """What is wrong across its parts: place -> what to change. Empty when it can be published."""
        return {each.path: each.message for each in problems(configuration)}

    async def publish(
        self,
        configuration: Configuration,
        actor: Actor,
        *,
        over: int | None = None,
        note: str = "",
        origin: Origin = Origin.FILE,
        back_to: int | None = None,
    ) -> int:
        """The number in force then. Raises Invalid with all problems, and Stale where another than `over` is in force.

        A file replaces what was published elsewhere only where it names that version. Raises Stale else.
        """
        found = await asyncio.to_thread(self.problems, configuration)
        if found:
            raise Invalid(
                said("the configuration has {n} problems; the old one stays in force", n=len(found)), found
            )
        current = await self.current()
        if current is not None and origin is Origin.FILE and over is None:
            _must_not_take_back(current, configuration)
        version = await self._company.publish(
            configuration, actor, over=over, note=note, origin=origin, back_to=back_to
        )
        return version.number


def _must_not_take_back(current: PublishedConfiguration, configuration: Configuration) -> None:
    if current.origin is Origin.FILE or current.configuration == configuration:
        return
    who = current.actor.name or current.actor.id
    raise Stale(
        said(
            "version {number} was published by {who}, not from the settings file; write its changes into the file (`hubbub configuration show` prints it), or replace it knowingly: hubbub apply --over {number}",
            number=current.number,
            who=who,
        ),
        {"version": current.number, "origin": str(current.origin), "by": who},
    )
