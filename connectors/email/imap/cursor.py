"""How far a folder is read. Pure; kept as JSON in the cursor of the folder.

A UID at or below `uid` is done, unless it is in `failed`. UIDs rise with time, but some servers show a lower one later: what
was seen of the last few is remembered, and what appears among them is taken all the same.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from pydantic import Field

from connectors.email.imap.connection import Opened
from connectors.email.imap.settings import ImapSettings
from connectors.email.imap.uids import read_uids, write_uids
from schemas.events import Frozen

LATE = 50
"""So many UIDs below the last one are looked at again with each pass."""
MARGIN = timedelta(days=2)
"""Days of a server are in its own zone, and clocks differ."""
SKEW = timedelta(minutes=10)
MOST_UNSETTLED = 20_000


class FolderCursor(Frozen):
    """`below` and `not_before`: of UIDs under the first, only mails that came since the second are ours to take."""

    uid_validity: int
    uid: int
    seen: str = ""
    failed: dict[int, int] = Field(default_factory=dict)
    """UID -> tries."""
    unsettled: str = ""
    """Taken, with the action in the mailbox still to be done."""
    below: int = 0
    not_before: datetime | None = None
    is_rescan: bool = False
    """UIDs under `below` may be mails that were taken under other numbers."""
    origin: datetime | None = None
    """What came earlier was never ours."""
    is_begun: bool = False
    """The folder was listed before: what appears among the last few now is late."""
    visited_at: datetime | None = None
    """When the folder was last found wholly taken."""
    reader: int = 0
    """The token of the lease under which it was read last."""
    doubtful: int = 0
    """UIDs below this may have been taken by a reader that ended before it could note them."""

    @property
    def late_from(self) -> int:
        return max(1, self.uid - LATE + 1)

    def is_doubtful(self, uid: int) -> bool:
        return (self.is_rescan and uid < self.below) or uid < self.doubtful

    def is_ours(self, uid: int, arrived_at: datetime | None) -> bool:
        if uid >= self.below or self.not_before is None or arrived_at is None:
            return True
        return arrived_at >= self.not_before


def first_cursor(opened: Opened, settings: ImapSettings, now: datetime) -> FolderCursor:
    """Where a folder is begun that was never read. `opened.uid_next` must be known."""
    validity = opened.uid_validity
    if settings.first_run == "from_now":
        return FolderCursor(uid_validity=validity, uid=opened.uid_next - 1, origin=now - SKEW, visited_at=now)
    if settings.since is None:
        return FolderCursor(uid_validity=validity, uid=0)
    since = datetime.combine(settings.since, time(), tzinfo=UTC)
    return FolderCursor(uid_validity=validity, uid=0, below=opened.uid_next, not_before=since, origin=since)


def renumbered(cursor: FolderCursor, opened: Opened) -> FolderCursor:
    """Where to begin after the server gave all mails new numbers: a little before the folder was last known to be taken."""
    not_before = cursor.origin
    if cursor.visited_at is not None:
        not_before = max(filter(None, (cursor.origin, cursor.visited_at - MARGIN)))
    return FolderCursor(
        uid_validity=opened.uid_validity,
        uid=0,
        below=opened.uid_next,
        not_before=not_before,
        is_rescan=True,
        origin=cursor.origin,
        visited_at=cursor.visited_at,
        reader=cursor.reader,
    )


def read_again(cursor: FolderCursor, opened: Opened, since: datetime) -> FolderCursor:
    """Where to begin so that everything that came since then is fetched again; what is known is not taken twice."""
    return FolderCursor(
        uid_validity=opened.uid_validity,
        uid=0,
        unsettled=cursor.unsettled,
        below=opened.uid_next,
        not_before=since,
        is_rescan=True,
        origin=min(cursor.origin, since) if cursor.origin is not None else None,
        visited_at=cursor.visited_at,
        reader=cursor.reader,
    )


def taken_over(cursor: FolderCursor, opened: Opened, reader: int) -> FolderCursor:
    """The same place for another reader: what lies in the folder now, the one before may have taken without noting it."""
    return cursor.model_copy(update={"reader": reader, "doubtful": opened.uid_next})


def search_day(moment: datetime) -> date:
    """The day to ask a server for, whose zone nobody knows; what came earlier is left out by its exact time."""
    return (moment - timedelta(days=1)).date()


@dataclass(slots=True)
class Progress:
    """One pass over a folder: which UIDs are left, and the cursor that is true now."""

    cursor: FolderCursor
    _listed: list[int] = field(default_factory=list)
    _open: list[int] = field(default_factory=list)
    _next: int = 0
    _done: set[int] = field(default_factory=set)
    _failed: dict[int, int] = field(default_factory=dict)
    _unsettled: set[int] = field(default_factory=set)
    _seen: set[int] = field(default_factory=set)
    _tried: set[int] = field(default_factory=set)
    """Of these the action may have been done by half."""

    @classmethod
    def of(cls, cursor: FolderCursor) -> "Progress":
        return cls(
            cursor,
            _failed=dict(cursor.failed),
            _unsettled=set(read_uids(cursor.unsettled)),
            _seen=set(read_uids(cursor.seen)),
            _tried=set(read_uids(cursor.unsettled)),
        )

    def list(self, uids: Iterable[int], still_failed: Iterable[int]) -> Sequence[int]:
        """What the server shows now; returns what is to be taken, in order. `still_failed`: those of `failed` that are there."""
        self._listed = sorted(uids)
        there = set(still_failed)
        self._failed = {uid: tries for uid, tries in self._failed.items() if uid in there}
        cursor = self.cursor
        self._open = [
            uid
            for uid in self._listed
            if uid > cursor.uid or (cursor.is_begun and uid >= cursor.late_from and uid not in self._seen)
        ]
        self._next, self._done = 0, set()
        return sorted({*self._open, *self._failed})

    @property
    def failed(self) -> dict[int, int]:
        return self._failed

    @property
    def unsettled(self) -> Sequence[int]:
        return sorted(self._unsettled)

    def done(self, uid: int, settle: bool) -> None:
        """The mail is on the log, or not ours to take, or gone. `settle`: something is to be done to it in the mailbox."""
        self._failed.pop(uid, None)
        self._done.add(uid)
        if settle and len(self._unsettled) < MOST_UNSETTLED:
            self._unsettled.add(uid)

    def failed_once_more(self, uid: int) -> int:
        """The mail could not be fetched; later ones are not held up. Returns how often it was tried."""
        self._failed[uid] = self._failed.get(uid, 0) + 1
        self._done.add(uid)
        return self._failed[uid]

    def doubtful(self, uids: Iterable[int]) -> set[int]:
        """Those of these for which the action was begun before. From now on all of them."""
        before = self._tried.intersection(uids)
        self._tried.update(uids)
        return before

    def settled(self, uids: Iterable[int]) -> None:
        self._unsettled.difference_update(uids)

    def now(self, visited_at: datetime | None = None) -> FolderCursor:
        """The cursor as it may be saved. `visited_at`: everything that was listed is done."""
        while self._next < len(self._open) and self._open[self._next] in self._done:
            self._next += 1
        is_over = self._next == len(self._open)
        if is_over:
            uid = max([self.cursor.uid, *self._listed[-1:], self.cursor.below - 1])
        else:
            uid = max(self.cursor.uid, self._open[self._next] - 1)
        self.cursor = self.cursor.model_copy(
            update={
                "uid": uid,
                "seen": write_uids(self._seen_below(uid)),
                "failed": dict(self._failed),
                "unsettled": write_uids(self._unsettled),
                "is_begun": True,
                "visited_at": visited_at or self.cursor.visited_at,
            }
        )
        return self.cursor

    def _seen_below(self, uid: int) -> Iterable[int]:
        """Of the last few: those seen before, and those of the list that are done."""
        first, last = bisect_left(self._listed, uid - LATE + 1), bisect_right(self._listed, uid)
        waiting = set(self._open[self._next :]) - self._done
        return [
            each
            for each in {*self._seen, *self._listed[first:last]}
            if uid - LATE < each <= uid and each not in waiting
        ]
