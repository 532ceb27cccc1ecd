"""Answers through Slack's own client against the stand-in: every send ends in sent, failed or unknown, and none is doubled."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.slack.deliver import Sender
from connectors.slack.standin.api import Fault
from connectors.slack.standin.server import BOT_TOKEN, SlackStandin
from connectors.slack.standin.workspace import TEAM
from connectors.slack.web import SlackWeb
from schemas.interactions import Attachment
from schemas.ports import ReceiptStatus
from tests.connectors.slack.support import ANN, CHANNEL, DIRECT, Place, account, outbound, place, standin

POST = "chat.postMessage"


@dataclass
class Sending:
    sender: Sender
    slack: SlackStandin
    place: Place
    thread: str

    @property
    def conversation(self) -> str:
        return f"slack:{TEAM}:{CHANNEL}:{self.thread}"

    @property
    def texts(self) -> list[str]:
        return [each["text"] for each in self.slack.workspace.from_app()]


@pytest.fixture
async def sending(tmp_path: Path) -> AsyncIterator[Sending]:
    async with standin() as slack, place(tmp_path) as there:
        settings = account(slack.api_url)
        web = SlackWeb(BOT_TOKEN, settings.api_url, timeout_seconds=0.5)
        slack.request_url = "http://127.0.0.1:9/nobody"
        sender = Sender(settings, TEAM, web, there.clock, there.engine.blob, look_after_seconds=(0.0, 0.05))
        yield Sending(sender, slack, there, slack.workspace.say(ANN, CHANNEL, "Where is it?"))
        await web.close()


async def test_an_answer_stands_in_the_thread_escaped_and_marked(sending: Sending) -> None:
    receipt = await sending.sender.deliver(outbound("a < b & <@U1>", sending.conversation))
    (posted,) = sending.slack.workspace.from_app()
    assert posted["thread_ts"] == sending.thread
    assert posted["text"] == "a &lt; b &amp; &lt;@U1&gt;"
    assert receipt.status is ReceiptStatus.SENT and receipt.may_change
    assert receipt.external_id == f"slack:{TEAM}:{CHANNEL}:{posted['ts']}"


async def test_in_a_direct_message_an_answer_stands_in_no_thread(sending: Sending) -> None:
    await sending.sender.deliver(outbound("Hello", f"slack:{TEAM}:{DIRECT}"))
    (posted,) = sending.slack.workspace.from_app()
    assert "thread_ts" not in posted


async def test_a_long_answer_comes_in_parts_in_order(sending: Sending) -> None:
    text = "\n\n".join(f"Paragraph {number} " + "word " * 150 for number in range(12))
    receipt = await sending.sender.deliver(outbound(text, sending.conversation))
    assert receipt.status is ReceiptStatus.SENT
    assert len(sending.texts) > 1
    assert "".join("".join(sending.texts).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Fault("limited"), ReceiptStatus.RETRY),
        (Fault("limited", retry_after=None), ReceiptStatus.RETRY),
        (Fault("error:channel_not_found"), ReceiptStatus.FAILED),
        (Fault("error:is_archived"), ReceiptStatus.FAILED),
        (Fault("error:token_revoked"), ReceiptStatus.RETRY),
        (Fault("error:fatal_error"), ReceiptStatus.UNKNOWN),
        (Fault("status:503"), ReceiptStatus.UNKNOWN),
        (Fault("drop"), ReceiptStatus.UNKNOWN),
        (Fault("slow"), ReceiptStatus.UNKNOWN),
    ],
    ids=lambda value: getattr(value, "kind", str(value)),
)
async def test_where_nothing_was_accepted_nothing_is_called_sent(
    sending: Sending, fault: Fault, status: ReceiptStatus
) -> None:
    sending.slack.api.fail(POST, fault)
    receipt = await sending.sender.deliver(outbound("Hello", sending.conversation))
    assert receipt.status is status
    assert sending.texts == [], "and nothing was sent behind our back"


async def test_slack_says_how_long_to_wait(sending: Sending) -> None:
    sending.slack.api.fail(POST, Fault("limited", retry_after="17"))
    receipt = await sending.sender.deliver(outbound("Hello", sending.conversation))
    assert receipt.retry_after_seconds == 17


async def test_a_token_that_is_no_longer_good_stops_the_account(sending: Sending) -> None:
    sending.slack.api.bot_token = "xoxb-another"
    receipt = await sending.sender.deliver(outbound("Hello", sending.conversation))
    assert receipt.stop_account and "xoxb" not in receipt.reason


@pytest.mark.parametrize("kind", ["drop", "status:502", "error:internal_error"])
async def test_what_was_accepted_without_a_good_answer_is_found_in_the_channel(
    sending: Sending, kind: str
) -> None:
    sending.slack.api.fail(POST, Fault(kind, after=True))
    receipt = await sending.sender.deliver(outbound("Hello", sending.conversation))
    assert receipt.status is ReceiptStatus.SENT
    assert sending.texts == ["Hello"]


async def test_what_stays_unknown_is_settled_when_slack_can_be_asked_again(sending: Sending) -> None:
    message = outbound("Hello", sending.conversation)
    sending.slack.api.fail(POST, Fault("drop", after=True))
    sending.slack.api.fail("conversations.replies", *[Fault("status:503")] * 3)
    receipt = await sending.sender.deliver(message)
    assert receipt.status is ReceiptStatus.UNKNOWN
    tried_at = sending.place.clock.now()
    assert await sending.sender.reconcile(message, tried_at) is None, "the third fault"
    settled = await sending.sender.reconcile(message, tried_at)
    assert settled is not None and settled.status is ReceiptStatus.SENT
    assert sending.texts == ["Hello"]


async def test_what_is_not_there_is_sent_again_only_when_it_can_no_longer_come(sending: Sending) -> None:
    message = outbound("Hello", sending.conversation)
    sending.slack.api.fail(POST, Fault("drop"))
    assert (await sending.sender.deliver(message)).status is ReceiptStatus.UNKNOWN
    tried_at = sending.place.clock.now()
    assert await sending.sender.reconcile(message, tried_at) is None
    sending.place.clock.ahead = timedelta(minutes=11)
    settled = await sending.sender.reconcile(message, tried_at)
    assert settled is not None and settled.status is ReceiptStatus.RETRY


async def test_a_part_that_has_to_wait_does_not_bring_the_first_one_twice(sending: Sending) -> None:
    text = "first " * 600 + "\n\n" + "second " * 300
    sending.slack.api.fail(POST, Fault("none"), Fault("limited", retry_after="0"))
    receipt = await sending.sender.deliver(outbound(text, sending.conversation))
    assert receipt.status is ReceiptStatus.SENT
    assert [each[:5] for each in sending.texts] == ["first", "secon"]


async def test_files_leave_by_the_flow_of_today_in_the_same_thread(sending: Sending) -> None:
    blob = await sending.place.engine.put_blob(b"%PDF-1.7 invoice", "application/pdf")
    attachment = Attachment(name="invoice.pdf", media_type="application/pdf", size=blob.size, blob=blob)
    receipt = await sending.sender.deliver(outbound("Here", sending.conversation, attachments=(attachment,)))
    assert receipt.status is ReceiptStatus.SENT
    posted = sending.slack.workspace.from_app()
    assert [each["text"] for each in posted] == ["Here", ""]
    assert posted[1]["files"][0]["name"] == "invoice.pdf" and posted[1]["thread_ts"] == sending.thread


async def test_an_upload_that_fails_shows_nothing_and_is_tried_again(sending: Sending) -> None:
    blob = await sending.place.engine.put_blob(b"%PDF-1.7 invoice", "application/pdf")
    attachment = Attachment(name="invoice.pdf", media_type="application/pdf", size=blob.size, blob=blob)
    sending.slack.api.fail("files.getUploadURLExternal", Fault("status:500"))
    receipt = await sending.sender.deliver(outbound("Here", sending.conversation, attachments=(attachment,)))
    assert receipt.status is ReceiptStatus.RETRY
    assert sending.texts == []


async def test_an_answer_to_what_is_no_conversation_fails_and_says_so(sending: Sending) -> None:
    receipt = await sending.sender.deliver(outbound("Hello", "mail:abc"))
    assert receipt.status is ReceiptStatus.FAILED and "Slack" in receipt.reason
