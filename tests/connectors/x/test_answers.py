"""Answering on X, in public and alone, and taking back: through tweepy, against the stand-in."""

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.x.deliver import PROVES_ABSENCE_AFTER
from connectors.x.parse.weight import weight
from connectors.x.standin.faults import Fault
from connectors.x.standin.world import OWN
from schemas.errors import Outage
from schemas.ids import derive
from schemas.interactions import Participant, Role
from schemas.outbound import ChangeKind, OutboundMessage, SentChange
from schemas.ports import ReceiptStatus
from schemas.steps import Step
from tests.connectors.slack.support import outbound
from tests.connectors.x.support import ANN, BEN, TIMELINE, TWEET, Company, answer, begun
from tests.support.waiting import eventually


async def test_an_answer_replies_to_the_post(company: Company) -> None:
    post = company.x.mention(ANN, "@acme where is it")
    receipt = await company.sender.deliver(answer(company, "On its way", post))
    ours = company.x.posts[-1]
    assert receipt.status is ReceiptStatus.SENT and receipt.external_id == f"x:post:{ours['id']}"
    assert ours["referenced_tweets"] == [{"type": "replied_to", "id": post}]


async def test_a_long_answer_is_a_thread_in_which_each_post_answers_the_one_before(company: Company) -> None:
    post = company.x.mention(ANN, "@acme where is it")
    text = " ".join(f"word{number}" for number in range(120))
    assert (await company.sender.deliver(answer(company, text, post))).status is ReceiptStatus.SENT
    ours = [each for each in company.x.posts if each["author_id"] == OWN]
    assert len(ours) > 2 and all(weight(each["text"]) <= 280 for each in ours)
    parents = [each["referenced_tweets"][0]["id"] for each in ours]
    assert parents == [post, *[each["id"] for each in ours[:-1]]]


async def test_a_direct_message_goes_to_its_conversation(company: Company) -> None:
    message = outbound("Hello", f"x:dm:{OWN}:{BEN}-{OWN}", channel="x", account="acme-dm")
    receipt = await company.sender.deliver(message)
    assert receipt.status is ReceiptStatus.SENT
    assert company.x.messages[-1]["dm_conversation_id"] == f"{BEN}-{OWN}"


def privately(text: str, **more: Any) -> OutboundMessage:
    ann = Participant(role=Role.TO, scheme="x", value=ANN)
    given = {"channel": "x", "account": "acme-dm", "recipients": (ann,), **more}
    return outbound(text, f"case:{derive('case')}", **given)


async def test_who_wrote_in_public_is_written_to_alone_though_there_was_no_conversation_yet(
    company: Company,
) -> None:
    receipt = await company.sender.deliver(privately("What is your number?"))
    assert (receipt.status, receipt.conversation) == (ReceiptStatus.SENT, f"x:dm:{OWN}:{ANN}-{OWN}")
    assert f"POST /dm_conversations/with/{ANN}/messages" in company.x.calls
    await begun(company)
    company.x.write(ANN, "It is 1187")
    await company.connector.look()
    assert (await company.received())[-1].conversation == receipt.conversation, "so it joins the case"


async def test_a_private_answer_of_which_no_word_came_is_found_and_not_sent_twice(company: Company) -> None:
    company.x.fail(f"POST /dm_conversations/with/{ANN}/messages", Fault("drop", after=True))
    receipt = await company.sender.deliver(privately("What is your number?"))
    assert (receipt.status, receipt.conversation) == (ReceiptStatus.SENT, f"x:dm:{OWN}:{ANN}-{OWN}")
    assert company.x.said() == ["What is your number?"]


@pytest.mark.parametrize("wrong", [{"account": "acme"}, {"recipients": ()}], ids=["in public", "nobody"])
async def test_what_names_no_conversation_goes_to_nobody_else(
    company: Company, wrong: dict[str, Any]
) -> None:
    receipt = await company.sender.deliver(privately("What is your number?", **wrong))
    assert receipt.status is ReceiptStatus.FAILED and company.x.said() == []


