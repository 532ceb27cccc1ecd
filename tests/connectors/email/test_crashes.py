"""The process ends at each named point of this channel once; what is true then is what the table says."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from connectors.email.compose import Composer
from connectors.email.deliver import EmailDeliverer
from connectors.email.envelope import Envelope
from connectors.email.reader import MailReader
from connectors.email.settings import RelaySettings
from connectors.email.standin import Mailbox, StandinServer
from schemas.crash import Crashed, arm, set_hook
from schemas.interactions import BlobRef
from tests.connectors.email.house import (
    ACCOUNTS,
    TOKENS,
    FakeEngine,
    FixedClock,
    mail,
    outbound,
    receiver_on,
    smtp_server,
)
from tests.connectors.email.raw_smtp import RawClient
from tests.connectors.email.relays import scripted, up_to_data
from tests.support.clock import MONDAY_MORNING


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    set_hook(None)


@pytest.fixture
async def standin(tmp_path: Path) -> AsyncIterator[StandinServer]:
    mailbox = Mailbox(tmp_path / "mailbox.sqlite")
    server = StandinServer(mailbox, FixedClock())
    await server.start()
    yield server
    await server.stop()
    await mailbox.close()


async def no_blob(ref: BlobRef) -> bytes:
    raise AssertionError(ref)


def sender_to(port: int) -> EmailDeliverer:
    relay = RelaySettings(host="127.0.0.1", port=port, security="none")
    return EmailDeliverer(relay, Composer(ACCOUNTS, TOKENS), no_blob)


@pytest.mark.parametrize("point", ["intake.after-original", "intake.before-commit"])
async def test_a_mail_not_yet_on_the_log_was_not_acknowledged_and_comes_again(point: str) -> None:
    engine = FakeEngine()
    reader = MailReader()
    receiver = receiver_on(engine, reader)
    arm(point)
    with pytest.raises(Crashed):
        await receiver.take(mail(), Envelope(), MONDAY_MORNING)
    assert not engine.steps
    await receiver.take(mail(), Envelope(), MONDAY_MORNING)
    assert len(engine.steps) == 1
    await reader.close()


async def test_a_mail_on_the_log_that_was_not_acknowledged_comes_again_as_the_same_event() -> None:
    engine = FakeEngine()
    answers: list[str] = []

    def hang_up(_: str) -> None:
        raise ConnectionResetError  # the answer is lost, as when the process ends

    async with smtp_server(engine) as server:
        arm("intake.before-acknowledge", action=hang_up)
        async with RawClient(server.port) as client:
            answers.append(await client.deliver(mail()))
        async with RawClient(server.port) as client:
            answers.append(await client.deliver(mail()))
    first, second = engine.events
    assert first.id == second.id
    assert [answer[:3] for answer in answers] == ["451", "250"] or answers[0] == ""


async def test_before_the_final_dot_nothing_was_accepted(standin: StandinServer) -> None:
    sender = sender_to(standin.port)
    arm("email.before-final-dot")
    with pytest.raises(Crashed):
        await sender.deliver(outbound())
    # The next mail over a new connection is the first to arrive.
    receipt = await sender.deliver(outbound())
    (arrived,) = await standin.mailbox.until(1)
    assert receipt.external_id == f"mail:{arrived.message_id}"
    await sender.close()


async def test_after_the_final_dot_the_relay_has_it_and_nobody_knows() -> None:
    arrived: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await up_to_data(reader, writer)
        arrived.set_result(await reader.readuntil(b"\r\n.\r\n"))

    async with scripted(script) as port:
        sender = sender_to(port)
        arm("email.after-final-dot")
        with pytest.raises(Crashed):
            await sender.deliver(outbound())
        content = await asyncio.wait_for(arrived, 5)
    message = outbound()
    assert f"<{TOKENS.message_id(message.message, message.case, 'shop.example')}>".encode() in content
