from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.kit.signed_tokens import Issued, SignedTokens
from tests.support.clock import MONDAY_MORNING

NONCE = UUID(int=7)
TOKENS = SignedTokens(b"secret", "webform")
TOKEN = TOKENS.issue("contact", NONCE, MONDAY_MORNING)


def test_a_token_says_what_was_put_into_it() -> None:
    assert TOKENS.read("contact", TOKEN) == Issued(NONCE, MONDAY_MORNING)


def test_a_token_is_good_for_its_subject_purpose_and_secret_only() -> None:
    assert TOKENS.read("claim", TOKEN) is None
    assert SignedTokens(b"secret", "reply").read("contact", TOKEN) is None
    assert SignedTokens(b"other", "webform").read("contact", TOKEN) is None


@pytest.mark.parametrize("place", range(len(TOKEN)))
def test_no_character_of_a_token_can_be_changed(place: int) -> None:
    other = "0" if TOKEN[place] != "0" else "1"

    assert TOKENS.read("contact", TOKEN[:place] + other + TOKEN[place + 1 :]) is None


@given(st.text(max_size=200) | st.from_regex(r"[0-9a-f]{1,20}\.[0-9a-f]{32}\.[\w-]{22}"))
def test_any_other_text_is_no_token(text: str) -> None:
    assert TOKENS.read("contact", text) is None
