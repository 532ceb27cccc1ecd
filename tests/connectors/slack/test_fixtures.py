"""Each payload becomes the event beside it, or is not for us for the reason beside it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from connectors.kit.items import Frame, NotForUs, RawItem
from connectors.slack.parse.envelope import item_name
from connectors.slack.parse.events import SlackContext, understanding
from connectors.slack.standin.workspace import TEAM
from schemas.interactions import BlobRef
from tests.support.paths import ROOT

FOLDER = ROOT / "connectors" / "slack" / "fixtures"
NOW = datetime(2026, 3, 2, 10, 5, tzinfo=UTC)
FRAME = Frame(UUID(int=1), "slack", "acme", "default", NOW, BlobRef(sha256="0" * 64, size=1))
PAYLOADS = sorted(each for each in FOLDER.glob("*.json") if not each.name.endswith(".event.json"))


def becomes(path: Path) -> dict[str, Any]:
    body = path.read_bytes()
    try:
        (event,) = understanding(SlackContext(team=TEAM))(
            RawItem(item_name(json.loads(body)), body, NOW), FRAME
        )
    except NotForUs as reason:
        return {"not for us": str(reason)}
    return {"type": event.type, **event.model_dump(mode="json", exclude_defaults=True)}


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: path.stem)
def test_a_payload_becomes_what_stands_beside_it(path: Path) -> None:
    assert becomes(path) == json.loads(path.with_suffix(".event.json").read_text("utf-8"))
