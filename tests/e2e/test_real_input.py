"""Real mail, real browsers, a real receiver: what comes in ends in exactly one place, what goes out arrives once."""

import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest
from playwright.async_api import Browser, Page

from connectors.email.standin.mailbox import Mailbox
from connectors.email.standin.server import StandinServer
from tests.e2e.engines import BOTH, settings_of
from tests.e2e.hubs import HubProcess, company, hub_process, hubbub, send_mail, write_settings
from tests.e2e.people import (
    Posted,
    answer_to,
    fill_in,
    fill_in_without_scripts,
    make_agent,
    parsed,
    reply,
    send_all,
    sign_in,
    with_text,
)
from tests.faults.invariants import message_of

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
SETTLED_SECONDS = 240.0
FORMS = 3


class Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@asynccontextmanager
async def company_with_mailbox(folder: Path, engine: str) -> AsyncIterator[tuple[HubProcess, Mailbox]]:
    """`hubbub up`, and the server that takes its mail out: the customers' mailboxes."""
    mailbox = Mailbox(folder / "mailbox.sqlite")
    relay = StandinServer(mailbox, Clock())
    await relay.start()
    try:
        settings = company(relay.port) | await settings_of(engine)
        async with hub_process(write_settings(folder, settings)) as hub:
            yield hub, mailbox
            assert await hub.run.stop() == 0
    finally:
        await relay.stop()
        await mailbox.close()


class Account:
    """All that the hub says from outside: its log, cases and timelines, and what arrived."""

    def __init__(self, events: list[dict[str, Any]], cases: dict[str, Any], arrived: Counter[str]) -> None:
        self.events = events
        self.cases = cases
        self.arrived = arrived

    @classmethod
    async def of(cls, hub: HubProcess, mailbox: Mailbox) -> "Account":
        cases = {}
        for case in await hub.everything("/cases", all_states=True, sort="newest"):
            cases[case["number"]] = {
                **case,
                "timeline": await hub.everything(f"/cases/{case['number']}/timeline"),
            }
        return cls(await _events(hub), cases, Counter(await mailbox.counts()))

    def of_type(self, beginning: str) -> list[dict[str, Any]]:
        return [each for each in self.events if each["type"].startswith(f"hubbub.{beginning}")]

    @property
    def entries(self) -> list[dict[str, Any]]:
        return [entry for case in self.cases.values() for entry in case["timeline"]]

    def states(self) -> dict[str, Any]:
        """All that a second sending must leave as it is."""
        kinds = ("identity", "case.", "outbound", "delivery")
        return {
            "cases": self.cases,
            "arrived": self.arrived,
            **{kind: [each["id"] for each in self.of_type(kind)] for kind in kinds},
        }

    def places(self) -> dict[str, set[str]]:
        """Item -> where it ended: a case, a record of what follows from it, quarantine, or the dead letters."""
        places: dict[str, set[str]] = defaultdict(set)
        case_of = {each["id"]: each["case"] for each in self.entries if each["kind"] == "message"}
        dead = {each["data"]["event"] for each in self.of_type("dead-letter.added")}
        for event in self.of_type("interaction."):
            item = event["data"]["part"]["item"]
            if event["id"] in dead:
                places[item].add("dead letter")
            elif event["type"] == "hubbub.interaction.received":
                places[item].add(f"case {case_of.get(event['id'], 'of nobody')}")
            else:
                places[item].add(event["type"])
        for event in self.of_type("quarantine.added"):
            places[event["data"]["item"]].add("quarantine")
        return places


async def _events(hub: HubProcess) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    position: dict[str, Any] = {}
    async with hub.operator() as api:
        while True:
            answer = await api.get("/events", params={"limit": 500, **position})
            assert answer.status_code == 200, answer.text
            page = answer.json()
            found += page["items"]
            if page["next"] is None:
                return found
            position = {"after": page["next"]}


def corpus_mails(folder: Path) -> dict[str, bytes]:
    """Every mail of the corpus, as a mail client sends it: lines end in CR LF."""
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix in (".eml", ".msg")]
    line_end = re.compile(rb"\r\n|\n|\r(?!\n)")
    return {str(path.relative_to(folder)): line_end.sub(b"\r\n", path.read_bytes()) for path in paths}


async def verified(hub: HubProcess, items: list[str], folder: Path) -> str:
    """`hubbub verify --ledger` with these acknowledgements; it must be clean. Returns what it said."""
    ledger = folder / "ledger.txt"
    ledger.write_text("\n".join(items))
    code, said = await hubbub("verify", "--config", str(hub.settings), "--ledger", str(ledger))
    assert code == 0, said
    return said


def duplicates(said: str) -> int:
    found = re.search(r"(\d+) cases:duplicate", said)
    return int(found[1]) if found else 0


