"""Mail out, over real sockets: against the stand-in, and against servers that misbehave at one exact moment."""

import asyncio
from collections.abc import AsyncIterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from connectors.email.compose import Composer
from connectors.email.deliver import EmailDeliverer, FetchBlob
from connectors.email.settings import RelaySettings
from connectors.email.standin import Mailbox, StandinServer
from schemas.errors import Outage
from schemas.interactions import Attachment, BlobRef, Participant, Role
from schemas.outbound import OutboundMessage
from schemas.ports import Receipt, ReceiptStatus
from tests.connectors.email.house import ACCOUNTS, TOKENS, FixedClock, outbound
from tests.connectors.email.relays import scripted, up_to_data


async def no_blob(ref: BlobRef) -> bytes:
    raise Outage("the store is away", retry_after_seconds=7)


async def large_blob(ref: BlobRef) -> bytes:
    return bytes(ref.size)


def large() -> OutboundMessage:
    """More than the buffers between two sockets hold."""
    ref = BlobRef(sha256="1" * 64, size=16 * 1024 * 1024)
    return outbound(attachments=(Attachment(name="a", media_type="image/png", size=ref.size, blob=ref),))


def deliverer(port: int, fetch: FetchBlob = no_blob, **settings: Any) -> EmailDeliverer:
    relay = RelaySettings.model_validate({"host": "127.0.0.1", "port": port, "security": "none", **settings})
    return EmailDeliverer(relay, Composer(ACCOUNTS, TOKENS), fetch)


@pytest.fixture
async def standin(tmp_path: Path) -> AsyncIterator[StandinServer]:
    mailbox = Mailbox(tmp_path / "mailbox.sqlite")
    server = StandinServer(mailbox, FixedClock())
    await server.start()
    yield server
    await server.stop()
    await mailbox.close()


async def send(
    port: int, message: OutboundMessage | None = None, fetch: FetchBlob = no_blob, **settings: Any
) -> Receipt:
    sender = deliverer(port, fetch, **settings)
    try:
        return await sender.deliver(message or outbound())
    finally:
        await sender.close()


async def test_a_message_arrives_once_and_its_receipt_names_it(standin: StandinServer) -> None:
    message = outbound()
    receipt = await send(standin.port, message)
    assert receipt.status is ReceiptStatus.SENT
    (arrived,) = await standin.mailbox.until(1)
    assert receipt.external_id == f"mail:{arrived.message_id}"
    assert TOKENS.own_message(arrived.message_id) is not None
    assert arrived.recipients == ("ada@customer.example",)
    parsed = message_from_bytes(arrived.content, policy=policy.default)
    body = parsed.get_body(("plain",))
    assert body is not None
    assert body.get_content().splitlines() == message.text.splitlines()


async def test_an_automatic_answer_leaves_without_a_sender(standin: StandinServer) -> None:
    assert (await send(standin.port, outbound(automatic=True))).status is ReceiptStatus.SENT
    (arrived,) = await standin.mailbox.until(1)
    assert arrived.sender == ""


async def test_an_address_that_is_not_ascii_reaches_a_relay_that_takes_it(standin: StandinServer) -> None:
    message = outbound(recipients=(Participant(role=Role.TO, scheme="email", value="почта@пример.example"),))
    assert (await send(standin.port, message)).status is ReceiptStatus.SENT
    (arrived,) = await standin.mailbox.until(1)
    assert arrived.recipients == ("почта@xn--e1afmkfd.example",)


async def test_connections_are_used_again(standin: StandinServer) -> None:
    sender = deliverer(standin.port)
    for number in range(5):
        receipt = await sender.deliver(outbound(message=UUID(int=number + 1)))
        assert receipt.status is ReceiptStatus.SENT
    await sender.close()
    assert standin.connections == 1


