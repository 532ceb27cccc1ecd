"""Times as people type them: ISO 8601, or a duration such as 90s, 15m, 24h, 7d."""

import re
from datetime import UTC, datetime, timedelta

DURATION = re.compile(r"(\d{1,6})([smhdw])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def duration(text: str) -> timedelta | None:
    """The length of time that a text says; None when it says none."""
    match = DURATION.fullmatch(text.strip())
    return timedelta(**{UNITS[match[2]]: int(match[1])}) if match else None


def iso_time(text: str) -> datetime | None:
    """An aware time; without a zone it is the machine's. None when it is no time."""
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return time.astimezone(UTC)


def now() -> datetime:
    return datetime.now(UTC)
