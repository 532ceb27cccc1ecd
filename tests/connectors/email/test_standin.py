"""The customers' mail server: what it keeps, and that it keeps it."""

from pathlib import Path

from connectors.email.standin import Mailbox
from tests.support.clock import MONDAY_MORNING

HELLO = b"Message-ID: <one@x>\r\nSubject: hello\r\n\r\ntext\r\n"


async def test_mails_are_still_there_after_a_restart_and_every_arrival_counts(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path / "mailbox.sqlite")
    number = await mailbox.keep("a@x.example", ["b@x.example", "c@x.example"], HELLO, MONDAY_MORNING)
    await mailbox.keep("a@x.example", ["b@x.example"], HELLO, MONDAY_MORNING)
    await mailbox.close()

    again = Mailbox(tmp_path / "mailbox.sqlite")
    assert await again.counts() == {"one@x": 2}
    found = await again.get(number)
    assert found is not None
    assert (found.sender, found.recipients, found.content) == (
        "a@x.example",
        ("b@x.example", "c@x.example"),
        HELLO,
    )
    assert found.received_at == MONDAY_MORNING
    assert await again.get(99) is None
    await again.close()


async def test_mails_are_listed_by_whole_recipients_newest_first(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path / "mailbox.sqlite")
    for recipient in ("a_b@x.example", "aXb@x.example", "a_b@x.example", "za_b@x.example"):
        await mailbox.keep("", [recipient], HELLO, MONDAY_MORNING)
    assert [each.number for each in await mailbox.list("a_b@x.example")] == [3, 1]
    assert [each.number for each in await mailbox.list(limit=2)] == [4, 3]
    await mailbox.close()
