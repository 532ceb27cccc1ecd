"""Every string is in the catalogue, and every string of the catalogue is said somewhere."""

import re
from pathlib import Path

from hub.console.acting import ACTIONS
from hub.console.places import SHOWS, VIEWS
from hub.console.words import catalogue
from schemas.cases import CaseState
from schemas.configuration import Priority
from schemas.outbound import DeliveryState
from schemas.ports import HealthState
from tests.support.paths import ROOT

FOLDER = ROOT / "hub" / "console"
LITERAL = re.compile(r"""\bt(?:\.count|\.either)?\(\s*["']([a-z][a-z.0-9-]*)["'](?!\s*~)""")
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
    return [*FOLDER.glob("*.py"), *FOLDER.glob("templates/**/*.html")]


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
        if key not in named and key.removesuffix(".one").removesuffix(".other") not in named and not key.startswith(starts)
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