async def test_a_connection_that_died_in_the_pool_is_replaced(standin: StandinServer) -> None:
    sender = deliverer(standin.port)
    assert (await sender.deliver(outbound())).status is ReceiptStatus.SENT
    port = standin.port
    await standin.stop()
    again = StandinServer(standin.mailbox, FixedClock(), port=port)
    await again.start()
    assert (await sender.deliver(outbound(message=UUID(int=2)))).status is ReceiptStatus.SENT
    await sender.close()
    await again.stop()


async def test_nobody_listening_is_tried_again_later(standin: StandinServer) -> None:
    port = standin.port
    await standin.stop()
    receipt = await send(port)
    assert receipt.status is ReceiptStatus.RETRY
    assert receipt.retry_after_seconds
    assert not receipt.stop_account


@pytest.mark.parametrize(
    ("behaviour", "status", "stops"),
    [
        ({"to_sender": "451 4.3.0 Later"}, ReceiptStatus.RETRY, False),
        ({"to_sender": "553 5.7.1 Not your address"}, ReceiptStatus.RETRY, True),
        ({"to_sender": "530 5.7.0 Log in first"}, ReceiptStatus.RETRY, True),
        ({"to_sender": "550 5.1.8 Bad sender"}, ReceiptStatus.FAILED, False),
        ({"to_recipients": {"*": "550 5.1.1 Nobody"}}, ReceiptStatus.FAILED, False),
        ({"to_recipients": {"*": "450 4.2.0 Greylisted"}}, ReceiptStatus.RETRY, False),
        ({"to_recipients": {"*": "421 4.3.2 Going down"}}, ReceiptStatus.RETRY, False),
        ({"to_mail": "554 5.7.1 Spam"}, ReceiptStatus.FAILED, False),
        ({"to_mail": "452 4.3.1 Disk full"}, ReceiptStatus.RETRY, False),
        ({"to_mail": "421 4.3.2 Going down"}, ReceiptStatus.RETRY, False),
        ({"hang_up_after_dot": True}, ReceiptStatus.UNKNOWN, False),
        ({"hang_up_after_dot": True, "keep_before_hanging_up": False}, ReceiptStatus.UNKNOWN, False),
    ],
    ids=str,
)
async def test_each_answer_has_one_meaning(
    standin: StandinServer, behaviour: dict[str, Any], status: ReceiptStatus, stops: bool
) -> None:
    standin.behave(**behaviour)
    receipt = await send(standin.port)
    assert (receipt.status, receipt.stop_account) == (status, stops)
    assert receipt.reason
    assert (receipt.retry_after_seconds is not None) == (status is ReceiptStatus.RETRY)


async def test_recipients_refused_while_others_are_accepted_are_named(standin: StandinServer) -> None:
    standin.behave(to_recipients={"bob@customer.example": "550 5.1.1 Nobody"})
    message = outbound(
        recipients=(
            Participant(role=Role.TO, scheme="email", value="ada@customer.example"),
            Participant(role=Role.CC, scheme="email", value="bob@customer.example"),
        )
    )
    receipt = await send(standin.port, message)
    assert receipt.status is ReceiptStatus.SENT
    assert receipt.refused == {"bob@customer.example": "550 5.1.1 Nobody"}


async def test_a_refused_mail_leaves_the_connection_fit_for_the_next(standin: StandinServer) -> None:
    sender = deliverer(standin.port)
    standin.behave(to_mail="554 5.7.1 Spam")
    assert (await sender.deliver(outbound())).status is ReceiptStatus.FAILED
    standin.behave(to_mail="")
    assert (await sender.deliver(outbound(message=UUID(int=3)))).status is ReceiptStatus.SENT
    assert standin.connections == 1
    await sender.close()


async def test_an_attachment_whose_store_is_away_is_tried_again(standin: StandinServer) -> None:
    ref = BlobRef(sha256="0" * 64, size=3)
    message = outbound(attachments=(Attachment(name="a.txt", media_type="text/plain", size=3, blob=ref),))
    receipt = await send(standin.port, message)
    assert (receipt.status, receipt.retry_after_seconds) == (ReceiptStatus.RETRY, 7)


