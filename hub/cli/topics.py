"""`hubbub topics`: the topics on Kafka, compared with what the settings ask for, and made."""

import asyncio
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

import click

from hub.cli.errors import Exit, Failed
from hub.cli.output import note, say, say_json
from hub.cli.place import place_of, with_place

if TYPE_CHECKING:
    from sinks.kafka.address import KafkaAddress
    from sinks.kafka.topics import Planned

SIGNS = {"create": "+", "configure": "~", "grow": "^", "shrink": "!"}


@click.group()
def topics() -> None:
    """Topics on Kafka: compare them with the settings, and make what is missing.

    Nothing is ever deleted. Partitions, replicas and the prefix of the names stand in the address (`log` of the settings),
    retention in the reference of topics.
    """


@topics.command()
@click.option("--json", "as_json", is_flag=True, help="One object with every difference.")
@with_place
def plan(as_json: bool) -> None:
    """Say what `apply` would do. Changes nothing.

    \b
    Examples:
      hubbub topics plan
      hubbub topics plan --json
    """
    address = _address()
    _tell(asyncio.run(_planned(address)), as_json, "as the settings say")


@topics.command()
@click.option("--grow", is_flag=True, help="Add partitions where the settings ask for more.")
@click.option("--yes", is_flag=True, help="Do not ask before anything is changed.")
@click.option("--json", "as_json", is_flag=True, help="One object with everything that was done.")
@with_place
def apply(grow: bool, yes: bool, as_json: bool) -> None:
    """Make and configure topics as the settings say, after telling what will be done.

    More partitions move keys to other partitions, so --grow is refused while anything is on its way: stop what takes in and
    answers, let workers run until every lag is zero and nothing is parked, stop them too, then --grow.

    \b
    Examples:
      hubbub topics apply
      hubbub topics apply --grow --yes
    """
    address = _address()
    planned = asyncio.run(_planned(address))
    doing = [
        each for each in planned if each.change in {"create", "configure"} or (grow and each.change == "grow")
    ]
    _tell(doing, as_json, "nothing to do")
    left = len(planned) - len(doing)
    if left:
        note(
            f"{left} differences in partitions are left: --grow adds partitions, and none are ever taken away"
        )
    if any(each.change == "grow" for each in doing):
        asyncio.run(_check_quiet())
    if doing and not yes and not as_json:
        click.confirm("Do this?", abort=True)
    if doing:
        asyncio.run(_applied(address, doing, grow))


def _address() -> "KafkaAddress":
    from sinks.kafka.address import parse_address

    if find_spec("aiokafka") is None:
        raise Failed("topics need more packages: pip install 'hubbub[distributed]'", Exit.OUTAGE)
    settings = place_of(click.get_current_context()).settings()
    log = settings.log
    if log is None:
        raise Failed(
            "there are no topics: `log` is not set, and events are kept in the data folder", Exit.REFUSED
        )
    return parse_address(log, settings.kafka)


async def _check_quiet() -> None:
    """Ends the command while a process works, or anything is to be done."""
    from hub.engines import open_engine_of
    from hub.growing import in_the_way
    from hub.wiring import SystemClock
    from sinks.kafka.topics import TopicAdmin

    settings = place_of(click.get_current_context()).settings()
    async with TopicAdmin(_address()) as admin:
        if any(each.change == "create" for each in await admin.plan()):
            raise Failed("make the missing topics first, without --grow", Exit.REFUSED)
    engine = await open_engine_of(settings, settings.data, SystemClock())
    try:
        reasons = await in_the_way(engine)
    finally:
        await engine.close()
    if reasons:
        raise Failed("\n  ".join(["partitions cannot grow now:", *reasons]), Exit.REFUSED)


async def _planned(address: "KafkaAddress") -> "list[Planned]":
    from sinks.kafka.topics import TopicAdmin

    async with TopicAdmin(address) as admin:
        return await admin.plan()


async def _applied(address: "KafkaAddress", planned: "Sequence[Planned]", grow: bool) -> None:
    from sinks.kafka.topics import TopicAdmin

    async with TopicAdmin(address) as admin:
        await admin.apply(planned, grow)


def _tell(planned: "Sequence[Planned]", as_json: bool, nothing: str) -> None:
    if as_json:
        say_json({"changes": [_object(each) for each in planned]})
        return
    for each in planned:
        change = f": {each.before or 'nothing'} -> {each.after}" if each.after else ""
        say(f"{SIGNS[each.change]} {each.change} {each.name}: {each.what}{change}")
    if not planned:
        say(nothing)


def _object(planned: "Planned") -> dict[str, str]:
    return {
        "topic": planned.name,
        "change": str(planned.change),
        "what": planned.what,
        "before": planned.before,
        "after": planned.after,
    }