@pytest.mark.parametrize(
    ("fault", "status", "said"),
    [
        (Fault("denied:You are not permitted to perform this action."), ReceiptStatus.FAILED, "mentioned"),
        (Fault("denied:Your account is suspended."), ReceiptStatus.RETRY, "suspended"),
        (Fault("status:401"), ReceiptStatus.RETRY, ""),
        (Fault("limited", reset_seconds=None), ReceiptStatus.RETRY, ""),
        (Fault("status:503"), ReceiptStatus.UNKNOWN, ""),
        (Fault("drop"), ReceiptStatus.UNKNOWN, ""),
    ],
    ids=lambda value: getattr(value, "kind", str(value)),
)
async def test_what_x_says_decides_what_happens_to_an_answer(
    company: Company, fault: Fault, status: ReceiptStatus, said: str
) -> None:
    post = company.x.mention(ANN, "@acme where is it")
    company.x.fail(TWEET, fault)
    receipt = await company.sender.deliver(answer(company, "On its way", post))
    assert receipt.status is status and said in receipt.reason
    assert company.x.said() == []


@pytest.mark.parametrize("kind", ["drop", "status:502"])
async def test_what_was_taken_without_a_good_answer_is_found_and_not_posted_twice(
    company: Company, kind: str
) -> None:
    post = company.x.mention(ANN, "@acme where is it")
    company.x.fail(TWEET, Fault(kind, after=True))
    receipt = await company.sender.deliver(answer(company, "On its way & soon", post))
    assert receipt.status is ReceiptStatus.SENT
    assert company.x.said() == ["On its way & soon"]


async def test_a_text_that_x_has_already_is_found_as_the_try_before(company: Company) -> None:
    post = company.x.mention(ANN, "@acme where is it")
    message = answer(company, "On its way", post)
    company.x.fail(TWEET, Fault("drop", after=True))
    company.x.fail(TIMELINE, *[Fault("status:503")] * 2)
    assert (await company.sender.deliver(message)).status is ReceiptStatus.UNKNOWN
    assert (await company.sender.deliver(message)).status is ReceiptStatus.SENT
    assert company.x.said() == ["On its way"]


async def test_an_answer_that_x_takes_after_we_stopped_waiting_is_unknown_until_it_is_found(
    company: Company,
) -> None:
    post = company.x.mention(ANN, "@acme where is it")
    client = company.connector.client
    await client.close()
    client.session, usual, client._timeout_seconds = None, client._timeout_seconds, 0.5
    company.x.fail(TWEET, Fault("held"))
    message = answer(company, "On its way", post)
    assert (await company.sender.deliver(message)).status is ReceiptStatus.UNKNOWN
    company.x.released.set()
    await eventually(lambda: company.x.said() == ["On its way"])
    await client.close()
    client.session, client._timeout_seconds = None, usual
    settled = await company.sender.reconcile(message, message.queued_at)
    assert settled is not None and settled.status is ReceiptStatus.SENT
    assert company.x.said() == ["On its way"]


async def test_the_same_words_to_another_post_are_not_taken_for_an_answer_that_x_never_took(
    company: Company,
) -> None:
    first, second = company.x.mention(ANN, "@acme where is it"), company.x.mention(BEN, "@acme and mine")
    assert (await company.sender.deliver(answer(company, "On its way", first))).status is ReceiptStatus.SENT
    company.x.fail(TWEET, Fault("drop"))
    unsent = answer(company, "On its way", second)
    assert (await company.sender.deliver(unsent)).status is ReceiptStatus.UNKNOWN
    late = unsent.queued_at + PROVES_ABSENCE_AFTER
    assert (await company.sender.reconcile(unsent, late)) is None, "so soon its absence proves nothing"
    assert company.x.said() == ["On its way"]


async def test_the_same_words_written_privately_before_are_not_taken_for_what_never_left(
    company: Company,
) -> None:
    assert (await company.sender.deliver(privately("Thank you"))).status is ReceiptStatus.SENT
    company.x.fail(f"POST /dm_conversations/with/{ANN}/messages", Fault("drop"))
    assert (await company.sender.deliver(privately("Thank you"))).status is ReceiptStatus.UNKNOWN
    assert company.x.said() == ["Thank you"]


