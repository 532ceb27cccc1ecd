"""Excerpts and patterns: long texts are cut to what explains, and no pattern takes long."""

from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.conditions import match_span
from processors.looking import EXCERPT_LENGTH, excerpt, unfolded_span
from processors.patterns import MAX_PATTERN_LENGTH, BadPattern, pattern
from schemas.conditions import Clause, Operator


def test_a_short_text_stays_as_it_is() -> None:
    assert excerpt("Hello", [(1, 2)]) == "Hello"


def test_a_long_text_is_cut_around_what_was_found() -> None:
    text = "x" * 1000 + "refund" + "y" * 1000
    cut = excerpt(text, [(1000, 1006)])
    assert "refund" in cut
    assert cut.startswith("…x")
    assert cut.endswith("y…")
    assert len(cut) == EXCERPT_LENGTH + 2


def test_without_a_place_the_beginning_is_kept() -> None:
    cut = excerpt("abc" * 500, ())
    assert cut == ("abc" * 500)[:EXCERPT_LENGTH] + "…"


def test_several_places_share_the_room() -> None:
    text = "a" * 500 + "refund" + "b" * 500 + "invoice" + "c" * 500
    cut = excerpt(text, [(1006, 1013), (500, 506)])
    assert "refund" in cut
    assert "invoice" in cut
    assert cut.count("…") == 3


@given(
    st.text(min_size=201, max_size=900),
    st.lists(st.tuples(st.integers(0, 900), st.integers(0, 40)), max_size=5),
)
def test_an_excerpt_is_bounded_and_made_of_the_text(text: str, places: list[tuple[int, int]]) -> None:
    spans = [(start, min(len(text), start + width)) for start, width in places if start < len(text)]
    cut = excerpt(text, spans)
    assert len(cut) <= EXCERPT_LENGTH + 4
    assert all(part in text for part in cut.split("…") if "…" not in text)


@given(st.text(alphabet="aßİſ ﬁx", max_size=30), st.text(alphabet="asßi ﬁx", min_size=1, max_size=4))
def test_a_span_of_the_folded_text_leads_back_to_the_text(text: str, needle: str) -> None:
    start = text.casefold().find(needle.casefold())
    if start < 0:
        return
    left, right = unfolded_span(text, text.casefold(), start, start + len(needle.casefold()))
    assert needle.casefold() in text[left:right].casefold()


def test_a_clause_says_where_it_found_what_it_looks_for() -> None:
    def found(operator: Operator, value: str) -> tuple[int, int] | None:
        text = "Please send the INVOICE 17 again"
        return match_span(Clause(field="text", operator=operator, value=value), text, text.casefold())

    assert found(Operator.CONTAINS, "invoice") == (16, 23)
    assert found(Operator.STARTS_WITH, "please") == (0, 6)
    assert found(Operator.ENDS_WITH, "again") == (27, 32)
    assert found(Operator.MATCHES, r"\d+") == (24, 26)
    assert found(Operator.IS_NOT, "x") is None


@given(st.integers(0, 5000), st.integers(0, 300))
def test_a_span_of_a_long_text_is_found_exactly(before: int, sharp: int) -> None:
    text = "ß" * sharp + "x" * before + "ß" * sharp + "needle"
    start = text.casefold().find("needle")
    assert unfolded_span(text, text.casefold(), start, start + 6) == (len(text) - 6, len(text))


def test_a_pattern_that_would_backtrack_for_ever_is_over_at_once() -> None:
    started = perf_counter()
    assert not pattern(r"^(a+)+$").found_in("a" * 50_000 + "!")
    assert perf_counter() - started < 2


def test_a_pattern_ignores_case_and_knows_unicode() -> None:
    assert pattern("größe").found_in("Welche GRÖßE?")
    assert pattern(r"ö\s+(\d+)").span("xxÖ 12") == (2, 6)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("(a", "missing"),
        ("a{99999}", "repetition"),
        ("(?=a)b", "look-around"),
        (r"(a)\1", "references to groups"),
        ("((a{100}){100}){100}", "repetition"),
        ("a" * (MAX_PATTERN_LENGTH + 1), "longer"),
    ],
)
def test_a_bad_pattern_says_what_is_wrong(source: str, reason: str) -> None:
    with pytest.raises(BadPattern, match=reason):
        pattern(source)
