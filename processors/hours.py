"""Business hours: is it open, and when are so many open minutes over.

A calendar gives local times; they become windows of UTC day by day, so that minutes are real minutes on the days when
clocks change. A local time that does not exist is taken with the offset before the gap, one that comes twice is the first
of the two (RFC 5545, section 3.3.5).
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from processors.problems import Problem, joined
from schemas.configuration import BusinessHours, Period
from schemas.sentences import said

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HORIZON_DAYS = 3660
"""How far ahead a time is looked for. What is not open for so many minutes in ten years is as good as closed."""
ONE_DAY = timedelta(days=1)
Window = tuple[datetime, datetime]
"""From, until (not included); both UTC."""


def minute_of_day(clock: str) -> int:
    """`08:30` is 510, `24:00` is 1440."""
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


class Calendar:
    """Business hours made ready to compute with. Raises ValueError for a time zone that does not exist."""

    def __init__(self, hours: BusinessHours) -> None:
        self.zone: tzinfo = zone(hours.timezone)
        self.holidays = frozenset(hours.holidays)
        self.week: tuple[tuple[tuple[int, int], ...], ...] = tuple(_periods_of(hours, day) for day in DAYS)
        self.ever_open = any(self.week)

    def windows(self, first: date) -> Iterator[Window]:
        """Open windows from that local day on, ascending, without overlap, for HORIZON_DAYS days."""
        before = datetime.min.replace(tzinfo=UTC)
        day = first
        for _ in range(HORIZON_DAYS):
            if day not in self.holidays:
                for opens, closes in self.week[day.weekday()]:
                    start = max(before, self._instant(day, opens))
                    end = self._instant(day, closes)
                    if start < end:
                        yield start, end
                        before = end
            if day == date.max:
                return
            day += ONE_DAY

    def around(self, at: datetime) -> Iterator[Window]:
        """Windows from shortly before `at`: with those that are open then."""
        local = at.astimezone(self.zone).date()
        return self.windows(local - ONE_DAY if local > date.min else local) if self.ever_open else iter(())

    def _instant(self, day: date, minute: int) -> datetime:
        if minute == 24 * 60:
            day, minute = day + ONE_DAY, 0
        return datetime.combine(day, time(minute // 60, minute % 60), tzinfo=self.zone).astimezone(UTC)


def zone(name: str) -> tzinfo:
    """Raises ValueError, saying what to change."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            said("there is no time zone {name!r}; use an IANA name such as Europe/Berlin", name=name)
        ) from error


def _periods_of(hours: BusinessHours, day: str) -> tuple[tuple[int, int], ...]:
    return tuple(
        sorted(
            (minute_of_day(each.opens), minute_of_day(each.closes))
            for each in hours.periods
            if day in each.days
        )
    )


calendar = lru_cache(maxsize=256)(Calendar)
"""The calendar of these hours; made once."""


def is_open(hours: BusinessHours | None, at: datetime) -> bool:
    """Whether it is open then. A period ends at its closing time: at 17:00 it is closed. No hours: always open."""
    if hours is None:
        return True
    for start, end in calendar(hours).around(at):
        if start > at:
            return False
        if at < end:
            return True
    return False


def next_change(hours: BusinessHours, at: datetime) -> tuple[bool, datetime | None]:
    """Whether it is open then, and when that changes, in UTC; None where it never does (HORIZON_DAYS)."""
    closing: datetime | None = None
    for start, end in calendar(hours).around(at):
        if closing is not None:
            if start > closing:
                return True, closing
            closing = end
        elif start > at:
            return False, start
        elif at < end:
            closing = end
    return closing is not None, None


def add_business_minutes(hours: BusinessHours | None, start: datetime, minutes: int) -> datetime | None:
    """When so many open minutes from `start` are over, in UTC; None where that never comes (HORIZON_DAYS).

    Minutes that end with the day are over at its closing time, not the next morning. No hours: always open.
    """
    begin = start.astimezone(UTC)
    if hours is None:
        return begin + timedelta(minutes=minutes)
    left = timedelta(minutes=minutes)
    for opens, closes in calendar(hours).around(begin):
        opened = max(opens, begin)
        if opened >= closes:
            continue
        if left <= closes - opened:
            return opened + left
        left -= closes - opened
    return None


def problems(hours: BusinessHours, path: str = "") -> list[Problem]:
    """What is wrong with a calendar, each with its place."""
    found: list[Problem] = []
    try:
        zone(hours.timezone)
    except ValueError as error:
        found.append(Problem(joined(path, "timezone"), error.args[0]))
    for index, period in enumerate(hours.periods):
        found += _period_problems(period, joined(path, f"periods[{index}]"))
    if not found:
        found += _overlaps(hours, path)
    return found


def _period_problems(period: Period, path: str) -> list[Problem]:
    found: list[Problem] = []
    if not period.days:
        found.append(Problem(joined(path, "days"), "names no day; name at least one or remove the period"))
    if minute_of_day(period.opens) >= minute_of_day(period.closes):
        found.append(
            Problem(
                joined(path, "closes"),
                said(
                    "is not after {opens}; a period over midnight is written as two: {opens}–24:00, and 00:00–{closes} on the day after",
                    opens=period.opens,
                    closes=period.closes,
                ),
            )
        )
    return found


def _overlaps(hours: BusinessHours, path: str) -> list[Problem]:
    found: list[Problem] = []
    for day in DAYS:
        periods = sorted(
            (minute_of_day(each.opens), minute_of_day(each.closes), index)
            for index, each in enumerate(hours.periods)
            if day in each.days
        )
        for (_, closes, first), (opens, _, second) in pairwise(periods):
            if opens < closes:
                place = joined(path, f"periods[{max(first, second)}]")
                found.append(
                    Problem(
                        place,
                        said(
                            "overlaps with periods[{index}] on {day}", index=min(first, second), day=said(day)
                        ),
                    )
                )
    return found
