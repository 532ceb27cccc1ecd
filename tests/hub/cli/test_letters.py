"""quarantine and dead-letters: shown, edited, replayed and dropped, with no hub running."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.kit.intake import Accepted
from hub.letters import dead_letter
from hub.loading import load_settings
from hub.wiring import Hub, wire
from schemas.events import Event
from schemas.ids import derive, sha256
from schemas.interactions import BlobRef
from schemas.outbound import DeliveryUnknown
from schemas.parking import Quarantined
from schemas.steps import Blob, Record, Step
from schemas.topics import Topic
from tests.hub.cli.conftest import Installation

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
CONTENT = b"\x00not a mail at all"


async def _with_letters(config: Path) -> tuple[str, str]:
    settings = load_settings(config, {})
    hub = await wire(settings, settings.data)
    try:
        return await _quarantined(hub), await _dead(hub)
    finally:
        await hub.close_channels()
        await hub.engine.close()


async def _quarantined(hub: Hub) -> str:
    ref = BlobRef(sha256=sha256(CONTENT), size=len(CONTENT), media_type="message/rfc822")
    item = derive("test", "quarantined")
    data = Quarantined(
        item=item, channel="chat", account="support", original=ref, stage="parse", reason="no headers", received_at=NOW,
        envelope={"peer": "192.0.2.1"},
    )  # fmt: skip
    await hub.intake.accept(Accepted(item=item, original=Blob(ref, CONTENT), quarantined=data))
    return str(item)


async def _dead(hub: Hub) -> str:
    data = DeliveryUnknown(
        message=derive("test", "message"), case=derive("test", "case"), channel="email", account="support", reason="?", attempts=1
    )  # fmt: skip
    event = Event(
        id=derive("test", "event"),
        key="k",
        time=NOW,
        data=data,
        source="/test",
        correlation=derive("test", "event"),
    )
    value = data.model_dump_json().encode()
    record = Record("1", event, event.id, event.type, "k", Topic.DELIVERIES, value)
    told, letter = dead_letter("cases", record, "decide", "it raised", 1, NOW)
    await hub.engine.commit(Step(events=[told], documents=[(letter, 0)]))
    return str(letter.id)


@pytest.fixture
def letters(installation: Installation) -> Sequence[str]:
    """One item in quarantine, one dead letter."""
    return asyncio.run(_with_letters(installation.config))


def test_what_is_in_quarantine_is_shown_with_its_original(
    installation: Installation, letters: Sequence[str]
) -> None:
    item = letters[0]
    assert "no headers" in installation.run("quarantine", "list").stdout
    assert "peer=192.0.2.1" in installation.run("quarantine", "show", item).stdout
    assert installation.run("quarantine", "original", item).stdout_bytes == CONTENT
    target = installation.folder / "original.bin"
    installation.run("quarantine", "original", item, "--output", str(target))
    assert target.read_bytes() == CONTENT
    audited = installation.run("events", "--topic", "audit", "--json").stdout
    assert "original-read" in audited


def test_what_still_cannot_be_read_stays_and_what_is_dropped_is_settled(
    installation: Installation, letters: Sequence[str]
) -> None:
    result = installation.run("quarantine", "replay", "--all", exit_code=1)
    assert result.stdout == "0 replayed, 1 refused\n"
    assert "cannot read originals again" in result.stderr
    assert installation.run("quarantine", "drop", letters[0]).stdout == "1 dropped\n"
    assert installation.json("quarantine", "list") == []
    assert installation.json("quarantine", "list", "--all")[0]["state"] == "dropped"
    assert "dropped already" in installation.run("quarantine", "drop", letters[0], exit_code=3).stderr


def test_a_dead_letter_is_edited_and_replayed_once(
    installation: Installation, letters: Sequence[str]
) -> None:
    letter = letters[1]
    assert "it raised" in installation.run("dead-letters", "list").stdout
    edited = json.loads(installation.run("dead-letters", "show", letter, "--event").stdout)
    wrong = installation.run("dead-letters", "replay", letter, "--edit", "-", given="{}", exit_code=3)
    assert "cannot be read yet" in wrong.stderr
    edited["reason"] = "edited"
    result = installation.run("dead-letters", "replay", letter, "--edit", "-", given=json.dumps(edited))
    assert result.stdout == "1 replayed\n"
    assert "next start" in result.stderr
    events = [
        json.loads(line)
        for line in installation.run("events", "--topic", "deliveries", "--json").stdout.splitlines()
    ]
    assert [(each["data"]["reason"], each["late"]) for each in events] == [("edited", True)]
    assert "replayed already" in installation.run("dead-letters", "replay", letter, exit_code=3).stderr
    assert installation.run("dead-letters", "replay", "--all").stdout == "0 replayed\n"