async def test_a_connection_lost_within_the_mail_proves_that_nothing_was_accepted() -> None:
    lost = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await up_to_data(reader, writer)
        await reader.readexactly(100_000)
        writer.transport.abort()
        lost.set()

    async with scripted(script) as port:
        receipt = await send(port, large(), large_blob)
    assert lost.is_set()
    assert receipt.status is ReceiptStatus.RETRY


async def test_a_refusal_in_the_middle_of_the_mail_is_the_answer_to_it() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await up_to_data(reader, writer)
        await reader.readexactly(100_000)
        writer.write(b"552 5.3.4 Too big for me\r\n")
        await reader.read()

    async with scripted(script) as port:
        receipt = await send(port, large(), large_blob)
    assert (receipt.status, receipt.reason) == (ReceiptStatus.FAILED, "552 5.3.4 Too big for me")


async def test_silence_after_the_dot_is_unknown() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await up_to_data(reader, writer)
        await reader.read()

    async with scripted(script) as port:
        receipt = await send(port, final_timeout_seconds=0.2)
    assert receipt.status is ReceiptStatus.UNKNOWN


async def test_an_answer_that_is_none_is_unknown() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await up_to_data(reader, writer)
        await reader.readuntil(b"\r\n.\r\n")
        writer.write(b"hello there\r\n")

    async with scripted(script) as port:
        assert (await send(port)).status is ReceiptStatus.UNKNOWN


async def test_silence_before_data_is_tried_again() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 relay.example ESMTP\r\n")
        await reader.read()

    async with scripted(script) as port:
        receipt = await send(port, timeout_seconds=0.2)
    assert (receipt.status, receipt.stop_account) == (ReceiptStatus.RETRY, False)


async def test_a_relay_without_encryption_stops_the_account() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await up_to_data(reader, writer)

    async with scripted(script) as port:
        receipt = await send(port, security="starttls")
    assert (receipt.status, receipt.stop_account) == (ReceiptStatus.RETRY, True)


async def test_the_dot_is_sent_apart_and_lines_that_begin_with_one_are_doubled() -> None:
    seen: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await up_to_data(reader, writer)
        seen.append(await reader.readuntil(b"\r\n.\r\n"))
        writer.write(b"250 ok\r\n")
        await reader.readuntil(b"QUIT\r\n")
        writer.write(b"221 bye\r\n")

    async with scripted(script) as port:
        receipt = await send(port, outbound(text=".hidden\n..\n.\nend"))
    assert receipt.status is ReceiptStatus.SENT
    assert b"\r\n..hidden\r\n...\r\n" in seen[0]


async def test_a_delivery_report_is_asked_for_where_the_relay_can_give_one() -> None:
    commands: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 relay.example ESMTP\r\n")
        while (command := await reader.readuntil(b"\r\n")) != b"DATA\r\n":
            commands.append(command)
            writer.write(
                b"250-relay.example\r\n250 DSN\r\n" if command.startswith(b"EHLO") else b"250 ok\r\n"
            )
        writer.write(b"550 5.0.0 no\r\n")

    async with scripted(script) as port:
        await send(port)
    message = outbound()
    assert f"ENVID={TOKENS.envelope_id(message.message, message.case)}".encode() in commands[1]
    assert b"NOTIFY=FAILURE,DELAY" in commands[2]


async def test_a_relay_that_refuses_the_login_stops_the_account(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path / "mailbox.sqlite")
    server = StandinServer(mailbox, FixedClock(), login=("hubbub", "right"))
    await server.start()
    wrong = await send(server.port, username="hubbub", password="wrong")
    assert (wrong.status, wrong.stop_account) == (ReceiptStatus.RETRY, True)
    assert "wrong" not in wrong.reason
    right = await send(server.port, username="hubbub", password="right")
    assert right.status is ReceiptStatus.SENT
    await server.stop()
    await mailbox.close()
