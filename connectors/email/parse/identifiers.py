"""Message ids (RFC 5322, 3.6.4) without their angle brackets, and dates (3.3)."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

BRACKETED = re.compile(r"<([^<>]{1,998})>")
SPACE = re.compile(r"\s+")
LONGEST = 998
ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)?")


def message_id(header: str) -> str | None:
    """The one id of Message-ID or In-Reply-To, whatever surrounds it; without brackets the first word."""
    found = message_ids(header)
    return found[0] if found else None


def message_ids(header: str) -> list[str]:
    """Every id of References, the oldest first, none twice."""
    found = [cleaned for match in BRACKETED.findall(header) if (cleaned := _cleaned(match))]
    if not found:
        bare = header.replace("<", " ").replace(">", " ").replace(",", " ").split()
        # Without brackets only what looks like an id counts, or a lone word.
        found = [word[:LONGEST] for word in bare if "@" in word] or (bare if len(bare) == 1 else [])
    return list(dict.fromkeys(found))


def _cleaned(text: str) -> str:
    return SPACE.sub("", text)[:LONGEST]


def read_date(header: str) -> datetime | None:
    """An aware time, or None. A date without a zone is taken as UTC (RFC 5322, 3.3: -0000 says the same)."""
    header = header[:200].strip()
    if not header:
        return None
    try:
        parsed = parsedate_to_datetime(header)
    except (ValueError, TypeError, IndexError, OverflowError):
        return _iso_date(header)
    return _aware(parsed)


def _iso_date(header: str) -> datetime | None:
    found = ISO_DATE.search(header)
    if found is None:
        return None
    try:
        return _aware(datetime.fromisoformat(found.group()))
    except ValueError:
        return None


def _aware(moment: datetime) -> datetime | None:
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    offset = moment.utcoffset() or timedelta()
    if abs(offset) > timedelta(hours=24):
        return None
    try:
        moment.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
    return moment
