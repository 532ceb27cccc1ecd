"""What vendors say of their limits, read from the headers of any answer.

Retry-After: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3, a number of seconds or a date. The others have no standard
(a draft says RateLimit-*): X-RateLimit-Remaining counts, X-RateLimit-Reset is seconds to go or, as X and GitHub mean it, seconds
since 1970.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from schemas.ports import Limit

TOO_MANY = 429
LONGEST_WAIT_SECONDS = 3600.0
EPOCH_BEGINS = 1_000_000_000
"""A larger number of seconds is a moment and no duration."""
PREFIXES = ("x-rate-limit-", "x-ratelimit-", "ratelimit-")


def retry_after(
    headers: Mapping[str, str], now: datetime, most: float = LONGEST_WAIT_SECONDS
) -> float | None:
    """Seconds to wait; None where the answer does not say. `headers` have lower-case names."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    seconds = _number(value)
    if seconds is None:
        try:
            until = parsedate_to_datetime(value)
        except ValueError:
            return None
        aware = until if until.tzinfo else until.replace(tzinfo=UTC)
        seconds = (aware - now).total_seconds()
    return min(most, max(0.0, seconds))


def limit_of(status: int, headers: Mapping[str, str], now: datetime) -> Limit | None:
    """What an answer says of the account's limits; None where it says nothing."""
    rest = retry_after(headers, now) if status == TOO_MANY else None
    remaining, reset = _first(headers, "remaining"), _first(headers, "reset")
    if reset is not None and reset >= EPOCH_BEGINS:
        reset = max(0.0, reset - now.timestamp())
    if rest is None and remaining is None:
        return None
    return Limit(None if remaining is None else max(0, int(remaining)), reset, rest)


def _first(headers: Mapping[str, str], name: str) -> float | None:
    for prefix in PREFIXES:
        value = _number(headers.get(prefix + name, ""))
        if value is not None:
            return value
    return None


def _number(text: str) -> float | None:
    text = text.strip()
    plain = text.replace(".", "", 1)
    return float(text) if plain.isascii() and plain.isdigit() and len(text) <= 20 else None
