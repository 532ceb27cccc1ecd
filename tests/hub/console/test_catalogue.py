"""Every string is in the catalogue, and every string of the catalogue is said somewhere."""

import re
from pathlib import Path
from string import Formatter

import pytest

from hub.console.actions import ACTIONS
from hub.console.places import SHOWS, VIEWS
from hub.console.words import ENGLISH, LANGUAGES, catalogue, texts_of
from schemas.cases import CaseState
from schemas.configuration import Priority
from schemas.outbound import DeliveryState
from schemas.ports import HealthState
from tests.support.paths import ROOT

FOLDER = ROOT / "hub" / "console"
PLURAL = re.compile(r"\.(one|two|few|many|other)$")
LITERAL = re.compile(r"""\bt(?:\.count|\.either|\.plurals)?\(\s*["']([a-z][a-z.0-9-]*)["'](?!\s*~)""")
STARTS = re.compile(r"""\bt(?:\.count|\.either)?\(\s*f?["']([a-z-]+(?:\.[a-z-]+)*[.-])(?:\{|["']\s*~)""")
TEXT = re.compile(r">\s*([A-Za-z][a-z]+(?: [a-z]+)+)[.<]")
# Where a key is put together from parts that the code knows.
MADE = (
    "time.",
    "size.",
    "snooze.",
    "keys.",
    "list.sort-",
    "letters.",
    "page.theme",
    "rail.",
    "step.",
    "search.found",
)


def sources() -> list[Path]:
    return [*FOLDER.rglob("*.py"), *FOLDER.glob("templates/**/*.html")]


def test_every_key_that_is_named_is_there() -> None:
    texts = catalogue()
    missing = {
        key
        for path in sources()
        for key in LITERAL.findall(path.read_text("utf-8"))
        if key not in texts and f"{key}.other" not in texts and not key.endswith(("-", "."))
    }
    assert missing == set()


def test_every_value_of_a_closed_set_has_its_words() -> None:
    needed = {
        *(f"state.{each}" for each in CaseState),
        *(f"priority.{each}" for each in Priority),
        *(f"delivery.{each}" for each in DeliveryState),
        *(f"health.{each}" for each in HealthState),
        *(f"done.{each.done}" for each in ACTIONS.values()),
        *(f"done.{each}" for each in ("replied", "replied-resolved", "noted", "merged")),
        *(f"list.{each}" for each in SHOWS),
        *(f"rail.{each}" for each in VIEWS),
    }
    assert needed - catalogue().keys == set()


def test_no_text_is_kept_that_nothing_says() -> None:
    code = "\n".join(path.read_text("utf-8") for path in sources())
    named = set(LITERAL.findall(code))
    starts = (*STARTS.findall(code), *MADE)
    unused = {
        key
        for key in catalogue().keys
        if key not in named and PLURAL.sub("", key) not in named and not key.startswith(starts)
        and f'"{key}"' not in code
    }  # fmt: skip
    assert unused == set()


def test_templates_hold_no_text_of_their_own() -> None:
    found = {
        (path.name, text)
        for path in FOLDER.glob("templates/**/*.html")
        if path.name != "styles.html"  # samples for the makers
        for text in TEXT.findall(path.read_text("utf-8"))
    }
    assert found == set()


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each != ENGLISH])
def test_each_language_says_all_that_english_says_with_the_same_values(language: str) -> None:
    english, texts = texts_of(ENGLISH), texts_of(language)
    singles = {PLURAL.sub("", key) for key in english}
    assert {PLURAL.sub("", key) for key in texts} == singles
    for key, text in texts.items():
        model = english.get(key) or english[PLURAL.sub(".other", key)]
        may_leave_out = {"n"} if PLURAL.search(key) else set()
        assert values_of(text) | may_leave_out == values_of(model) | may_leave_out, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_plural_has_all_forms_of_its_language(language: str) -> None:
    texts = catalogue(language)
    counted = {PLURAL.sub("", key) for key in texts_of(ENGLISH) if key.endswith(".one")}
    needed = {texts.locale.plural_form(number) for number in range(200)}
    missing = {f"{key}.{form}" for key in counted for form in needed} - texts_of(language).keys()
    assert missing == set()


def values_of(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}
