"""Business hours: several periods, holidays, time zones, days on which clocks change."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.hours import (
    DAYS,
    add_business_minutes,
    calendar,
    is_open,
    next_change,
    problems,
)
from schemas.configuration import BusinessHours

BERLIN = ZoneInfo("Europe/Berlin")
WEEK = ("mon", "tue", "wed", "thu", "fri")


def open_minutes_between(hours: BusinessHours | None, start: datetime, end: datetime) -> float:
    """The other way round: how many minutes were open between two moments."""
    begin, until = start.astimezone(UTC), end.astimezone(UTC)
    if hours is None:
        return max(timedelta(), until - begin) / timedelta(minutes=1)
    total = timedelta()
    for opens, closes in calendar(hours).around(begin):
        if opens >= until:
            break
        total += max(timedelta(), min(closes, until) - max(opens, begin))
    return total / timedelta(minutes=1)


def hours(
    *periods: tuple[tuple[str, ...], str, str], timezone: str = "Europe/Berlin", **more: Any
) -> BusinessHours:
    written = [{"days": days, "opens": opens, "closes": closes} for days, opens, closes in periods]
    return BusinessHours.model_validate({"name": "office", "timezone": timezone, "periods": written, **more})


OFFICE = hours(
    (WEEK, "09:00", "12:00"), (WEEK, "13:00", "17:00"), holidays=[date(2026, 4, 3), date(2026, 4, 6)]
)
ALWAYS = hours((DAYS, "00:00", "24:00"))


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-03-02 08:59", False),
        ("2026-03-02 09:00", True),
        ("2026-03-02 11:59", True),
        ("2026-03-02 12:00", False),
        ("2026-03-02 13:00", True),
        ("2026-03-02 17:00", False),
        ("2026-03-01 10:00", False),
        ("2026-04-03 10:00", False),
    ],
)
def test_it_is_open_from_opening_until_just_before_closing(at: str, expected: bool) -> None:
    assert is_open(OFFICE, berlin(at)) is expected


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        ("2026-03-02 09:30", 60, "2026-03-02 10:30"),
        ("2026-03-02 11:30", 60, "2026-03-02 13:30"),
        ("2026-03-02 12:30", 60, "2026-03-02 14:00"),
        ("2026-03-02 16:00", 60, "2026-03-02 17:00"),
        ("2026-03-02 16:00", 61, "2026-03-03 09:01"),
        ("2026-03-06 16:30", 60, "2026-03-09 09:30"),
        ("2026-04-02 16:30", 60, "2026-04-07 09:30"),
        ("2026-03-07 03:00", 420, "2026-03-09 17:00"),
        ("2026-03-02 09:30", 0, "2026-03-02 09:30"),
    ],
)
def test_minutes_are_counted_while_it_is_open(start: str, minutes: int, end: str) -> None:
    assert add_business_minutes(OFFICE, berlin(start), minutes) == berlin(end)


def test_the_answer_is_in_utc() -> None:
    due = add_business_minutes(OFFICE, berlin("2026-03-02 09:30"), 30)
    assert due is not None
    assert due.tzinfo is UTC


def test_without_hours_it_is_always_open() -> None:
    start = berlin("2026-03-01 03:00")
    assert is_open(None, start)
    assert add_business_minutes(None, start, 90) == start + timedelta(minutes=90)


def test_what_is_always_closed_is_never_due() -> None:
    assert add_business_minutes(hours(), berlin("2026-03-02 09:00"), 1) is None
    assert not is_open(hours(), berlin("2026-03-02 09:00"))


def test_what_takes_more_than_ten_years_is_never_due() -> None:
    weekly_minute = hours((("mon",), "09:00", "09:01"))
    assert add_business_minutes(weekly_minute, berlin("2026-03-02 09:00"), 500) is not None
    assert add_business_minutes(weekly_minute, berlin("2026-03-02 09:00"), 1_000_000) is None


def test_the_day_on_which_clocks_go_forward_is_an_hour_shorter() -> None:
    day = datetime(2026, 3, 29, tzinfo=BERLIN)
    assert open_minutes_between(ALWAYS, day, day + timedelta(days=1)) == 23 * 60
    assert add_business_minutes(ALWAYS, berlin("2026-03-29 01:30"), 60) == berlin("2026-03-29 03:30")


def test_the_day_on_which_clocks_go_back_is_an_hour_longer() -> None:
    day = datetime(2026, 10, 25, tzinfo=BERLIN)
    assert open_minutes_between(ALWAYS, day, day + timedelta(days=1)) == 25 * 60


def test_an_opening_time_that_does_not_exist_is_taken_with_the_offset_before_the_gap() -> None:
    night = hours((("sun",), "02:30", "05:00"))
    assert not is_open(night, datetime(2026, 3, 29, 1, 29, tzinfo=UTC))
    assert is_open(night, datetime(2026, 3, 29, 1, 30, tzinfo=UTC))
    assert open_minutes_between(night, berlin("2026-03-29 00:00"), berlin("2026-03-29 12:00")) == 90


def test_periods_that_fall_together_in_the_gap_are_counted_once() -> None:
    night = hours((("sun",), "02:00", "03:00"), (("sun",), "03:00", "04:00"))
    assert open_minutes_between(night, berlin("2026-03-29 00:00"), berlin("2026-03-29 12:00")) == 60


def test_an_ambiguous_closing_time_is_the_first_of_the_two() -> None:
    night = hours((("sun",), "01:00", "02:30"))
    assert is_open(night, datetime(2026, 10, 25, 0, 29, tzinfo=UTC))
    assert not is_open(night, datetime(2026, 10, 25, 1, 15, tzinfo=UTC))


def test_midnight_joins_two_days_without_a_gap() -> None:
    night = hours((("mon",), "22:00", "24:00"), (("tue",), "00:00", "06:00"))
    assert is_open(night, berlin("2026-03-02 23:59"))
    assert is_open(night, berlin("2026-03-03 00:00"))
    assert add_business_minutes(night, berlin("2026-03-02 23:00"), 120) == berlin("2026-03-03 01:00")


def test_a_zone_far_from_the_caller_opens_by_its_own_clock() -> None:
    auckland = hours((WEEK, "09:00", "17:00"), timezone="Pacific/Auckland")
    assert is_open(auckland, datetime(2026, 3, 1, 20, 30, tzinfo=UTC))
    assert not is_open(auckland, datetime(2026, 3, 2, 9, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    ("calendar", "path", "message"),
    [
        (
            hours((WEEK, "09:00", "17:00"), timezone="Europe/Belin"),
            "hours.timezone",
            "no time zone 'Europe/Belin'",
        ),
        (hours((WEEK, "09:00", "17:00"), timezone="../etc/passwd"), "hours.timezone", "no time zone"),
        (hours((WEEK, "09:00", "17:00"), timezone=""), "hours.timezone", "no time zone"),
        (hours((("mon",), "22:00", "06:00")), "hours.periods[0].closes", "written as two: 22:00–24:00"),
        (hours((("mon",), "09:00", "09:00")), "hours.periods[0].closes", "not after"),
        (hours(((), "09:00", "10:00")), "hours.periods[0].days", "names no day"),
        (
            hours((WEEK, "09:00", "13:00"), (("wed",), "12:00", "17:00")),
            "hours.periods[1]",
            "periods[0] on wed",
        ),
    ],
)
def test_a_calendar_that_cannot_be_meant_is_told(calendar: BusinessHours, path: str, message: str) -> None:
    (problem,) = problems(calendar, "hours")
    assert problem.path == path
    assert message in problem.message


def test_a_good_calendar_has_no_problems() -> None:
    assert problems(OFFICE) == problems(ALWAYS) == problems(hours()) == []


ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo", "UTC")
MINUTES = st.integers(0, 24 * 60)


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


@st.composite
def calendars(draw: st.DrawFn) -> BusinessHours:
    periods = []
    for day in DAYS:
        edges = sorted(draw(st.sets(MINUTES, max_size=4)))
        periods += [((day,), clock(edges[i]), clock(edges[i + 1])) for i in range(0, len(edges) - 1, 2)]
    holidays = draw(st.lists(st.dates(date(2026, 1, 1), date(2027, 12, 31)), max_size=3))
    return hours(*periods, timezone=draw(st.sampled_from(ZONES)), holidays=holidays)


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@given(calendars(), MOMENTS, st.integers(0, 5000))
def test_exactly_the_added_minutes_lie_between_start_and_end(
    calendar: BusinessHours, start: datetime, minutes: int
) -> None:
    end = add_business_minutes(calendar, start, minutes)
    if end is None:
        assert not any(each.days for each in calendar.periods)
        return
    assert end >= start
    assert open_minutes_between(calendar, start, end) == pytest.approx(minutes)


@given(calendars(), MOMENTS, st.integers(0, 2000), st.integers(0, 2000))
def test_adding_in_two_steps_is_adding_at_once(
    calendar: BusinessHours, start: datetime, first: int, second: int
) -> None:
    halfway = add_business_minutes(calendar, start, first)
    if halfway is not None and second > 0:
        assert add_business_minutes(calendar, halfway, second) == add_business_minutes(
            calendar, start, first + second
        )


@given(calendars(), MOMENTS)
def test_it_is_open_where_the_next_second_counts(calendar: BusinessHours, at: datetime) -> None:
    moment = at.replace(microsecond=0)
    assert is_open(calendar, moment) is (
        open_minutes_between(calendar, moment, moment + timedelta(seconds=1)) > 0
    )


@given(calendars(), MOMENTS)
def test_away_from_clock_changes_the_local_clock_decides(calendar: BusinessHours, at: datetime) -> None:
    zone = ZoneInfo(calendar.timezone)
    local = at.astimezone(zone)
    offsets = {(at + timedelta(hours=shift)).astimezone(zone).utcoffset() for shift in (-26, 0, 26)}
    if len(offsets) > 1:
        return
    now, day = clock(local.hour * 60 + local.minute), DAYS[local.weekday()]
    by_clock = local.date() not in calendar.holidays and any(
        day in each.days and each.opens <= now < each.closes for each in calendar.periods
    )
    assert is_open(calendar, at) is by_clock


def test_when_it_opens_or_closes_next_is_told_over_lunch_midnight_and_holidays() -> None:
    calendar = hours(
        (("mon",), "08:00", "12:00"),
        (("mon",), "12:00", "24:00"),
        (("tue",), "00:00", "09:00"),
        holidays=[date(2026, 3, 9)],
    )
    monday, closing = datetime(2026, 3, 2, 9, 0, tzinfo=UTC), datetime(2026, 3, 3, 8, 0, tzinfo=UTC)
    assert next_change(calendar, monday) == (True, closing)
    # that Monday is a holiday; its Tuesday begins at 23:00 UTC
    assert next_change(calendar, closing) == (False, datetime(2026, 3, 9, 23, 0, tzinfo=UTC))
    assert next_change(ALWAYS, monday) == (True, None)
    assert next_change(hours(), monday) == (False, None)
