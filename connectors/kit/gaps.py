"""What was missed for good, kept beside a cursor and told for some days, in the same words by every channel."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

GAP_IS_TOLD_FOR = timedelta(days=7)


def noted(now: datetime, **what: str) -> dict[str, str]:
    """A gap as it is kept: with what tells of it, and since when it is known."""
    return {**what, "noted": now.isoformat()}


def still_told(gap: object, now: datetime) -> Mapping[str, Any] | None:
    """What was kept, while it was noted in the last days; None for what is no gap too."""
    if not isinstance(gap, dict) or now - datetime.fromisoformat(gap["noted"]) > GAP_IS_TOLD_FOR:
        return None
    return gap


def between(began: datetime, ended: datetime) -> str:
    return f"between {began:%Y-%m-%d %H:%M} and {ended:%Y-%m-%d %H:%M} UTC"
