"""`hubbub store`: the indexes of MongoDB, compared with what this version needs, and made."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

import click

from hub.cli.errors import Exit, Failed
from hub.cli.output import note, say, say_json
from hub.cli.place import Place, place_of, with_place

if TYPE_CHECKING:
    from sinks.mongo.driver import MongoDatabase
    from sinks.mongo.indexing import PlannedIndex

SIGNS = {"create": "+", "unknown": "?"}


@click.group()
def store() -> None:
    """Indexes of MongoDB: compare them with what this version needs, and make what is missing.

    None is ever removed. `hubbub up` makes missing ones too; on a large store make them before an upgrade, as it may take minutes.
    """


@store.command()
@click.option("--json", "as_json", is_flag=True, help="One object with every difference.")
@with_place
def plan(as_json: bool) -> None:
    """Say what `apply` would do. Changes nothing.

    \b
    Examples:
      hubbub store plan
    """
    planned = asyncio.run(_planned(place_of(click.get_current_context())))
    _tell(planned, as_json, "as this version needs them")


@store.command()
@click.option("--yes", is_flag=True, help="Do not ask before anything is made.")
@click.option("--json", "as_json", is_flag=True, help="One object with everything that was made.")
@with_place
def apply(yes: bool, as_json: bool) -> None:
    """Make indexes that are missing, after telling which; also while hubs run.

    \b
    Examples:
      hubbub store apply
      hubbub store apply --yes
    """
    place = place_of(click.get_current_context())
    planned = asyncio.run(_planned(place))
    doing = [each for each in planned if each.change == "create"]
    _tell(doing, as_json, "nothing to do")
    if not doing:
        return
    if not yes:
        click.confirm("make them?", abort=True, err=True)
    asyncio.run(_applied(place, doing))


@asynccontextmanager
async def _database(place: Place) -> "AsyncIterator[MongoDatabase]":
    if find_spec("motor") is None:
        raise Failed("the store needs more packages: pip install 'hubbub[distributed]'", Exit.OUTAGE)
    from sinks.mongo.driver import open_database

    settings = place.settings()
    if settings.store is None:
        raise Failed(
            "there is no MongoDB: `store` is not set, and states are kept in the data folder", Exit.REFUSED
        )
    database = open_database(settings.store.get_secret_value(), settings.mongodb)
    try:
        yield database
    finally:
        await database.close()


async def _planned(place: Place) -> "list[PlannedIndex]":
    async with _database(place) as database:
        from sinks.mongo.indexing import plan

        return await plan(database)


async def _applied(place: Place, planned: "Sequence[PlannedIndex]") -> None:
    async with _database(place) as database:
        from sinks.mongo.indexing import apply

        await apply(database, planned, lambda each: note(f"making {each.collection}: {each.what} …"))


def _tell(planned: "Sequence[PlannedIndex]", as_json: bool, nothing: str) -> None:
    if as_json:
        say_json({"changes": [_object(each) for each in planned]})
        return
    for each in planned:
        say(f"{SIGNS[each.change]} {each.change} {each.collection}: {each.what}")
    if not planned:
        say(nothing)


def _object(planned: "PlannedIndex") -> dict[str, object]:
    return {
        "collection": planned.collection,
        "change": str(planned.change),
        "fields": [[name, direction] for name, direction in planned.fields],
    }
