"""Of what somebody is told, decided here for all ways to tell it: the browser, a sound, a mail.

Pure. The same happening has the same id wherever it is decided, so that no tab, device or process tells it twice.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schemas.accounts import User
from schemas.case_messages import CaseReceived
from schemas.case_work import CaseAssigned, CaseClaimed
from schemas.cases import CaseEvent, CaseState, CaseSummary
from schemas.documents import Case
from schemas.events import Event
from schemas.ids import derive
from schemas.preferences import NoticeKind, Preferences, QuietHours

SOON = timedelta(minutes=15)
OLDEST = timedelta(minutes=10)
"""What is older when a stream comes to it (it was away) is no news: the list shows it."""
SATURDAY = 5
OPEN = (CaseState.OPEN, CaseState.WAITING)


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that somebody is told. Which words say it is for who shows it."""

    id: UUID
    kind: NoticeKind
    case: UUID
    number: str
    subject: str
    at: datetime


def notice_of(event: Event, user: User, now: datetime) -> Notice | None:
    """What an event of a case is to the user: given to them by somebody else, or a customer's word on a case of theirs."""
    data = event.data
    if not isinstance(data, CaseEvent) or data.after is None or event.late or event.time < now - OLDEST:
        return None
    after = data.after
    if after.assignee != user.name or not _reads(user, after) or data.actor.id == user.name:
        return None
    if isinstance(data, CaseAssigned | CaseClaimed):
        kind = NoticeKind.ASSIGNED
    elif isinstance(data, CaseReceived) and after.state in OPEN:
        kind = NoticeKind.REPLY
    else:
        return None
    if kind not in user.preferences.notices:
        return None
    return Notice(
        derive("notice", str(event.id), user.name), kind, data.case, after.number, after.subject, event.time
    )


def late_soon(case: Case, user: User, now: datetime) -> Notice | None:
    """That a case of theirs has to be answered within minutes. Once for each due time."""
    due = case.due_at
    if due is None or case.assignee != user.name or case.state not in OPEN or not now <= due <= now + SOON:
        return None
    if NoticeKind.LATE_SOON not in user.preferences.notices:
        return None
    id = derive("notice", "late-soon", user.name, str(case.id), due.isoformat())
    return Notice(id, NoticeKind.LATE_SOON, case.id, case.number, case.subject, now)


def is_news(case: Case, user: User, since: datetime, now: datetime) -> bool:
    """Whether a case of theirs belongs into a digest of what happened since: the same three kinds."""
    kinds = user.preferences.notices
    if (
        case.assignee != user.name
        or case.state not in OPEN
        or user.roles.keys().isdisjoint({case.queue, "*"})
    ):
        return False
    if NoticeKind.ASSIGNED in kinds and case.assigned_at is not None and case.assigned_at > since:
        return True
    if NoticeKind.REPLY in kinds and case.waiting_since is not None:
        wrote = case.wrote_at or case.waiting_since
        if wrote > since:
            return True
    due = case.due_at
    return NoticeKind.LATE_SOON in kinds and due is not None and since + SOON < due <= now + SOON


def is_quiet(preferences: Preferences, now: datetime) -> bool:
    """Whether nothing is told now, by the clock of who is told."""
    quiet = preferences.quiet
    if quiet is None:
        return False
    local = now.astimezone(zone_named(preferences.zone))
    if quiet.weekends and local.weekday() >= SATURDAY:
        return True
    starts, ends = _times(quiet)
    at = local.time()
    return starts <= at < ends if starts < ends else at >= starts or at < ends


def zone_named(name: str) -> tzinfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _times(quiet: QuietHours) -> tuple[time, time]:
    return time.fromisoformat(quiet.starts), time.fromisoformat(quiet.ends)


def _reads(user: User, after: CaseSummary) -> bool:
    return not user.roles.keys().isdisjoint({after.queue, "*"})
