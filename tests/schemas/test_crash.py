"""Crash points do nothing until one is armed, and then act once."""

import re
from collections.abc import Iterator

import pytest

from schemas.crash import (
    CRASH_POINTS,
    DISTRIBUTED_CRASH_POINTS,
    MOVE_CRASH_POINTS,
    SPOOL_CRASH_POINTS,
    Crashed,
    arm,
    crash_point,
    parse_armed,
    set_hook,
)
from tests.support.paths import ROOT

FIRST, SECOND, *_ = CRASH_POINTS


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    set_hook(None)


def test_a_point_that_is_not_armed_is_passed() -> None:
    arm(SECOND)
    crash_point(FIRST)
    set_hook(None)
    crash_point(SECOND)


def test_an_armed_point_acts_at_its_passage_and_once() -> None:
    passed: list[str] = []
    arm(FIRST, 2, passed.append)
    for _ in range(4):
        crash_point(FIRST)
        crash_point(SECOND)
    assert passed == [FIRST]


def test_a_crash_is_not_swallowed_by_those_who_catch_errors() -> None:
    arm(FIRST)
    with pytest.raises(Crashed, match=FIRST):
        crash_point(FIRST)
    assert not issubclass(Crashed, Exception)


@pytest.mark.parametrize(("text", "armed"), [(FIRST, (FIRST, 1)), (f"{SECOND}:7", (SECOND, 7))])
def test_a_point_is_armed_by_text(text: str, armed: tuple[str, int]) -> None:
    assert parse_armed(text) == armed


@pytest.mark.parametrize("text", ["", "engine", f"{FIRST}:soon"])
def test_text_that_names_no_point_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"crash point|invalid literal"):
        parse_armed(text)


def test_all_points_in_the_code_are_declared() -> None:
    used = {
        name
        for folder in ("connectors", "sinks", "hub")
        for path in (ROOT / folder).rglob("*.py")
        for name in re.findall(r'\bcrash_point\(\s*"([^"]+)"', path.read_text("utf-8"))
    }
    elsewhere = DISTRIBUTED_CRASH_POINTS.keys() | SPOOL_CRASH_POINTS.keys() | MOVE_CRASH_POINTS.keys()
    assert used <= CRASH_POINTS.keys() | elsewhere
    assert elsewhere <= used
    assert {name for name in CRASH_POINTS if name.split(".")[0] in {"engine", "backup", "restore"}} <= used
