"""A hub kills itself only where a test asks for it in so many words."""

import pytest

from hub.crashing import arm_for_test
from schemas.crash import crash_point
from schemas.errors import Invalid


def test_the_variable_alone_is_refused() -> None:
    with pytest.raises(Invalid, match="kills the hub on purpose"):
        arm_for_test({"HUBBUB_CRASH_AT": "engine.after-commit"})
    crash_point("engine.after-commit")


@pytest.mark.parametrize("armed", ["engine.after-lunch:1", "engine.after-commit:often"])
def test_what_names_no_passage_is_refused(armed: str) -> None:
    with pytest.raises(Invalid, match=r"crash point|invalid literal"):
        arm_for_test({"HUBBUB_CRASH_AT": armed, "HUBBUB_TESTING": "1"})
