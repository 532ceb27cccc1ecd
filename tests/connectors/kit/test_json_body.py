"""JSON from outside: what cannot be kept does not come through."""

import pytest

from connectors.kit.items import Unreadable
from connectors.kit.json_body import load_json


def test_half_a_character_becomes_a_question_mark() -> None:
    assert load_json(b'{"text": "a \\ud800 b \\ud83d\\ude00"}') == {"text": "a ? b 😀"}


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"n": ' + b"9" * 5000 + b"}"])
def test_what_is_no_json_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        load_json(body)