@pytest.mark.parametrize("engine", BOTH)
async def test_every_real_mail_and_form_ends_in_one_place_and_is_answered_once(
    corpus: Callable[[str], Path], tmp_path: Path, page: Page, browser: Browser, engine: str
) -> None:
    mails = corpus_mails(corpus("email"))
    async with company_with_mailbox(tmp_path, engine) as (hub, mailbox):
        items = await send_all(hub.smtp_port, mails)
        forms = [await fill_in(page, hub, f"kim{n}@customer.example", f"Form {n}") for n in range(FORMS)]
        shown = await fill_in_without_scripts(browser, hub, "lee@customer.example", "No scripts here")
        await hub.settled(SETTLED_SECONDS)

        acknowledged = [*items.values(), *(form.item for form in forms)]
        first = await Account.of(hub, mailbox)
        check_places(first, acknowledged)
        check_timelines(first, [*forms])
        assert shown in first.cases
        check_answers(first)
        said = await verified(hub, acknowledged, tmp_path)

        assert await send_all(hub.smtp_port, mails) == items
        assert [await form.again(hub) for form in forms] == [form.item for form in forms]
        await hub.settled(SETTLED_SECONDS)
        second = await Account.of(hub, mailbox)
        assert second.states() == first.states()
        said_again = await verified(hub, acknowledged, tmp_path)
        assert duplicates(said_again) - duplicates(said) == len(second.events) - len(first.events) > 0
        print(f"{len(mails)} mails and {len(forms) + 1} forms: {said_again}")


def check_places(account: Account, items: list[str]) -> None:
    places = account.places()
    assert {item for item in items if len(places[item]) != 1} == set()
    assert {item: where for item, where in places.items() if any("of nobody" in each for each in where)} == {}
    assert [each["data"]["reason"] for each in account.of_type("dead-letter.added")] == []


def check_timelines(account: Account, forms: list[Posted]) -> None:
    """Each case has its timeline: one entry for each of its events, its messages among them."""
    for case in account.cases.values():
        timeline = case["timeline"]
        assert sorted(each["sequence"] for each in timeline) == list(range(1, case["sequence"] + 1))
        assert sum(each["kind"] == "message" for each in timeline) == case["messages"] >= 1
    for form in forms:
        messages = [each for each in account.cases[form.number]["timeline"] if each["kind"] == "message"]
        assert [each["form"]["fields"]["message"] for each in messages] == [form.text]


def check_answers(account: Account) -> None:
    """Each automatic answer that was queued arrived once, and nothing else arrived."""
    queued = {each["data"]["message"]["message"] for each in account.of_type("outbound.queued")}
    assert account.of_type("outbound.queued")
    assert len(queued) == len(account.of_type("outbound.queued"))
    assert set(account.arrived.values()) == {1}
    assert {str(message_of(each)) for each in account.arrived} == queued
    assert {each["data"]["message"] for each in account.of_type("delivery.sent")} == queued


@pytest.mark.parametrize("engine", BOTH)
async def test_an_answer_from_the_console_arrives_and_its_answer_proves_the_address(
    tmp_path: Path, page: Page, browser: Browser, engine: str
) -> None:
    kim = "kim@customer.example"
    async with company_with_mailbox(tmp_path, engine) as (hub, mailbox):
        visitor = await browser.new_page()
        form = await fill_in(visitor, hub, kim, "Where is my order?")
        (confirmation,) = await mailbox.until(1, 20)
        await sign_in(page, hub, "mia", await make_agent(hub, "mia"))

        await reply(page, hub, form.number, "It left us this morning.")
        sent = with_text(await mailbox.until(2, 20), "It left us this morning.")
        message = parsed(sent)
        assert sent.recipients == (kim,)
        assert message["In-Reply-To"] == f"<{confirmation.message_id}>"
        assert message["References"] == f"<{confirmation.message_id}>"
        assert "support+c-" in message["Reply-To"]
        assert form.number in message["Subject"]

        item = await deliver(
            hub, answer_to(sent, f"Kim <{kim}>", "Thank you!").as_bytes(), kim, message["Reply-To"]
        )
        await hub.settled()
        account = await Account.of(hub, mailbox)
        case = account.cases[form.number]
        messages = [each for each in case["timeline"] if each["kind"] == "message"]
        assert [each["channel"] for each in messages] == ["email", "webform"]
        assert len(account.cases) == 1
        (linked,) = account.of_type("identity.handles-linked")
        assert linked["data"]["evidence"]["kind"] == "reply-token"
        assert {linked["data"]["first"], linked["data"]["second"]} == {each["handle"] for each in messages}
        await verified(hub, [form.item, item], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("engine", BOTH)
async def test_answers_to_a_mail_name_the_whole_thread(tmp_path: Path, page: Page, engine: str) -> None:
    question = (
        b"From: Ann <ann@customer.example>\r\nTo: support@shop.example\r\nSubject: Order 7\r\n"
        b"Message-ID: <two@customer.example>\r\nIn-Reply-To: <one@customer.example>\r\n"
        b"References: <one@customer.example>\r\n\r\nStill nothing.\r\n"
    )
    async with company_with_mailbox(tmp_path, engine) as (hub, mailbox):
        item = await deliver(hub, question, "ann@customer.example", "support@shop.example")
        (confirmation,) = await mailbox.until(1, 20)
        assert parsed(confirmation)["In-Reply-To"] == "<two@customer.example>"
        await hub.settled()
        ((number, _),) = (await Account.of(hub, mailbox)).cases.items()
        await sign_in(page, hub, "mia", await make_agent(hub, "mia"))
        await reply(page, hub, number, "It is on its way.")
        sent = parsed(with_text(await mailbox.until(2, 20), "It is on its way."))
        thread = str(sent["References"]).split()
        assert thread[-1] == sent["In-Reply-To"] == f"<{confirmation.message_id}>"
        assert "<two@customer.example>" in thread
        await hub.settled()
        await verified(hub, [item], tmp_path)


async def deliver(hub: HubProcess, raw: bytes, sender: str, recipient: str) -> str:
    address = re.sub(r".*<|>.*", "", recipient)
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=hub.smtp_port) as client:
        return await send_mail(client, raw, sender, address)
