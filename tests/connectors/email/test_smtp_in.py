"""Mail in by SMTP, over real sockets."""

import socket

import pytest

from connectors.email.envelope import Envelope
from connectors.email.reader import MailReader
from schemas.errors import Invalid, Outage
from schemas.interactions import InteractionReceived
from tests.connectors.email.house import FakeEngine, mail, receiver_on, smtp_server
from tests.connectors.email.raw_smtp import RawClient
from tests.support.clock import MONDAY_MORNING


async def test_a_mail_is_answered_with_its_item_once_it_is_on_the_log() -> None:
    engine = FakeEngine()
    async with smtp_server(engine) as server, RawClient(server.port) as client:
        answer = await client.deliver(mail())
    (received,) = engine.payloads
    assert isinstance(received, InteractionReceived)
    assert answer == f"250 2.0.0 Kept as item {received.part.item}"
    assert received.content.text_new.strip() == "Where is my order?"
    assert engine.steps[0].blobs[0].content == mail()


async def test_a_port_in_use_is_told_with_the_setting_to_change() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(
            Invalid, match=f"cannot listen on 127.0.0.1:{port}: Address already in use"
        ) as told:
            async with smtp_server(FakeEngine(), port=port):
                pass
    assert list(told.value.problems) == ["email.smtp_in.port"]


async def test_the_same_mail_from_a_file_is_the_same_item() -> None:
    engine = FakeEngine()
    async with smtp_server(engine) as server, RawClient(server.port) as client:
        await client.deliver(mail())
    reader = MailReader()
    await receiver_on(engine, reader).take(mail(), Envelope(source="one.eml"), MONDAY_MORNING)
    await reader.close()
    first, second = engine.events
    assert first.id == second.id
    assert first.key == second.key


async def test_an_outage_of_ours_makes_the_sender_come_again_and_tells_nothing() -> None:
    engine = FakeEngine(fail_with=Outage("disk /var/secret is full"))
    async with smtp_server(engine) as server, RawClient(server.port) as client:
        assert await client.deliver(mail()) == "451 4.3.0 Temporary failure, try again later"
        engine.fail_with = None
        assert (await client.deliver(mail())).startswith("250 ")


async def test_a_recipient_that_is_not_ours_is_refused_before_the_mail_is_sent() -> None:
    engine = FakeEngine()
    async with smtp_server(engine) as server, RawClient(server.port) as client:
        assert (await client.deliver(mail(), "nobody@shop.example")).startswith("550 5.1.1 ")
    assert not engine.steps
