"""For tests alone: the process ends at a named crash point as `kill -9` ends it. schemas/crash.py has the points."""

import os
import signal
from collections.abc import Mapping

from schemas.crash import arm, parse_armed
from schemas.errors import Invalid

CRASH_AT = "HUBBUB_CRASH_AT"
TESTING = "HUBBUB_TESTING"


def arm_for_test(environment: Mapping[str, str]) -> None:
    """Arms the point that HUBBUB_CRASH_AT=name:passage names. Refused unless HUBBUB_TESTING=1 says that this is a test."""
    armed = environment.get(CRASH_AT)
    if armed is None:
        return
    if environment.get(TESTING) != "1":
        raise Invalid(
            f"{CRASH_AT} kills the hub on purpose and is for its tests",
            {CRASH_AT: f"unset it; a test sets {TESTING}=1 too"},
        )
    try:
        name, passage = parse_armed(armed)
    except ValueError as error:
        raise Invalid(str(error), {CRASH_AT: "name:passage, such as engine.after-commit:3"}) from error
    arm(name, passage, _kill)


def _kill(_name: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
