"""The next configuration: a draft for each, published over what it was begun on, and back again. Who wins against a file."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.company import Company
from hub.configuring import Configuring, Edit
from hub.publishing import Publishing
from hub.roles import EVERYTHING
from hub.sharing import publish_at_start
from schemas.accounts import Principal, Role
from schemas.configuration import Brand, Configuration, Origin, Queue
from schemas.errors import Forbidden, Invalid, Stale
from schemas.events import SYSTEM, Actor
from sinks.sqlite.engine import open_engine
from tests.support.clock import MONDAY_MORNING, StandingClock

EVA = Principal(kind="agent", id="eva", roles={"*": Role.SUPERVISOR})
BO = Principal(kind="agent", id="bo", roles={"*": Role.SUPERVISOR})
FILE = Configuration()


def actor(principal: Principal) -> Actor:
    return Actor(kind="agent", id=principal.id)


def with_queue(name: str) -> Edit:
    def edit(configuration: Configuration) -> Configuration:
        return configuration.model_copy(
            update={"queues": (*configuration.queues, Queue(name=name, title=name.title()))}
        )

    return edit


class Desk:
    def __init__(self, publishing: Publishing, configuring: Configuring) -> None:
        self.publishing = publishing
        self.configuring = configuring

    async def publish(self, principal: Principal, note: str = "") -> int:
        return await self.configuring.publish(principal, actor(principal), note, Origin.CONSOLE)

    async def queues(self) -> list[str]:
        return [each.name for each in (await self.configuring.in_force())[1].queues]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    clock = StandingClock(MONDAY_MORNING)
    engine = await open_engine(tmp_path, clock=clock)
    company = await Company.open(engine, clock)
    publishing = Publishing(engine, company)
    await publish_at_start(publishing, FILE, EVERYTHING)
    yield Desk(publishing, Configuring(engine, clock, publishing))
    await engine.close()


async def test_a_draft_changes_nothing_until_it_is_published_with_author_and_note(desk: Desk) -> None:
    await desk.configuring.edit("eva", with_queue("sales"))
    standing = await desk.configuring.standing("eva")
    assert [str(each) for each in standing.changes] == ["queue 'sales' is new."]
    assert await desk.queues() == ["inbox"]
    assert (await desk.configuring.draft("bo")).revision == 0
    assert await desk.publish(EVA, " We sell now ") == 2
    published = await desk.publishing.version(2)
    assert (published.actor.id, published.note, published.origin) == ("eva", "We sell now", Origin.CONSOLE)
    assert await desk.queues() == ["inbox", "sales"]
    assert (await desk.configuring.draft("eva")).base == 2


async def test_what_is_as_before_again_is_no_draft_and_cannot_be_published(desk: Desk) -> None:
    await desk.configuring.edit("eva", with_queue("sales"))
    after = await desk.configuring.edit("eva", lambda _: FILE)
    assert after.revision == 0
    with pytest.raises(Invalid, match="changes nothing"):
        await desk.publish(EVA)


async def test_problems_are_kept_and_told_and_not_published(desk: Desk) -> None:
    await desk.configuring.edit("eva", lambda it: it.model_copy(update={"default_queue": "nowhere"}))
    assert "default_queue" in (await desk.configuring.standing("eva")).problems
    with pytest.raises(Invalid):
        await desk.publish(EVA)
    assert (await desk.configuring.draft("eva")).revision > 0


async def test_of_two_supervisors_the_second_sees_the_first_before_publishing(desk: Desk) -> None:
    await desk.configuring.edit("eva", with_queue("sales"))
    await desk.configuring.edit("bo", with_queue("legal"))
    await desk.publish(EVA)
    overtaken = (await desk.configuring.standing("bo")).overtaken
    assert overtaken is not None
    assert overtaken.number == 2
    with pytest.raises(Stale, match="version 2 was published"):
        await desk.publish(BO)
    _, met = await desk.configuring.take_over("bo")
    assert met == ()
    await desk.publish(BO)
    assert await desk.queues() == ["inbox", "legal", "sales"]


async def test_back_is_a_new_version_and_only_over_the_one_that_was_looked_at(desk: Desk) -> None:
    await desk.configuring.edit("eva", with_queue("sales"))
    await desk.publish(EVA)
    with pytest.raises(Stale):
        await desk.configuring.back(BO, actor(BO), 1, 1, "", Origin.CONSOLE)
    assert await desk.configuring.back(BO, actor(BO), 1, 2, "not yet", Origin.CONSOLE) == 3
    assert await desk.queues() == ["inbox"]
    assert (await desk.publishing.version(3)).back_to == 1


async def test_what_belongs_to_the_settings_file_is_changed_by_administrators_only(desk: Desk) -> None:
    brands = (*FILE.brands, Brand(name="coffee", title="Coffee"))
    await desk.configuring.edit("eva", lambda it: it.model_copy(update={"brands": brands}))
    with pytest.raises(Forbidden, match="brands"):
        await desk.publish(EVA)
    signed = FILE.brands[0].model_copy(update={"signature": "Yours"})
    await desk.configuring.edit("eva", lambda it: it.model_copy(update={"brands": (signed,)}))
    await desk.publish(EVA)
    await publish_at_start(desk.publishing, FILE.model_copy(update={"brands": brands}), EVERYTHING)
    _, current = await desk.configuring.in_force()
    assert [(each.name, each.signature) for each in current.brands] == [
        (FILE.brands[0].name, "Yours"),
        ("coffee", ""),
    ]


async def test_a_file_takes_back_what_people_published_only_where_it_names_it(desk: Desk) -> None:
    await desk.configuring.edit("eva", with_queue("sales"))
    await desk.publish(EVA)
    await publish_at_start(desk.publishing, FILE, EVERYTHING)
    assert await desk.queues() == ["inbox", "sales"]
    with pytest.raises(Stale, match="version 2 was published by eva"):
        await desk.publishing.publish(FILE, SYSTEM)
    assert await desk.publishing.publish(FILE, SYSTEM, over=2) == 3
    changed = FILE.model_copy(update={"automatic_answers_per_day": 1})
    await publish_at_start(desk.publishing, changed, EVERYTHING)
    assert (await desk.configuring.in_force()) == (4, changed)


async def test_a_start_takes_brands_of_the_file_and_leaves_the_rest(desk: Desk) -> None:
    await desk.configuring.edit("eva", with_queue("sales"))
    await desk.publish(EVA)
    file = FILE.model_copy(update={"brands": (*FILE.brands, Brand(name="coffee", title="Coffee"))})
    await publish_at_start(desk.publishing, file, EVERYTHING)
    number, current = await desk.configuring.in_force()
    assert (number, len(current.brands), len(current.queues)) == (3, 2, 2)
    assert (await desk.publishing.version(3)).origin is Origin.CONSOLE
