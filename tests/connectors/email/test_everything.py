"""Real mail through the real server onto the real engine."""

import asyncio
import re
import smtplib
from pathlib import Path
from typing import cast

import pytest

from connectors.email.connector import EmailConnector, email_deliverer
from connectors.email.envelope import Envelope
from connectors.email.settings import EmailSettings
from connectors.email.sources import mails_in
from connectors.email.standin import Mailbox, StandinServer
from connectors.kit.intake import Intake
from schemas.interactions import InteractionEvent, InteractionReceived
from schemas.parking import Quarantined
from schemas.ports import HealthState, ReceiptStatus
from schemas.steps import START
from schemas.topics import Topic
from sinks.sqlite.engine import open_engine
from tests.connectors.email.house import FakeEngine, FixedClock, mail, outbound, receiver_on, smtp_server
from tests.support.paths import corpora, corpus_absent

SECRET = b"a secret of the tests, 32 bytes.."
ITEM = "2.0.0 Kept as item "
LINE_END = re.compile(rb"\r\n|\n|\r(?!\n)")


def settings(relay_port: int) -> EmailSettings:
    return EmailSettings.model_validate(
        {
            "smtp_in": {"port": 0},
            "accounts": [{"name": "support", "address": "support@shop.example", "brand": "shop"}],
            "relay": {"host": "127.0.0.1", "port": relay_port, "security": "none"},
        }
    )


def corpus() -> list[tuple[str, bytes]]:
    folder = corpora()
    if folder is None or not (folder / "email").is_dir():
        pytest.skip(corpus_absent("email"))
    paths = sorted(path for path in (folder / "email").rglob("*") if path.suffix in (".eml", ".msg"))
    return [(str(path.relative_to(folder)), path.read_bytes()) for path in paths]


def send_all(port: int, mails: list[tuple[str, bytes]]) -> dict[str, str]:
    """The answer to each mail, by one client after the other."""
    answers: dict[str, str] = {}
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        for name, raw in mails:
            client.ehlo_or_helo_if_needed()
            client.mail("ada@customer.example")
            client.rcpt("support@shop.example")
            code, text = client.data(raw)
            answers[name] = f"{code} {text.decode()}"
    return answers


async def test_every_mail_of_the_corpus_is_kept_and_ends_in_one_place() -> None:
    mails = corpus()
    engine = FakeEngine()
    async with smtp_server(engine) as server:
        answers = await asyncio.to_thread(send_all, server.port, mails)
    assert {answer[:3] for answer in answers.values()} == {"250"}
    items = [answer.partition(ITEM)[2] for answer in answers.values()]
    found = [
        str(data.part.item) if isinstance(data, InteractionEvent) else str(cast(Quarantined, data).item)
        for data in engine.payloads
    ]
    assert items == found
    quarantined = [data for data in engine.payloads if isinstance(data, Quarantined)]
    assert not quarantined


async def test_a_question_comes_in_an_answer_goes_out_and_its_answer_joins(tmp_path: Path) -> None:
    clock = FixedClock()
    engine = await open_engine(tmp_path / "data", clock=clock)
    mailbox = Mailbox(tmp_path / "mailbox.sqlite")
    customers = StandinServer(mailbox, clock)
    await customers.start()
    chosen = settings(customers.port)
    connector = EmailConnector(chosen, Intake(engine, clock), [SECRET])
    await connector.start()
    assert connector.port

    answers = await asyncio.to_thread(send_all, connector.port, [("first", mail()), ("again", mail())])
    assert answers["first"] == answers["again"]

    deliverer = email_deliverer(chosen, [SECRET], engine.blob)
    assert deliverer is not None
    receipt = await deliverer.deliver(outbound())
    assert receipt.status is ReceiptStatus.SENT
    (arrived,) = await mailbox.until(1)
    answer = mail(
        "Thank you",
        Message_ID="<two@customer.example>",
        In_Reply_To=f"<{arrived.message_id}>",
        To=arrived.sender,
    )
    await asyncio.to_thread(send_all, connector.port, [("answer", answer)])

    records = await engine.scan([Topic.INTERACTIONS], START, 10)
    received = [cast(InteractionReceived, record.event.data) for record in records if record.event]
    assert received[0].conversation == "mail:one@customer.example"
    assert received[-1].conversation == f"case:{outbound().case}"
    assert received[-1].tokens == (f"case:{outbound().case}",)
    assert received[-1].parents[0] == receipt.external_id
    assert await engine.blob(received[-1].original) == answer
    assert connector.health().state is HealthState.OK

    await deliverer.close()
    await connector.stop(2)
    assert connector.health().state is HealthState.STOPPED
    await customers.stop()
    await mailbox.close()
    await engine.close()


async def test_the_files_of_the_corpus_give_the_items_that_smtp_gave() -> None:
    mails = [(name, raw) for name, raw in corpus() if name.endswith(".eml")]
    by_smtp, by_file = FakeEngine(), FakeEngine()
    async with smtp_server(by_smtp) as server:
        # As a mail client does; smtplib would double dots after a bare line feed, which no server takes back.
        sendable = [(name, LINE_END.sub(b"\r\n", raw)) for name, raw in mails]
        await asyncio.to_thread(send_all, server.port, sendable)
        receiver = receiver_on(by_file, server._receiver._reader)
        folder = corpora()
        assert folder is not None
        for name, _ in mails:
            for each in mails_in([folder / name]):
                assert each.content is not None
                await receiver.keep(
                    await receiver.understand(
                        each.content, Envelope(source=each.source, account="support"), FixedClock().now()
                    )
                )
    assert [event.id for event in by_smtp.events] == [event.id for event in by_file.events]
