"""Over real sockets: slow and half-open clients, and the engine that keeps what was answered."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import httpx

from connectors.kit.intake import Intake
from connectors.webform.connector import WebformConnector
from schemas.interactions import InteractionReceived
from schemas.steps import START, Record
from schemas.topics import Topic
from sinks.sqlite.engine import open_engine
from tests.connectors.webform.serving import serving
from tests.connectors.webform.support import ENTRY, SECRET, StoppedClock, rig, settings
from tests.support.clock import Clock


async def raw(origin: str, request: bytes) -> bytes:
    """What is answered to these bytes when nothing more follows them."""
    host, _, port = origin.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    await writer.drain()
    answered = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    return answered


async def test_a_body_that_does_not_come_is_given_up_and_the_connection_closed(clock: Clock) -> None:
    async with (
        rig(clock, settings(body_seconds=0.1, upload_seconds=0.1)) as forms,
        serving(forms.connector.app) as origin,
    ):
        head = b"POST /f/contact HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"
        answered = await raw(origin, head)

        assert answered.startswith(b"HTTP/1.1 408")
        assert b"connection: close" in answered


async def test_an_announced_size_that_is_too_large_is_refused_before_anything_is_read(clock: Clock) -> None:
    async with rig(clock) as forms, serving(forms.connector.app) as origin:
        head = b"POST /f/contact HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9999999999\r\n\r\n"
        answered = await raw(origin, head)

        assert answered.startswith(b"HTTP/1.1 413")


async def test_a_visitor_who_leaves_in_the_middle_leaves_nothing(clock: Clock) -> None:
    async with rig(clock) as forms, serving(forms.connector.app) as origin:
        host, _, port = origin.removeprefix("http://").partition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            b"POST /f/contact HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"
        )
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        async with httpx.AsyncClient(base_url=origin) as client:
            assert (await client.post("/f/contact", json=ENTRY)).status_code == 200
        assert len(forms.engine.events) == 1


async def test_what_was_answered_is_on_the_log_and_its_key_is_known_after_a_restart(
    clock: Clock, tmp_path: Path
) -> None:
    stopped = StoppedClock(clock)
    headers = {"idempotency-key": "5f0c9b9e-8c1e-4b57-9c55-0a4f6d1b7f3e"}
    answers = []
    records: Sequence[Record] = ()
    for message in ("Where is my order?", "Where is my order?", "Another thing"):
        engine = await open_engine(tmp_path, clock=stopped)
        connector = WebformConnector(settings(), Intake(engine, stopped), SECRET)
        await connector.start()
        async with serving(connector.app) as origin, httpx.AsyncClient(base_url=origin) as client:
            answers.append(
                await client.post("/f/contact", json={**ENTRY, "message": message}, headers=headers)
            )
        await connector.stop(1)
        records = await engine.scan([Topic.INTERACTIONS], START, 10)
        await engine.close()

    assert [each.status_code for each in answers] == [200, 200, 409]
    assert answers[0].json() == answers[1].json()
    (record,) = records
    assert record.event is not None
    received = record.event.data
    assert isinstance(received, InteractionReceived)
    assert str(received.part.item) == answers[0].json()["item"]


async def test_many_at_once_with_one_key_make_one_event(clock: Clock, tmp_path: Path) -> None:
    stopped = StoppedClock(clock)
    engine = await open_engine(tmp_path, clock=stopped)
    connector = WebformConnector(settings(), Intake(engine, stopped), SECRET)
    await connector.start()
    async with serving(connector.app) as origin, httpx.AsyncClient(base_url=origin) as client:
        entry = json.dumps(ENTRY)
        headers = {"content-type": "application/json", "idempotency-key": "one-key-for-all"}
        answers = await asyncio.gather(
            *(client.post("/f/contact", content=entry, headers=headers) for _ in range(8))
        )
    records = await engine.scan([Topic.INTERACTIONS], START, 10)
    await engine.close()

    assert {each.status_code for each in answers} == {200}
    assert len({each.text for each in answers}) == 1
    assert len(records) == 1