@pytest.mark.parametrize("ways", [True, False], ids=["found", "not yet"])
async def test_a_count_that_cannot_be_kept_makes_no_answer_unknown(
    company: Company, monkeypatch: pytest.MonkeyPatch, ways: bool
) -> None:
    post = company.x.mention(ANN, "@acme where is it")
    message = answer(company, "On its way", post)
    company.x.fail(TWEET, Fault("drop", after=ways))

    async def breaks(step: Step) -> None:
        raise Outage("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(company.place.engine, "commit", breaks)
        receipt = await company.sender.deliver(message)
        assert receipt.status is (ReceiptStatus.SENT if ways else ReceiptStatus.UNKNOWN)
        told = await company.sender.reconcile(message, datetime.now(UTC))
        assert (told is not None and told.status is ReceiptStatus.SENT) is ways
    assert "1 sent" in company.connector.health().detail
    await company.connector.spending.add(reads=1)
    await company.connector.spending.load()
    assert "1 sent" in company.connector.health().detail, "kept with the next count"


def asked(kind: ChangeKind, name: str, parts: tuple[str, ...] = ()) -> OutboundMessage:
    change = SentChange(kind=kind, message=derive("answer"), external_id=name, parts=parts)
    return outbound("", f"x:post:{OWN}:1", channel="x", account="acme", change=change)


async def test_a_reply_below_a_post_of_ours_is_hidden_and_shown_again(company: Company) -> None:
    ours = company.x.mention(OWN, "New: the Polaris")
    rude = company.x.mention(ANN, "@acme rude words", answers=ours)
    for kind, hidden in ((ChangeKind.HIDE, {rude}), (ChangeKind.HIDE, {rude}), (ChangeKind.SHOW, set())):
        receipt = await company.sender.deliver(asked(kind, f"x:post:{rude}"))
        assert (receipt.status, company.x.hidden) == (ReceiptStatus.SENT, hidden)


async def test_what_cannot_be_hidden_says_why_and_what_is_not_known_is_asked_again(company: Company) -> None:
    theirs = company.x.mention(ANN, "@acme rude words")
    receipt = await company.sender.deliver(asked(ChangeKind.HIDE, f"x:post:{theirs}"))
    assert receipt.status is ReceiptStatus.FAILED and "itself began" in receipt.reason
    company.x.fail(f"PUT /tweets/{theirs}/hidden", Fault("status:503"))
    receipt = await company.sender.deliver(asked(ChangeKind.HIDE, f"x:post:{theirs}"))
    assert receipt.status is ReceiptStatus.RETRY, "it may be asked for twice"


async def test_a_thread_of_which_x_keeps_a_part_is_not_said_to_stand_as_it_was(company: Company) -> None:
    post = company.x.mention(ANN, "@acme where is it")
    text = " ".join(f"word{number}" for number in range(120))
    sent = await company.sender.deliver(answer(company, text, post))
    first = sent.parts[0].rpartition(":")[2]
    company.x.fail(f"DELETE /tweets/{first}", Fault("denied:You are not allowed."))
    receipt = await company.sender.deliver(asked(ChangeKind.DELETE, sent.external_id, sent.parts))
    assert receipt.status is ReceiptStatus.UNKNOWN and "only a part" in receipt.reason
    assert len(company.x.said()) == 1


async def test_a_thread_is_taken_back_whole_however_often_it_is_asked_for(company: Company) -> None:
    post = company.x.mention(ANN, "@acme where is it")
    text = " ".join(f"word{number}" for number in range(120))
    sent = await company.sender.deliver(answer(company, text, post))
    assert len(sent.parts) > 2 and sent.parts[-1] == sent.external_id
    for _ in range(2):
        receipt = await company.sender.deliver(asked(ChangeKind.DELETE, sent.external_id, sent.parts))
        assert receipt.status is ReceiptStatus.SENT
    assert company.x.said() == []
