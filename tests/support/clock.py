"""A clock that stands still until it is told to go on."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MONDAY_MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MONDAY_AT_TEN = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


@dataclass
class Clock:
    """Callable like the real one: `clock()` is the time now."""

    now: datetime = MONDAY_MORNING

    def __call__(self) -> datetime:
        return self.now

    def advance(self, step: timedelta | None = None, /, **units: float) -> datetime:
        """Moves on by a step or by units: `clock.advance(hours=2)`. Returns the new time."""
        self.now += timedelta(**units) if step is None else step
        return self.now


@dataclass
class StandingClock:
    """The port `schemas.ports.Clock`, for tests that set `time` themselves."""

    time: datetime = MONDAY_AT_TEN

    def now(self) -> datetime:
        return self.time
