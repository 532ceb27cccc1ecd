"""Names for entries that were sent without a key, so that sending one twice makes one case."""

from collections import OrderedDict
from datetime import datetime

from schemas.ids import derive

WINDOW_SECONDS = 600
REMEMBERED_AT_MOST = 20_000


class RecentEntries:
    """The same content of the same visitor within ten minutes has the same name.

    The name holds the ten minutes of the clock, so it survives a restart. Two posts on both sides of such a boundary are found
    by memory, as long as the process lives.
    """

    def __init__(self, remembered_at_most: int = REMEMBERED_AT_MOST) -> None:
        self._remembered_at_most = remembered_at_most
        self._first_seen: OrderedDict[str, datetime] = OrderedDict()

    def name(self, digest: str, visitor: str, now: datetime) -> str:
        same = derive("form entry", digest, visitor).hex
        first = self._first_seen.get(same)
        if first is None or (now - first).total_seconds() >= WINDOW_SECONDS:
            first = now
            self._first_seen.pop(same, None)
            self._first_seen[same] = now
            if len(self._first_seen) > self._remembered_at_most:
                self._first_seen.popitem(last=False)
        return f"entry:{same}:{int(first.timestamp()) // WINDOW_SECONDS}"
