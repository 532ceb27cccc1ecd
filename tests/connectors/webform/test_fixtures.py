"""Sample posts, each with the interaction that it becomes."""

import json
from pathlib import Path
from uuid import UUID

import pytest
import yaml

from connectors.webform.parse.decode import decode
from connectors.webform.parse.entry import EntryReader
from connectors.webform.parse.interaction import Circumstances, to_interaction
from connectors.webform.settings import Form
from schemas import codec
from schemas.ids import sha256
from schemas.interactions import BlobRef
from tests.support.clock import MONDAY_MORNING

FOLDER = Path(__file__).parents[3] / "connectors" / "webform" / "fixtures"
FORM = Form.model_validate(yaml.safe_load((FOLDER / "contact.yaml").read_text("utf-8")))
POSTS = sorted(FOLDER.glob("*.post"))


def interaction(path: Path) -> bytes:
    head, _, body = path.read_bytes().partition(b"\r\n\r\n")
    content_type = head.decode().removeprefix("Content-Type: ")
    posted = decode(content_type, body)
    entry = EntryReader(FORM).read(posted)
    assert entry.problems == []
    language = posted.first("_language") or None
    original = BlobRef(sha256=sha256(body), size=len(body), media_type=content_type)
    made, _ = to_interaction(
        FORM, entry, Circumstances(UUID(int=1), "key:sample", MONDAY_MORNING, original, language)
    )
    return codec.encode(made)


@pytest.mark.parametrize("path", POSTS, ids=lambda path: path.stem)
def test_a_post_becomes_the_interaction_that_stands_beside_it(path: Path) -> None:
    made = interaction(path)

    assert interaction(path) == made
    assert json.loads(made) == json.loads(path.with_suffix(".event.json").read_text("utf-8"))
