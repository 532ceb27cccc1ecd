"""Reading without holding up the loop: threads for small mails, killable processes for the others."""

import asyncio
import sys
from pathlib import Path

import pytest

from connectors.email import reader as reading
from connectors.email.envelope import Envelope
from connectors.email.parse import parse_mail
from connectors.email.reader import MailReader, Unreadable, is_small
from connectors.email.suspects import FOLDER, Suspects
from connectors.kit.items import Fate
from schemas.interactions import InteractionReceived
from schemas.parking import Quarantined
from tests.connectors.email.house import FakeEngine, mail, receiver_on
from tests.support.clock import MONDAY_MORNING


def with_attachments(size: int) -> bytes:
    part = "--b\r\nContent-Type: image/png; name=a{0}.png\r\nContent-Transfer-Encoding: base64\r\n\r\n{1}\r\n"
    lines = ("QUJD" * 19 + "\r\n") * (size // 78)
    body = "".join(part.format(number, lines) for number in range(2)) + "--b--\r\n"
    head = "From: ada@customer.example\r\nMessage-ID: <big@x>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    return (head + body).encode()


async def test_a_large_mail_reads_the_same_in_a_process() -> None:
    raw = with_attachments(400_000)
    assert not is_small(raw)
    reader = MailReader()
    mail = await reader.read(raw)
    here = parse_mail(raw)
    assert mail.model_dump_json() == here.model_dump_json()
    assert tuple(mail.payloads) == tuple(here.payloads)
    await reader.close()


async def test_a_process_that_takes_too_long_is_killed_and_the_next_mail_is_read() -> None:
    reader = MailReader(wall_seconds=0.0)
    with pytest.raises(Unreadable, match="longer than"):
        await reader.read(with_attachments(400_000))
    reader._wall_seconds = 20.0
    assert (await reader.read(with_attachments(400_000))).message_id == "big@x"
    await reader.close()


async def test_a_process_that_dies_quarantines_the_mail_and_no_other() -> None:
    engine = FakeEngine()
    reader = MailReader()
    receiver = receiver_on(engine, reader)
    raw = with_attachments(400_000)
    await reader.read(raw)
    (worker,) = reader._idle
    await worker.kill()
    taken = await receiver.take(
        raw, Envelope(recipients=("sales@garden.example",), peer="192.0.2.1"), MONDAY_MORNING
    )
    assert taken.fate is Fate.QUARANTINED
    (quarantined,) = engine.payloads
    assert isinstance(quarantined, Quarantined)
    assert (quarantined.account, quarantined.stage) == ("sales", "parse")
    # The original with its envelope is all that is needed to read it again.
    again = await receiver.understand(
        engine.steps[0].blobs[0].content, Envelope.from_facts(quarantined.envelope), MONDAY_MORNING
    )
    (event,) = again.interactions
    assert isinstance(event, InteractionReceived)
    assert event.account == "sales"
    await reader.close()


async def test_the_loop_goes_on_while_a_large_mail_is_read() -> None:
    reader = MailReader()
    reading = asyncio.create_task(reader.read(with_attachments(3_000_000)))
    turns = 0
    while not reading.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert turns > 50
    assert (await reading).message_id == "big@x"
    await reader.close()


async def test_what_is_no_mail_is_kept_in_quarantine_with_the_reason() -> None:
    engine = FakeEngine()
    reader = MailReader()
    taken = await receiver_on(engine, reader).take(b"\r\n \r\n", Envelope(), MONDAY_MORNING)
    assert (taken.fate, taken.reason) == (Fate.QUARANTINED, "empty")
    assert engine.steps[0].blobs[0].content == b"\r\n \r\n"
    await reader.close()


@pytest.mark.parametrize(
    "envelope",
    [
        Envelope(),
        Envelope(mail_from="", recipients=("a@x", "b@x"), peer="::1"),
        Envelope(mail_from="ada@x", source="in/one.eml", account="sales"),
    ],
)
def test_an_envelope_survives_being_kept_as_text(envelope: Envelope) -> None:
    assert Envelope.from_facts(envelope.facts()) == envelope


async def test_a_mail_our_own_code_stumbles_over_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(*_: object) -> None:
        raise KeyError("kind")

    monkeypatch.setattr("connectors.email.receiver.map_mail", stumble)
    engine = FakeEngine()
    reader = MailReader()
    taken = await receiver_on(engine, reader).take(mail(), Envelope(), MONDAY_MORNING)
    assert (taken.fate, taken.reason) == (Fate.QUARANTINED, "KeyError: 'kind'")
    await reader.close()


POISON = b"From: ada@customer.example\r\nMessage-ID: <poison@x>\r\n\r\nHello\r\n"
DIES = """
import asyncio, os, sys
from pathlib import Path
from connectors.email import reader
from connectors.email.suspects import Suspects
reader.parse_mail = lambda raw, limits: os._exit(7)
asyncio.run(reader.MailReader(suspects=Suspects(Path(sys.argv[1]))).read(sys.stdin.buffer.read()))
"""


def left_in(folder: Path) -> list[Path]:
    return list((folder / FOLDER).iterdir())


async def test_a_mail_that_ended_the_hub_is_read_in_a_process_of_its_own_from_then_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", DIES, str(tmp_path), stdin=asyncio.subprocess.PIPE
    )
    await process.communicate(POISON)
    assert process.returncode == 7
    assert len(left_in(tmp_path)) == 1

    def here(raw: bytes, limits: object) -> None:
        raise AssertionError("it was read in this process")

    monkeypatch.setattr(reading, "parse_mail", here)
    reader = MailReader(suspects=Suspects(tmp_path))
    assert (await reader.read(POISON)).message_id == "poison@x"
    assert left_in(tmp_path) == []
    with pytest.raises(AssertionError, match="in this process"):  # it is innocent, and is read like any other
        await reader.read(POISON)
    await reader.close()


async def test_nothing_is_left_of_a_mail_that_was_read(tmp_path: Path) -> None:
    reader = MailReader(suspects=Suspects(tmp_path))
    assert (await reader.read(POISON)).message_id == "poison@x"
    assert left_in(tmp_path) == []
    await reader.close()


async def test_a_folder_that_cannot_be_written_suspects_nobody(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("no folder")
    reader = MailReader(suspects=Suspects(tmp_path))
    assert (await reader.read(POISON)).message_id == "poison@x"
    await reader.close()
