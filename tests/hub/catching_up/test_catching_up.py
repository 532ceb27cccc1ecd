"""A store of yesterday with today's log: brought up to it, nothing sent again, nothing lost."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pymongo
import pytest

from hub.catching_up import catch_up, refuse_older
from hub.catching_up.cases import Cases
from hub.company import Company
from schemas.collections import DELIVERIES
from schemas.commands import NoteCase, ReplyToCase
from schemas.documents import Case
from schemas.errors import Refused
from schemas.events import SYSTEM
from schemas.outbound import DeliveryState
from schemas.ports import Engine
from schemas.steps import Query, References
from sinks.distributed.engine import open_distributed
from tests.docs.logs import ON_SERVERS, Log, a_log
from tests.hub.test_flow import CONFIGURATION, MIA, Flow
from tests.support.process import HUBBUB, running
from tests.support.servers import server

pytestmark = [*ON_SERVERS, pytest.mark.timeout(180)]
BLOBS = ("blobs", "blob_files.files", "blob_files.chunks")


@pytest.fixture
async def log() -> AsyncIterator[Log]:
    async with a_log() as made:
        yield made


def copied(client: pymongo.MongoClient[Any], source: str, target: str, only: tuple[str, ...] = ()) -> None:
    """As mongodump and mongorestore do."""
    for name in client[source].list_collection_names():
        documents = list(client[source][name].find())
        if documents and (not only or name in only):
            client[target][name].delete_many({})
            client[target][name].insert_many(documents)


async def opened(log: Log, database: str) -> Flow:
    url = f"{server('kafka').url}?prefix={log.prefix}&partitions=2"
    engine = await open_distributed(url, f"{server('nx-27017').url}{database}", clock=log.flow.clock)
    return Flow(engine, log.flow.clock, await Company.open(engine, log.flow.clock))


async def today(log: Log) -> None:
    """What happens after the backup: an agent answers and notes, a customer comes, and rules are changed."""
    flow = log.flow
    (case,) = [each for each in await flow.cases() if each.state == "open"]
    case = await flow.do(MIA, ReplyToCase, case, text="Later.")
    await flow.settle()
    await flow.do(MIA, NoteCase, (await now(flow.engine, case)), text="Called back.")
    await log.answered("c")
    await flow.receive("reply", parents=("mail:b",), text="Thank you!")
    await flow.settle()
    changed = CONFIGURATION.model_copy(update={"default_queue": "billing"})
    await flow.company.publish(changed, SYSTEM)


async def now(engine: Engine, case: Case) -> Case:
    found = (await engine.load(References(documents={Case: {case.id}}))).documents[case.id]
    assert isinstance(found, Case)
    return found


async def said(flow: Flow) -> dict[str, Any]:
    """What agents and customers see."""
    cases = {each.number: each for each in await flow.cases()}
    page = await flow.engine.timeline(cases=[each.id for each in cases.values()], limit=500)
    deliveries = await flow.engine.find(Query(DELIVERIES, limit=500))
    return {
        "cases": cases,
        "entries": {each.id: each for each in page.items},
        "deliveries": {each.id: str(each.state) for each in deliveries.items},  # type: ignore[attr-defined]
        "configuration": flow.company.current.number,
    }


@pytest.mark.slow
async def test_a_store_of_yesterday_is_brought_up_to_todays_log_and_nothing_is_sent_again(
    log: Log, client: pymongo.MongoClient[Any]
) -> None:
    await log.answered("a")
    await log.flow.receive("b")
    await log.flow.settle()
    before, restored = log.database, f"restored_{uuid4().hex[:8]}"
    copied(client, before, restored)
    await today(log)
    truth = await said(log.flow)
    assert await log.flow.faults() == []
    copied(client, before, restored, only=BLOBS)  # originals lie elsewhere, or have a backup of their own

    flow = await opened(log, restored)
    try:
        with pytest.raises(Refused, match="hubbub catch-up"):
            await refuse_older(flow.engine)
        first = await catch_up(flow.engine, flow.clock)
        assert first["events of cases"] > 5
        await refuse_older(flow.engine)
        assert not await catch_up(flow.engine, flow.clock)
        await flow.company.catch_up()
        assert await said(flow) == truth
        await flow.dispatcher.recover()
        await flow.settle()
        assert flow.relay.sent == []
        assert await said(flow) == truth
        assert await flow.faults() == []
        await flow.receive("again", parents=("mail:c",), text="One more thing")
        await flow.settle()
        assert len(flow.relay.sent) == 0, "it joins the case, which is answered once"
        assert {each.number for each in await flow.cases()} == set(truth["cases"])
    finally:
        await flow.engine.close()


async def test_messages_that_are_not_remembered_any_more_are_read_again(
    log: Log, client: pymongo.MongoClient[Any]
) -> None:
    await log.flow.receive("a")
    restored = f"restored_{uuid4().hex[:8]}"
    copied(client, log.database, restored)
    await log.flow.receive("b")
    await log.flow.settle()
    truth = (await said(log.flow))["entries"]
    flow = await opened(log, restored)
    try:
        await Cases(flow.engine, Counter(), most_remembered=0).run()
        assert (await said(flow))["entries"] == truth
    finally:
        await flow.engine.close()


async def test_a_message_whose_end_is_on_no_log_is_unknown_and_not_sent(
    log: Log, client: pymongo.MongoClient[Any]
) -> None:
    await log.flow.receive("b")
    for runner in log.flow.runners[:1]:
        await runner.once()
    restored = f"restored_{uuid4().hex[:8]}"
    copied(client, log.database, restored)
    for runner in log.flow.runners * 2:  # the automatic answer is queued, and nobody sends it
        await runner.once()

    flow = await opened(log, restored)
    try:
        await catch_up(flow.engine, flow.clock)
        await flow.dispatcher.recover()
        await flow.settle()
        assert flow.relay.sent == []
        page = await flow.engine.find(Query(DELIVERIES))
        assert [each.state for each in page.items] == [DeliveryState.UNKNOWN]  # type: ignore[attr-defined]
        assert await flow.faults() == []
    finally:
        await flow.engine.close()


async def test_a_store_that_is_up_to_date_is_let_through_and_left_alone(log: Log) -> None:
    await log.answered("a")
    await refuse_older(log.flow.engine)
    before = await said(log.flow)
    assert not await catch_up(log.flow.engine, log.flow.clock)
    assert await said(log.flow) == before


async def test_an_empty_store_on_a_log_that_has_cases_is_refused(log: Log) -> None:
    await log.answered("a")
    flow = await opened(log, f"empty_{uuid4().hex[:8]}")
    try:
        with pytest.raises(Refused, match="the right database"):
            await refuse_older(flow.engine)
    finally:
        await flow.engine.close()


@pytest.mark.slow
async def test_a_hub_refuses_to_start_until_the_command_has_caught_up(
    log: Log, client: pymongo.MongoClient[Any], tmp_path: Path
) -> None:
    await log.answered("a")
    restored = f"restored_{uuid4().hex[:8]}"
    copied(client, log.database, restored)
    await log.answered("c")
    settings = {
        "log": f"{server('kafka').url}?prefix={log.prefix}&partitions=2",
        "store": f"{server('nx-27017').url}{restored}",
        "queues": [{"name": "inbox", "title": "Inbox"}], "default_queue": "inbox",
        "console": {"port": 0}, "intake": {"port": 0}, "files": {"port": 0},
    }  # fmt: skip
    path = tmp_path / "hubbub.yaml"
    path.write_text(json.dumps(settings), encoding="utf-8")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "secret.key").write_bytes(bytes(32))
    place = ("--config", str(path))
    async with running(HUBBUB, "up", *place) as hub:
        assert await hub.process.wait() != 0
        assert "hubbub catch-up" in "\n".join(hub.lines)
    async with running(HUBBUB, "catch-up", *place) as command:
        assert await command.process.wait() == 0, command.lines
        assert any("events of cases" in each for each in command.lines)
    async with running(HUBBUB, "up", *place) as hub:
        await hub.said("ready; stop", within_seconds=50)
        assert await hub.stop() == 0
