"""Times and sizes in words."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hub.console.words import Words, catalogue, language_of

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WORDS = Words(catalogue(), NOW)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "now"),
        (59, "now"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (86399, "23 h"),
        (86400, "1 d"),
        (-5, "now"),
    ],
)
def test_a_length_at_a_glance(seconds: int, expected: str) -> None:
    assert WORDS.span(timedelta(seconds=seconds)) == expected


def test_what_is_due_says_when_or_how_late() -> None:
    assert WORDS.due(NOW + timedelta(hours=2)).words == "due in 2 h"
    assert WORDS.due(NOW - timedelta(hours=3)).words == "3 h late"
    assert WORDS.due(NOW).words == "now late"


def test_what_was_says_how_long_ago_and_the_whole_on_hover() -> None:
    moment = WORDS.ago(NOW - timedelta(days=2, hours=1))
    assert (moment.words, moment.absolute) == ("2 d ago", "Saturday, 28 February, 08:00:00 UTC")
    assert moment.iso == "2026-02-28T08:00:00Z"
    assert WORDS.ago(NOW - timedelta(seconds=3)).words == "just now"


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (NOW, "Today"), (NOW - timedelta(days=1), "Yesterday"), (NOW + timedelta(days=1), "Tomorrow"),
        (NOW - timedelta(days=400), "Sunday, 26 January 2025"), (NOW - timedelta(days=30), "Saturday, 31 January"),
    ],
)  # fmt: skip
def test_days_by_their_names(at: datetime, expected: str) -> None:
    assert WORDS.day(at) == expected


def test_the_day_is_that_of_the_reader() -> None:
    late = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    assert WORDS.day(late) == "Yesterday"
    assert Words(catalogue(), NOW, ZoneInfo("Europe/Berlin")).day(late) == "Today"


@pytest.mark.parametrize(
    ("size", "expected"), [(1, "1 byte"), (900, "900 bytes"), (2048, "2 KB"), (5_300_000, "5.1 MB")]
)
def test_sizes(size: int, expected: str) -> None:
    assert WORDS.size(size) == expected


def test_a_key_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError):
        catalogue()("no.such.key")


@pytest.mark.parametrize(
    ("chosen", "accepted", "expected"),
    [
        ("", "", "en"),
        ("xx", "", "en"),
        ("", "de-AT,de;q=0.9,en;q=0.8", "de"),
        ("", "fr,pl;q=0.5,de;q=0.4", "pl"),
        ("pl", "de", "pl"),
        ("", ";;;,q=,de;q=nonsense", "en"),
        ("", "de;q=0.1," * 1000, "de"),
    ],
)
def test_the_language_is_the_chosen_one_or_what_the_browser_accepts(
    chosen: str, accepted: str, expected: str
) -> None:
    assert language_of(chosen, accepted) == expected


def test_plurals_and_days_are_those_of_the_language() -> None:
    polish = catalogue("pl")
    assert {polish.count("rail.count", n) for n in (1, 2, 5)} == {
        polish("rail.count.one", n=1),
        polish("rail.count.few", n=2),
        polish("rail.count.many", n=5),
    }
    assert Words(polish, NOW).day(NOW - timedelta(days=30)).startswith("sobota, 31 stycznia")
    assert polish.language_name("de-AT") == "niemiecki"
    assert (catalogue("fa").direction, polish.direction) == ("rtl", "ltr")
