"""Answers that were sent are edited and taken back through Slack's own client; asked for twice they are done once in effect."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.slack import changing
from connectors.slack.standin.api import Fault
from schemas.interactions import Attachment
from schemas.outbound import ChangeKind, OutboundMessage, SentChange
from schemas.ports import Receipt, ReceiptStatus
from tests.connectors.slack.support import ANN, CHANNEL, outbound
from tests.connectors.slack.test_deliver import Sending, sending

__all__ = ["sending"]
LONG = "\n\n".join("word " * 150 for _ in range(12))


def change(kind: ChangeKind, sent: Receipt, conversation: str, text: str = "") -> OutboundMessage:
    asked = SentChange(
        kind=kind, message=outbound("", "").message, external_id=sent.external_id, parts=sent.parts
    )
    return outbound(text, conversation, name=f"{kind} {text}", change=asked)


async def sent(sending: Sending, text: str = "It is on its way", **more: Any) -> Receipt:
    receipt = await sending.sender.deliver(outbound(text, sending.conversation, **more))
    assert receipt.status is ReceiptStatus.SENT
    return receipt


async def test_an_answer_reads_otherwise_escaped_and_says_that_it_was_edited(sending: Sending) -> None:
    receipt = await sent(sending)
    edit = change(ChangeKind.EDIT, receipt, sending.conversation, "a < b")
    for _ in range(2):
        again = await sending.sender.deliver(edit)
        assert (again.status, again.external_id) == (ReceiptStatus.SENT, receipt.external_id)
    (posted,) = sending.slack.workspace.from_app()
    assert posted["text"] == "a &lt; b" and "edited" in posted


async def test_a_long_answer_becomes_one_message_and_is_taken_back_whole_with_its_files(
    sending: Sending,
) -> None:
    ref = await sending.place.engine.put_blob(b"%PDF-1.4", "application/pdf")
    file = Attachment(name="a.pdf", media_type="application/pdf", size=8, blob=ref)
    receipt = await sent(sending, LONG, attachments=(file,))
    assert len(receipt.parts) == len(sending.slack.workspace.from_app()) > 2
    edit = change(ChangeKind.EDIT, receipt, sending.conversation, "shorter")
    assert (await sending.sender.deliver(edit)).status is ReceiptStatus.SENT
    assert [each for each in sending.texts if each] == ["shorter"] and sending.slack.workspace.contents
    delete = change(ChangeKind.DELETE, receipt, sending.conversation)
    for _ in range(2):
        assert (await sending.sender.deliver(delete)).status is ReceiptStatus.SENT
    assert not sending.slack.workspace.from_app() and not sending.slack.workspace.contents


@pytest.mark.parametrize("kind", ChangeKind)
@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("edit_window_closed", ReceiptStatus.FAILED),
        ("cant_delete_message", ReceiptStatus.FAILED),
        ("ratelimited", ReceiptStatus.RETRY),
        ("token_revoked", ReceiptStatus.RETRY),
        ("internal_error", ReceiptStatus.UNKNOWN),
    ],
)
async def test_what_slack_refuses_is_told_as_it_is(
    sending: Sending, kind: ChangeKind, word: str, status: ReceiptStatus
) -> None:
    receipt = await sent(sending)
    sending.slack.api.fail(
        "chat.update" if kind is ChangeKind.EDIT else "chat.delete", Fault(f"error:{word}")
    )
    told = await sending.sender.deliver(change(kind, receipt, sending.conversation, "other words"))
    assert told.status is status and sending.texts == ["It is on its way"]


async def test_an_edit_of_a_message_that_is_gone_fails_and_its_deletion_is_done(sending: Sending) -> None:
    receipt = await sent(sending)
    sending.slack.workspace.delete(CHANNEL, receipt.external_id.rpartition(":")[2])
    edit = await sending.sender.deliver(change(ChangeKind.EDIT, receipt, sending.conversation, "other words"))
    assert (edit.status, edit.reason) == (ReceiptStatus.FAILED, "Slack: the message is gone")
    delete = await sending.sender.deliver(change(ChangeKind.DELETE, receipt, sending.conversation))
    assert delete.status is ReceiptStatus.SENT


@pytest.mark.parametrize("kind", ChangeKind)
@pytest.mark.parametrize("is_done", [True, False])
async def test_what_became_of_a_change_whose_answer_was_lost_is_seen_in_the_channel(
    sending: Sending, kind: ChangeKind, is_done: bool
) -> None:
    receipt = await sent(sending)
    method = "chat.update" if kind is ChangeKind.EDIT else "chat.delete"
    sending.slack.api.fail(method, Fault("drop", after=is_done))
    asked = change(kind, receipt, sending.conversation, "other words")
    assert (await sending.sender.deliver(asked)).status is ReceiptStatus.UNKNOWN
    settled = await sending.sender.reconcile(asked, sending.place.clock.now() - timedelta(seconds=1))
    assert settled is not None
    assert settled.status is (ReceiptStatus.SENT if is_done else ReceiptStatus.RETRY)


async def test_a_message_of_somebody_else_is_never_touched(sending: Sending) -> None:
    receipt = await sent(sending)
    theirs = sending.slack.workspace.say(ANN, CHANNEL, "mine")
    name = f"{receipt.external_id.rpartition(':')[0]}:{theirs}"
    asked = change(ChangeKind.DELETE, Receipt(ReceiptStatus.SENT, external_id=name), sending.conversation)
    assert (await sending.sender.deliver(asked)).status is ReceiptStatus.FAILED
    assert any(each["text"] == "mine" for each in sending.slack.workspace.channels[CHANNEL])


async def test_a_method_is_not_used_more_often_than_slack_lets_it(
    sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changing, "LONGEST_PAUSE_SECONDS", 0.0)
    receipt = await sent(sending)
    edit = change(ChangeKind.EDIT, receipt, sending.conversation, "other words")
    told = [await sending.sender.deliver(edit) for _ in range(changing.PER_METHOD.burst + 1)]
    assert {each.status for each in told[:-1]} == {ReceiptStatus.SENT}
    assert told[-1].status is ReceiptStatus.RETRY and (told[-1].retry_after_seconds or 0) > 0
    delete = change(ChangeKind.DELETE, receipt, sending.conversation)
    assert (await sending.sender.deliver(delete)).status is ReceiptStatus.SENT, "each method by itself"


async def test_the_stand_in_keeps_limits_as_slack_does_and_what_is_beyond_waits_as_long_as_it_says(
    sending: Sending,
) -> None:
    receipt = await sent(sending)
    sending.slack.api.limits["chat.update"] = 2
    edits = [change(ChangeKind.EDIT, receipt, sending.conversation, f"words {n}") for n in range(3)]
    first, second, third = [await sending.sender.deliver(each) for each in edits]
    assert first.status is second.status is ReceiptStatus.SENT
    assert third.status is ReceiptStatus.RETRY and 55 <= (third.retry_after_seconds or 0) <= 60
    assert sending.texts == ["words 1"]
    sending.slack.workspace.now = lambda: datetime.now(UTC) + timedelta(seconds=61)
    assert (await sending.sender.deliver(edits[2])).status is ReceiptStatus.SENT
