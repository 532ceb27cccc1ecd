"""The words by which the index finds: the quick way for texts with spaces finds what the careful way finds."""

from hypothesis import given
from hypothesis import strategies as st

from sinks.mongo.words import LONGEST_TERM, is_pair, terms_of, words_of

LETTERS = st.one_of(st.sampled_from("aAß üÖ_-.12中文한글ー\u0301\u064b"), st.characters())


def carefully(texts: list[str]) -> list[str]:
    terms: dict[str, None] = {}
    for text in texts:
        words = list(words_of(text))
        for before, word in zip([None, *words], words, strict=False):
            terms[word.folded[:LONGEST_TERM]] = None
            if before is not None and is_pair(before, word):
                terms[before.folded + word.folded] = None
    return list(terms)


@given(st.lists(st.text(LETTERS), max_size=3))
def test_a_text_without_characters_that_are_words_has_the_same_terms(texts: list[str]) -> None:
    assert terms_of(texts) == carefully(texts)


def test_words_are_found_whatever_their_case_marks_and_length() -> None:
    long = "Ä" * 200
    assert terms_of([f"Grüße_GRÜSSE aus Straße {long}"]) == ["grusse", "aus", "strasse", "a" * LONGEST_TERM]
