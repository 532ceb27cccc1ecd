"""Times that are chosen by name: in an hour, tomorrow morning, next Monday, or as it was typed."""

from datetime import datetime, timedelta, tzinfo

from hub.console.words import Words
from schemas.errors import Invalid

MORNING = 9
LONGEST_WAIT = timedelta(days=366)


def time_of(choice: str, written: str, words: Words) -> datetime:
    if choice != "at":
        return snooze_until(choice, words.now, words.zone)
    try:
        typed = datetime.fromisoformat(written)
        at = typed.replace(tzinfo=words.zone).astimezone(words.now.tzinfo)
    except (ValueError, OverflowError):
        raise Invalid("write a day and a time") from None
    if not words.now < at < words.now + LONGEST_WAIT:
        raise Invalid("choose a time between now and a year from now")
    return at


def snooze_until(choice: str, now: datetime, zone: tzinfo) -> datetime:
    """The time that a choice means to the reader. Raises Invalid for what is no choice."""
    spans = {"hour": timedelta(hours=1), "three-hours": timedelta(hours=3)}
    if choice in spans:
        return now + spans[choice]
    local = now.astimezone(zone)
    days = {"tomorrow": 1, "monday": 7 - local.weekday(), "week": 7}.get(choice)
    if days is None:
        raise Invalid("choose when the case comes back")
    morning = (local + timedelta(days=days)).replace(hour=MORNING, minute=0, second=0, microsecond=0)
    return morning.astimezone(now.tzinfo)
