"""Webhooks: signed by the standard, to public addresses only, and every answer is a receipt."""

import asyncio
import ipaddress
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import jsonschema_rs
import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from pydantic import SecretStr
from standardwebhooks.webhooks import Webhook

from connectors.kit.egress import Forbidden, guarded_client, is_public
from schemas.cases import CaseState
from schemas.configuration import Priority
from schemas.events import Actor
from schemas.ids import derive
from schemas.notices import CaseNotice, NoticedCase
from schemas.outbound import OutboundMessage
from schemas.ports import Clock, ReceiptStatus
from sinks.webhooks import WebhookDeliverer
from tests.support.paths import ROOT

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
LOOPBACK = ("127.0.0.0/8",)


class Fixed:
    def now(self) -> datetime:
        return NOW


class Machine:
    """The receiver's library compares with the machine's time, and takes five minutes for too long."""

    def now(self) -> datetime:
        return datetime.now(UTC)


TOLD = CaseNotice(
    about=derive("event"),
    automation="tell",
    case=NoticedCase(
        id=derive("case"), number="A", brand="default", channel="email", account="support", state=CaseState.OPEN,
        queue="inbox", priority=Priority.NORMAL, tags=("vip",), assignee=None, subject="Order", language="en",
        handle=derive("handle"), waiting_since=NOW, due_at=None,
    ),
)  # fmt: skip


def notice() -> OutboundMessage:
    return OutboundMessage(
        message=derive("notice"),
        channel="webhook",
        account="crm",
        brand="default",
        conversation="webhook:crm",
        recipients=(),
        text="",
        author=Actor(kind="automation", id="tell"),
        queued_at=NOW,
        payload=TOLD.payload(),
    )


class Receiver:
    """Reads one request a connection and gives the answer that it was told to."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.answer = b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n"
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        pairs = (line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        headers = {name.lower(): value for name, value in pairs}
        self.requests.append((headers, await reader.readexactly(int(headers["content-length"]))))
        writer.write(self.answer)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    async with server:
        yield receiver


@asynccontextmanager
async def delivering(
    url: str, allowed: tuple[str, ...] = LOOPBACK, clock: Clock | None = None
) -> AsyncIterator[WebhookDeliverer]:
    deliverer = WebhookDeliverer(
        {"crm": url},
        {"crm": SecretStr(SECRET)},
        clock or Fixed(),
        guarded_client([ipaddress.ip_network(each, strict=False) for each in allowed]),
        Forbidden,
    )
    yield deliverer
    await deliverer.close()


async def test_the_receivers_own_library_accepts_the_signature() -> None:
    async with receiving() as receiver, delivering(receiver.url, clock=Machine()) as deliverer:
        receipt = await deliverer.deliver(notice())
        assert receipt.status is ReceiptStatus.SENT
        headers, body = receiver.requests[0]
        event = Webhook(SECRET).verify(body, headers)
    assert event == json.loads(body)
    assert event["data"]["case"]["number"] == "A"
    assert headers["webhook-id"] == event["id"] == str(derive("notice"))


@pytest.mark.parametrize(
    ("answer", "status", "wait"),
    [
        (b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n", ReceiptStatus.RETRY, None),
        (b"HTTP/1.1 429 Slow\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n", ReceiptStatus.RETRY, 7.0),
        (
            b"HTTP/1.1 503 Later\r\nretry-after: 999999\r\ncontent-length: 0\r\n\r\n",
            ReceiptStatus.RETRY,
            3600.0,
        ),
        (b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n", ReceiptStatus.FAILED, None),
        (
            b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
            ReceiptStatus.RETRY,
            None,
        ),
        (b"nonsense\r\n\r\n", ReceiptStatus.RETRY, None),
    ],
)
async def test_each_answer_is_a_receipt(answer: bytes, status: ReceiptStatus, wait: float | None) -> None:
    async with receiving() as receiver, delivering(receiver.url) as deliverer:
        receiver.answer = answer
        receipt = await deliverer.deliver(notice())
    assert (receipt.status, receipt.retry_after_seconds) == (status, wait)
    assert len(receiver.requests) == 1


async def test_a_notice_is_a_cloudevent_that_fits_its_published_schema() -> None:
    async with receiving() as receiver, delivering(receiver.url) as deliverer:
        await deliverer.deliver(notice())
    headers, body = receiver.requests[0]
    schema = json.loads((ROOT / "docs" / "events" / "hubbub.notice.case.json").read_text(encoding="utf-8"))
    jsonschema_rs.validator_for(schema, validate_formats=True).validate(json.loads(body))
    event = JSONFormat().read(CloudEvent, body)
    assert event.get_dataschema() == schema["$id"]
    assert headers["content-type"].startswith("application/cloudevents+json")


async def test_a_retry_date_is_understood() -> None:
    later = (NOW + timedelta(seconds=120)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    async with receiving() as receiver, delivering(receiver.url) as deliverer:
        receiver.answer = f"HTTP/1.1 503 Later\r\nretry-after: {later}\r\ncontent-length: 0\r\n\r\n".encode()
        receipt = await deliverer.deliver(notice())
    assert receipt.retry_after_seconds is not None
    assert 118 < receipt.retry_after_seconds <= 120


async def test_this_machine_is_not_reached() -> None:
    async with receiving() as receiver:
        for url in (
            receiver.url,
            receiver.url.replace("127.0.0.1", "localhost"),
            receiver.url.replace("127.0.0.1", "[::ffff:127.0.0.1]"),
        ):
            async with delivering(url, ()) as deliverer:
                receipt = await deliverer.deliver(notice())
            assert receipt.status is ReceiptStatus.FAILED, url
            assert "not on the public internet" in receipt.reason
    assert receiver.requests == []


async def test_a_network_may_be_named_by_an_address_within_it() -> None:
    async with receiving() as receiver, delivering(receiver.url, ("127.0.0.1/8",)) as deliverer:
        assert (await deliverer.deliver(notice())).status is ReceiptStatus.SENT


async def test_an_endpoint_without_a_secret_waits_for_one() -> None:
    deliverer = WebhookDeliverer({"crm": "http://example.com"}, {}, Fixed(), guarded_client(), Forbidden)
    receipt = await deliverer.deliver(notice())
    assert receipt.stop_account
    assert "webhook_secrets.crm" in receipt.reason
    await deliverer.close()


async def test_an_endpoint_that_is_no_longer_configured_fails() -> None:
    deliverer = WebhookDeliverer({}, {}, Fixed(), guarded_client(), Forbidden)
    assert (await deliverer.deliver(notice())).status is ReceiptStatus.FAILED
    await deliverer.close()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "172.16.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "100.64.0.1",
        "224.0.0.1",
        "::1",
        "fe80::1",
        "fc00::1",
        "::ffff:10.0.0.1",
        "2002:7f00:1::",
        "255.255.255.255",
    ],
)
def test_private_addresses_are_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1"])
def test_public_addresses_are(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def test_a_network_that_the_operator_allows_is_reached() -> None:
    allowed = [ipaddress.ip_network("10.1.0.0/16")]
    assert is_public(ipaddress.ip_address("10.1.2.3"), allowed)
    assert not is_public(ipaddress.ip_address("10.2.0.1"), allowed)
