"""Asking X for what is new, being told of it, and answering: through tweepy, against the stand-in."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.kit.hooks import HookRequest, serve
from connectors.x.client import XError
from connectors.x.connector import XConnector
from connectors.x.deliver import Sender
from connectors.x.hook import sign
from connectors.x.parse.weight import weight
from connectors.x.settings import XAccount
from connectors.x.standin.server import KEY, OWN, SECRET, TOKEN, TOKEN_SECRET, Fault, XStandin
from schemas.errors import Outage
from schemas.ids import derive
from schemas.interactions import (
    InteractionDeleted,
    InteractionEdited,
    InteractionIgnored,
    InteractionReceived,
    Participant,
    Role,
)
from schemas.outbound import ChangeKind, OutboundMessage, SentChange
from schemas.ports import ReceiptStatus
from schemas.steps import Step
from tests.connectors.slack.support import Place, outbound, place

ANN, BEN = "501", "502"
TWEET, TIMELINE = "POST /tweets", f"GET /users/{OWN}/tweets"


@dataclass
class Company:
    x: XStandin
    place: Place
    connector: XConnector

    async def texts(self) -> list[str]:
        return [each.content.text for each in await self.received()]

    async def received(self) -> list[InteractionReceived]:
        found = {
            each.part.item: each
            for each in await self.place.interactions()
            if isinstance(each, InteractionReceived)
        }
        return list(found.values())

    @property
    def sender(self) -> Sender:
        sender = self.connector.sender
        sender._look_after_seconds = (0.0, 0.05)
        return sender


def account(url: str, **more: Any) -> XAccount:
    return XAccount.model_validate(
        {
            "name": "acme",
            "user_id": OWN,
            "consumer_key": KEY,
            "consumer_secrets": [SECRET],
            "access_token": TOKEN,
            "access_token_secret": TOKEN_SECRET,
            "webhook": True,
            "api_url": url,
            **more,
        }
    )


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    x = XStandin()
    x.person(ANN, "Ann", "ann")
    x.person(BEN, "Ben", "ben")
    await x.start()
    async with place(tmp_path) as there:
        connector = XConnector(account(x.url), there.around)
        yield Company(x, there, connector)
        await connector.close()
    await x.stop()


async def begun(company: Company) -> None:
    """The first look, which takes nothing."""
    company.x.mention(ANN, "@acme long ago")
    assert await company.connector.look() == 0


async def test_the_first_look_takes_nothing_and_the_next_what_came_since(company: Company) -> None:
    await begun(company)
    company.x.mention(ANN, "@acme where is it? &lt;1187&gt;")
    company.x.write(BEN, "a private question")
    assert await company.connector.look() == 2
    assert await company.texts() == ["@acme where is it? <1187>", "a private question"]
    public, private = await company.received()
    assert (public.account, private.account) == ("acme", "acme-dm")
    assert public.sender is not None and public.sender.name == "Ann (@ann)"
    assert await company.connector.look() == 0


async def test_what_was_before_comes_when_it_is_asked_for_again_and_once(company: Company) -> None:
    await begun(company)
    company.x.mention(ANN, "@acme and now?")
    await company.connector.look()
    for sweep in company.connector.sweeps:
        sweep.again = datetime(2011, 1, 1, tzinfo=UTC)
    await company.connector.look()
    assert sorted(await company.texts()) == ["@acme and now?", "@acme long ago"]
    assert await company.connector.look() == 0


async def test_many_pages_are_given_on_the_oldest_first(company: Company) -> None:
    await begun(company)
    said = [f"@acme question {number}" for number in range(230)]
    for each in said:
        company.x.mention(ANN, each)
    assert await company.connector.look() == 230
    assert await company.texts() == said


async def test_more_than_x_keeps_is_a_gap_that_is_told(company: Company) -> None:
    await begun(company)
    assert company.connector.sweeps[0]._most == company.x.newest_mentions == 800
    company.connector.sweeps[0]._most = company.x.newest_mentions = 40
    for number in range(45):
        company.x.mention(ANN, f"@acme {number}")
    assert await company.connector.look() == 40
    assert "missed" in company.connector.health().detail and len(await gaps(company)) == 1


async def gaps(company: Company) -> list[str]:
    ignored = [each for each in await company.place.interactions() if isinstance(each, InteractionIgnored)]
    return [each.reason for each in ignored if each.reason.startswith("a gap")]


async def test_history_longer_than_a_sweep_leaves_a_gap_on_the_log_that_a_restart_still_tells(
    company: Company,
) -> None:
    company.x.write(BEN, "long ago")
    await company.connector.look()
    messages = company.connector.sweeps[1]
    messages._most_pages = 2
    for number in range(250):
        company.x.write(BEN, f"message {number}")
    assert await company.connector.look() == 200
    assert await company.texts() == [f"message {number}" for number in range(50, 250)]
    (gap,) = await gaps(company)
    assert "messages came than X gives in one go" in gap and gap.endswith("were missed")
    again = XConnector(account(company.x.url), company.place.around)
    assert await again.look() == 0
    assert "were missed" in again.health().detail and len(await gaps(company)) == 1
    company.place.clock.ahead = timedelta(days=8)
    await again.look()
    assert "missed" not in again.health().detail, "told for a week; the log says it for ever"
    await again.close()


async def test_a_replay_that_ends_where_x_ends_is_no_gap(company: Company) -> None:
    await begun(company)
    company.x.mention(ANN, "@acme and now?")
    await company.connector.look()
    company.connector.sweeps[0]._most = 2
    company.connector.sweeps[0].again = datetime(2011, 1, 1, tzinfo=UTC)
    await company.connector.look()
    assert await gaps(company) == []


async def test_a_sweep_that_meets_a_limit_goes_on_behind_what_it_has_read(company: Company) -> None:
    company.x.write(BEN, "long ago")
    await company.connector.look()
    for number in range(250):
        company.x.write(BEN, f"message {number}")
    company.x.fail("GET /dm_events", Fault("nothing"), Fault("nothing"), Fault("limited"))
    with pytest.raises(XError, match="429"):
        await company.connector.look()
    company.x.calls.clear()
    assert await company.connector.look() == 250
    assert company.x.calls.count("GET /dm_events") == 1, "what was read is paid for once"
    assert await company.texts() == [f"message {number}" for number in range(250)]


async def test_a_look_that_ends_half_way_begins_again_at_its_start(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    await begun(company)
    for number in range(150):
        company.x.mention(ANN, f"@acme {number}")
    company.x.fail(f"GET /users/{OWN}/mentions", Fault("status:500"))
    with pytest.raises(XError):
        await company.connector.look()
    commit, left = company.place.engine.commit, 100

    async def breaks(step: Step) -> None:
        nonlocal left
        if step.events:
            left -= 1
        if left == 0:
            raise Outage("the disk is full")
        await commit(step)

    with monkeypatch.context() as patch:
        patch.setattr(company.place.engine, "commit", breaks)
        with pytest.raises(Outage):
            await company.connector.look()
    assert await company.connector.look() == 150
    assert len(await company.received()) == 150, "each is known by its id"


async def test_a_limit_is_waited_for_as_long_as_x_asks(company: Company) -> None:
    company.x.fail(f"GET /users/{OWN}/mentions", Fault("limited"))
    with pytest.raises(XError) as refused:
        await company.connector.look()
    assert refused.value.wait_seconds == 7


async def test_an_edit_is_the_first_post_and_what_became_of_it(company: Company) -> None:
    await begun(company)
    id = company.x.mention(ANN, "@acme wher is it")
    await company.connector.look()
    company.x.edit(id, "@acme where is it")
    unseen = company.x.mention(BEN, "@acme first words")
    company.x.edit(unseen, "@acme last words")
    await company.connector.look()
    edits = [each for each in await company.place.interactions() if isinstance(each, InteractionEdited)]
    assert [(each.target, each.content.text) for each in edits] == [
        (f"x:post:{id}", "@acme where is it"),
        (f"x:post:{unseen}", "@acme last words"),
    ]
    assert {each.external_id for each in await company.received()} == {f"x:post:{id}", f"x:post:{unseen}"}


async def test_what_reading_costs_is_counted_and_stops_at_the_cap(tmp_path: Path) -> None:
    x = XStandin()
    await x.start()
    async with place(tmp_path) as there:
        connector = XConnector(account(x.url, reads_a_month=5), there.around)
        await connector.look()
        for number in range(6):
            x.mention(ANN, f"@acme {number}")
        await connector.look()
        assert "used up" in connector.health().detail
        calls = len(x.calls)
        await connector.look()
        assert len(x.calls) == calls, "X is not even asked"
        await connector.close()
    await x.stop()


async def test_the_post_that_a_customer_answers_is_shown_with_the_answer(company: Company) -> None:
    await begun(company)
    ours = company.x.mention(OWN, "New: the Polaris &amp; more")
    company.x.mention(ANN, "@acme in which sizes?", answers=ours)
    await company.connector.look()
    (found,) = await company.received()
    assert found.content.text_new == "@acme in which sizes?"
    assert found.content.text == "@acme in which sizes?\n\n@acme:\n> New: the Polaris & more"
    assert found.parents == (f"x:post:{ours}",)


# -- by webhook -------------------------------------------------------------------------------------------------------


async def told(company: Company, payload: dict[str, Any], method: str = "POST", **query: str) -> Any:
    assert company.connector.hook is not None
    body = json.dumps({"for_user_id": OWN, **payload}).encode()
    headers = {"x-twitter-webhooks-signature": sign(SECRET, body)}
    return await serve(company.connector.hook, HookRequest(method, headers, body, datetime.now(UTC), query))


async def test_the_challenge_is_answered_with_the_consumer_secret(company: Company) -> None:
    answer = await told(company, {}, "GET", crc_token="abc")
    assert json.loads(answer.body) == {"response_token": sign(SECRET, b"abc")}
    assert (await told(company, {}, "GET")).status == 401


async def test_no_payload_is_signed_as_a_challenge(company: Company) -> None:
    forged = '{"tweet_delete_events":[{"status":{"id":"1","user_id":"501"}}]}'
    answer = await told(company, {}, "GET", crc_token=forged)
    assert (answer.status, sign(SECRET, forged.encode()).encode() in answer.body) == (401, False)


async def test_what_is_told_and_found_by_asking_is_one(company: Company) -> None:
    await begun(company)
    id = company.x.mention(ANN, "@acme where is it")
    dm = company.x.write(BEN, "a private question")
    legacy = {
        "tweet_create_events": [
            {
                "id_str": id,
                "text": "@acme where is it",
                "user": {"id_str": ANN, "name": "Ann", "screen_name": "ann"},
                "created_at": "Mon Mar 02 10:00:00 +0000 2026",
            }
        ],
        "direct_message_events": [
            {
                "type": "message_create",
                "id": dm,
                "created_timestamp": "1772445600000",
                "message_create": {
                    "target": {"recipient_id": OWN},
                    "sender_id": BEN,
                    "message_data": {"text": "a private question"},
                },
            }
        ],
        "users": {BEN: {"id": BEN, "name": "Ben", "screen_name": "ben"}},
    }
    assert (await told(company, legacy)).status == 200
    await company.connector.look()
    public, private = await company.received()
    assert (public.account, private.account) == ("acme", "acme-dm")
    assert private.conversation == f"x:dm:{OWN}:{BEN}-{OWN}"


async def test_a_deleted_post_is_withheld(company: Company) -> None:
    event = {"status": {"id": "77", "user_id": ANN}, "timestamp_ms": "1772445600000"}
    assert (await told(company, {"tweet_delete_events": [event]})).status == 200
    (found,) = await company.place.interactions()
    assert isinstance(found, InteractionDeleted)
    assert (found.target, found.withheld) == ("x:post:77", True)


async def test_activity_of_another_account_is_not_ours(company: Company) -> None:
    answer = await told(company, {"for_user_id": "1", "tweet_create_events": [{"id_str": "5"}]})
    assert answer.status == 200 and await company.place.interactions() == []


# -- out --------------------------------------------------------------------------------------------------------------


def answer(company: Company, text: str, post: str, **more: Any) -> OutboundMessage:
    given = {"channel": "x", "account": "acme", "in_reply_to": f"x:post:{post}", **more}
    return outbound(text, f"x:post:{OWN}:{post}", **given)


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


async def test_a_thread_is_taken_back_whole_however_often_it_is_asked_for(company: Company) -> None:
    post = company.x.mention(ANN, "@acme where is it")
    text = " ".join(f"word{number}" for number in range(120))
    sent = await company.sender.deliver(answer(company, text, post))
    assert len(sent.parts) > 2 and sent.parts[-1] == sent.external_id
    for _ in range(2):
        receipt = await company.sender.deliver(asked(ChangeKind.DELETE, sent.external_id, sent.parts))
        assert receipt.status is ReceiptStatus.SENT
    assert company.x.said() == []


async def test_keys_that_are_not_ours_are_refused_by_the_stand_in(company: Company) -> None:
    company.x.consumer_secret = "another"
    with pytest.raises(XError, match="401"):
        await company.connector.look()


async def test_an_answer_that_comes_in_pieces_is_read_whole(company: Company) -> None:
    await begun(company)
    said = [f"@acme {number} {'x' * 20_000}" for number in range(90)]
    for each in said:
        company.x.mention(ANN, each)
    assert await company.connector.look() == 90
    assert await company.texts() == said
