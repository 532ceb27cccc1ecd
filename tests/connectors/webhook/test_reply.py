"""Answers by a request: what a receiver that speaks for ever makes of them."""

import asyncio
from uuid import uuid4

import httpx
import pytest

from connectors.webhook.reply import WebhookDeliverer
from connectors.webhook.settings import WebhookSource
from schemas.events import Actor
from schemas.outbound import OutboundMessage
from schemas.ports import Receipt, ReceiptStatus
from tests.support.clock import MONDAY_MORNING, StandingClock


def source(url: str, *, knows_repeats: bool) -> WebhookSource:
    return WebhookSource.model_validate(
        {
            "name": "shop",
            "signature": {"scheme": "bearer", "secrets": ["a secret of the tests"]},
            "mapping": {"text": "/text", "sender_id": "/from"},
            "reply": {"url": url, "knows_repeats": knows_repeats, "id": "/id"},
        }
    )


def message() -> OutboundMessage:
    return OutboundMessage(
        message=uuid4(),
        case=None,
        channel="webhook_in",
        account="shop",
        brand="default",
        conversation="webhook_in:shop:1",
        recipients=(),
        text="On its way.",
        author=Actor(kind="agent", id="ann"),
        queued_at=MONDAY_MORNING,
    )


async def received(head: bytes, *, knows_repeats: bool = True) -> Receipt:
    """What becomes of a message to a receiver that says this, and then goes on for ever, a byte at a time."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head)
        try:
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.02)
        except ConnectionError:
            return
        finally:
            writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server, httpx.AsyncClient(timeout=5) as client:
        deliverer = WebhookDeliverer(
            {"shop": source(url, knows_repeats=knows_repeats)}, client, StandingClock(MONDAY_MORNING), 0.4
        )
        async with asyncio.timeout(4):
            return await deliverer.deliver(message())


@pytest.mark.parametrize(
    ("knows_repeats", "expected"), [(True, ReceiptStatus.RETRY), (False, ReceiptStatus.UNKNOWN)]
)
async def test_a_receiver_that_never_answers_whole_holds_nobody_up(
    knows_repeats: bool, expected: ReceiptStatus
) -> None:
    receipt = await received(b"HTTP/1.1 200 OK\r\nX-More: ", knows_repeats=knows_repeats)
    assert (receipt.status, receipt.reason) == (expected, "no answer within 0 s")


async def test_what_was_taken_is_sent_though_it_is_never_named() -> None:
    receipt = await received(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    assert receipt.status is ReceiptStatus.SENT
