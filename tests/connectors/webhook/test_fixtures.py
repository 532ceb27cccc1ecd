"""The example of the README becomes what stands beside it."""

import json
import re
from datetime import UTC, datetime
from uuid import UUID

import yaml

from connectors.kit.items import Frame, RawItem
from connectors.webhook.reading import item_name, understanding
from connectors.webhook.settings import WebhookSettings
from schemas.interactions import BlobRef
from tests.support.paths import ROOT

FOLDER = ROOT / "connectors" / "webhook"
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def settings() -> WebhookSettings:
    """The section as the README shows it, with secrets in their places."""
    block = re.search(r"```yaml\n(.*?)```", (FOLDER / "README.md").read_text("utf-8"), re.DOTALL)
    assert block is not None
    text = re.sub(r"\$\{env:\w+\}", "a-secret-of-the-tests", block[1])
    return WebhookSettings.model_validate(yaml.safe_load(text)["webhook_in"])


def test_the_payload_of_the_readme_becomes_the_event_beside_it() -> None:
    (source,) = settings().sources
    body = (FOLDER / "fixtures" / "issue-comment.json").read_bytes()
    raw = RawItem(item_name(json.loads(body), source.mapping), body, NOW)
    frame = Frame(UUID(int=1), "webhook_in", source.name, source.brand, NOW, BlobRef(sha256="0" * 64, size=1))
    (event,) = understanding(source)(raw, frame)
    expected = json.loads((FOLDER / "fixtures" / "issue-comment.event.json").read_text("utf-8"))
    assert event.model_dump(mode="json", exclude_defaults=True) == expected
