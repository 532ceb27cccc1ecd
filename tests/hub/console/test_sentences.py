"""Every sentence that is made below the console is in the catalogues of all languages, and nothing else is."""

import re
from collections.abc import Iterator
from string import Formatter

import pytest

from hub.console.saying import FOLDER, Forms, sentences_of
from hub.console.words import ENGLISH, LANGUAGES, catalogue
from processors.condition_problems import EMPTY, MEANS
from processors.configuration import UNREACHED
from processors.explaining import LABELS, OWNED, PHRASES
from processors.templates import VARIABLES
from schemas.conditions import FIELDS
from tests.hub.console.spoken import everything, loose, sentences

OTHERS = [each for each in LANGUAGES if each != ENGLISH]
IN_TABLES = {
    *(each for pair in PHRASES.values() for each in pair),
    *LABELS.values(),
    *OWNED.values(),
    *FIELDS,
    *EMPTY.values(),
    *MEANS.values(),
    *UNREACHED.values(),
    *VARIABLES.values(),
}
PYDANTIC = re.compile(
    r"must (have at (least|most)|be (greater|less) than)( or equal to)? \{n\}( item| character)?s?"
)
"""Of these sentences the numbers are ours and the words are Pydantic's (`hub.loading.sentences`)."""


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_that_is_said_is_in_the_catalogue(language: str) -> None:
    assert (sentences() | IN_TABLES) - sentences_of(language).keys() == set()


def test_no_refusal_forgets_what_it_was_made_of() -> None:
    assert loose() == set()  # say it by `schemas.sentences.said`


def test_no_sentence_is_kept_that_nothing_says() -> None:
    code = everything()
    kept = {
        template
        for template in sentences_of(OTHERS[0])
        if not PYDANTIC.fullmatch(template) and any(each not in code for each in _literals(template))
    }
    assert kept == set()


@pytest.mark.parametrize("language", OTHERS)
def test_each_language_says_each_sentence_with_its_values(language: str) -> None:
    texts = sentences_of(language)
    assert texts.keys() == sentences_of(OTHERS[0]).keys()
    for template, forms in texts.items():
        for form in _forms(forms):
            spare = {"n"} if not isinstance(forms, str) else set()
            assert _values(form) | spare == _values(template) | spare, template


@pytest.mark.parametrize("language", OTHERS)
def test_each_plural_of_a_sentence_has_all_forms_of_its_language(language: str) -> None:
    locale = catalogue(language).locale
    needed = {locale.plural_form(number) for number in range(200)} | {"other"}
    for template, forms in sentences_of(language).items():
        if not isinstance(forms, str):
            assert forms.keys() >= needed, template
            assert "n" in _values(template), template


def test_no_sentence_stands_in_two_files() -> None:
    sizes = [
        sum(1 for line in path.read_text("utf-8").splitlines() if line.startswith('"'))
        for path in FOLDER.glob("*/de.toml")
    ]
    assert sum(sizes) == len(sentences_of("de"))


def _forms(forms: Forms) -> Iterator[str]:
    yield from (forms,) if isinstance(forms, str) else forms.values()


def _values(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def _literals(template: str) -> Iterator[str]:
    parts = (literal.strip(" ',;:") for literal, _, _, _ in Formatter().parse(template))
    return (part for part in parts if part)
