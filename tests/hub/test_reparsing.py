"""A better parser: what it would change is told before it changes anything, and shows in the timeline afterwards."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.kit.intake import Accepted
from connectors.kit.rigs import MONDAY, Clock
from hub.settings import HubSettings
from hub.shown import shown
from hub.wiring import Hub, wire
from schemas.documents import Entry
from schemas.events import SYSTEM
from schemas.interactions import Content, InteractionEvent, InteractionReceived
from schemas.letters import QuarantineItem
from schemas.steps import START
from schemas.topics import Topic

MAIL = b"""\
From: Ann <ann@customer.example>\r
To: support@shop.example\r
Subject: Order %d\r
Message-ID: <%d@customer.example>\r
Date: Mon, 02 Mar 2026 08:59:00 +0000\r
\r
Where is it?\r
"""
SETTINGS = {
    "email": {"smtp_in": {"port": 0}, "accounts": [{"name": "support", "address": "support@shop.example"}]}
}


class BetterParser:
    """Reads mails as before, and words better."""

    def __init__(self, hub: Hub, words: dict[str, str]) -> None:
        reparse = hub.channels["email"].reparse
        assert reparse is not None
        self._before, self._words = reparse, words

    async def __call__(self, original: bytes, item: QuarantineItem) -> Accepted:
        accepted = await self._before(original, item)
        return replace(accepted, interactions=tuple(self._better(each) for each in accepted.interactions))

    def _better(self, event: InteractionEvent) -> InteractionEvent:
        assert isinstance(event, InteractionReceived)
        text = event.content.text
        for word, better in self._words.items():
            text = text.replace(word, better)
        content = Content(**{**event.content.model_dump(), "text": text, "text_new": text})
        return event.model_copy(update={"content": content})


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    hub = await wire(HubSettings.model_validate(SETTINGS), tmp_path / "data", Clock())
    for number in (1, 2):
        await hub.ingester.ingest_mail(None, MAIL % (number, number))
    await work(hub)
    yield hub
    assert hub.email
    await hub.email.stop(0)
    await hub.close_channels()
    await hub.engine.close()


async def work(hub: Hub) -> None:
    for runner in hub.runners:
        while await runner.once():
            pass


def improve(hub: Hub, **words: str) -> None:
    hub.reparsing._reparse = {"email": BetterParser(hub, words)}


async def reparsed(hub: Hub, *, apply: bool = False, hours: float = 1) -> list[Any]:
    since = MONDAY - timedelta(hours=hours)
    return [each async for each in hub.reparsing.run(since, None, SYSTEM, apply=apply)]


async def texts(hub: Hub) -> list[str]:
    """As people are shown the messages."""
    timeline = await hub.engine.timeline(handles=[each.handle for each in await entries(hub)][:1])
    return sorted(
        each.text.strip() for each in await shown(hub.engine, timeline.items) if each.kind == "message"
    )


async def entries(hub: Hub) -> list[Entry]:
    cases = [event.data.case for event in await case_events(hub)]
    return list((await hub.engine.timeline(cases=cases)).items)


async def case_events(hub: Hub) -> list[Any]:
    records = await hub.engine.scan((Topic.CASES,), START, 1000)
    return [each.event for each in records if each.event is not None]


async def test_the_same_parser_finds_nothing_to_change(hub: Hub) -> None:
    assert await reparsed(hub) == [{"result": "compared", "messages": 2, "same": 2}]


async def test_what_a_better_parser_would_change_is_told_and_nothing_is_changed(hub: Hub) -> None:
    before = await case_events(hub)
    improve(hub, Where="WHERE")
    *lines, last = await reparsed(hub)
    assert last == {"result": "compared", "messages": 2, "different": 2}
    assert lines[0]["fields"]["content.text"]["now"].startswith("WHERE is it?")
    await work(hub)
    assert await case_events(hub) == before and await texts(hub) == ["Where is it?"] * 2


async def test_applied_it_shows_in_the_timeline_once_and_the_original_stays(hub: Hub) -> None:
    improve(hub, Where="WHERE")
    await reparsed(hub, apply=True)
    await work(hub)
    assert await texts(hub) == ["WHERE is it?"] * 2
    stored = [each.text.strip() for each in await entries(hub) if each.kind == "message"]
    assert stored == ["Where is it?"] * 2
    count = len(await case_events(hub))
    await reparsed(hub, apply=True)
    await work(hub)
    assert len(await case_events(hub)) == count


async def test_what_came_earlier_is_left_alone(hub: Hub) -> None:
    improve(hub, Where="WHERE")
    assert await reparsed(hub, hours=-1) == [{"result": "compared"}]


async def test_what_lay_in_quarantine_and_can_be_read_now_is_taken_in(hub: Hub) -> None:
    await hub.ingester.ingest_mail(None, b"")
    assert (await reparsed(hub))[-1]["still unreadable"] == 1

    async def readable(original: bytes, item: QuarantineItem) -> Accepted:
        reparse = hub.channels["email"].reparse
        assert reparse is not None
        return await reparse(original or MAIL % (3, 3), item)

    hub.reparsing._reparse = hub.letters._reparse = {"email": readable}
    *_, line, last = await reparsed(hub, apply=True)
    assert line["result"] == "readable now" and last["readable now"] == 1
    await work(hub)
    assert len(await texts(hub)) == 3
