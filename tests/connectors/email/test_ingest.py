"""Mail from files: every kind of file, any number of times."""

from pathlib import Path
from typing import cast

import pytest

from connectors.email.ingest import Counts, ingest
from connectors.email.reader import MailReader
from connectors.email.sources import SourceMail, count_files, mails_in
from schemas.errors import Outage
from schemas.events import Event
from schemas.interactions import InteractionReceived
from schemas.steps import Step
from tests.connectors.email.house import FakeEngine, FixedClock, mail, receiver_on


def numbered(number: int, body: str = "text") -> bytes:
    return mail(body, Message_ID=f"<{number}@x.example>")


async def take(engine: FakeEngine, *paths: Path, account: str | None = None) -> Counts:
    reader = MailReader()
    counts = await ingest(paths, receiver_on(engine, reader), FixedClock(), account)
    await reader.close()
    return counts


def contents(*paths: Path) -> list[bytes | None]:
    return [each.content for each in mails_in(paths)]


def test_folders_are_read_in_the_order_of_their_names_and_only_what_may_be_a_mail(tmp_path: Path) -> None:
    for name, number in (("b.eml", 2), ("a.eml", 1), ("sub/c.EML", 3), ("notes.pdf", 9), (".hidden.eml", 9)):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(numbered(number))
    assert contents(tmp_path) == [numbered(1), numbered(2), numbered(3)]
    assert count_files([tmp_path]) == 3


def test_a_maildir_gives_what_was_delivered_whatever_the_files_are_called(tmp_path: Path) -> None:
    for folder in ("cur", "new", "tmp", ".Sent/cur", ".Sent/new", ".Sent/tmp"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "cur/1700000000.M1P2.host:2,S").write_bytes(numbered(1))
    (tmp_path / "new/1700000001.M1P2.host").write_bytes(numbered(2))
    (tmp_path / "tmp/1700000002.M1P2.host").write_bytes(numbered(3))
    (tmp_path / ".Sent/cur/1700000003.M1P2.host:2,").write_bytes(numbered(4))
    assert sorted(filter(None, contents(tmp_path))) == [numbered(1), numbered(2), numbered(4)]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_an_mbox_is_split_exactly(tmp_path: Path, line_end: bytes) -> None:
    bodies = ["text", "From here on\nand on", "\nFrom the top of a paragraph\n", ">From quoted", "last\n\n"]
    mails = [numbered(number, body).replace(b"\r\n", line_end) for number, body in enumerate(bodies)]
    path = tmp_path / "mail.mbox"
    path.write_bytes(
        b"".join(b"From ada@x Mon Mar  2 09:00:00 2026" + line_end + each + line_end for each in mails)
    )
    assert contents(path) == mails


def test_an_mbox_without_an_end_or_a_mail_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "mail.mbox"
    path.write_bytes(b"From x\n" + numbered(1).rstrip())
    assert contents(path) == [numbered(1).rstrip()]
    path.write_bytes(b"From x\n")
    assert [each.problem for each in mails_in([path])] == ["the file is empty"]


async def test_everything_is_counted_and_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "1.eml").write_bytes(numbered(1))
    (tmp_path / "2.eml").write_bytes(mail(From="support@shop.example"))
    (tmp_path / "3.eml").write_bytes(b"\x00" * 10)
    (tmp_path / "4.eml").write_bytes(b"")
    counts = await take(FakeEngine(), tmp_path, tmp_path / "missing")
    assert (counts.accepted, counts.ignored, counts.quarantined, counts.unread, counts.total) == (
        1,
        1,
        1,
        2,
        5,
    )
    assert [problem.rpartition("/")[2] for problem in sorted(counts.problems)] == [
        "3.eml: quarantined: empty",
        "4.eml: the file is empty",
        "missing: there is no such file or folder",
    ]


async def test_a_second_time_gives_the_same_events(tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / f"{number:02}.eml").write_bytes(numbered(number))
    first, second = FakeEngine(), FakeEngine()
    await take(first, tmp_path)
    await take(second, tmp_path)
    assert [event.id for event in first.events] == [event.id for event in second.events]
    names = [cast(InteractionReceived, event.data).external_id for event in first.events]
    assert names == [f"mail:{number}@x.example" for number in range(40)]  # in the order of the files


async def test_mail_that_names_none_of_us_goes_to_the_account_asked_for(tmp_path: Path) -> None:
    (tmp_path / "1.eml").write_bytes(mail(To="somebody@else.example"))
    engine = FakeEngine()
    await take(engine, tmp_path, account="sales")
    assert cast(InteractionReceived, engine.payloads[0]).account == "sales"


async def test_an_outage_stops_it_and_what_was_counted_is_kept(tmp_path: Path) -> None:
    class FullDisk(FakeEngine):
        async def commit(self, step: Step) -> None:
            if len(self.steps) == 3:
                raise Outage("the disk is full")
            await super().commit(step)

    for number in range(40):
        (tmp_path / f"{number:02}.eml").write_bytes(numbered(number))
    engine = FullDisk()
    seen: list[str] = []
    reader = MailReader()

    def note(mail: SourceMail, _: object, counts: Counts) -> None:
        seen.append(mail.source)

    with pytest.raises(Outage, match="the disk is full"):
        await ingest([tmp_path], receiver_on(engine, reader), FixedClock(), on_taken=note)
    await reader.close()
    kept: list[Event] = engine.events
    assert len(kept) == len(seen) == 3
