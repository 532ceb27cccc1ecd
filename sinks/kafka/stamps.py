"""A hybrid logical clock: microseconds that always rise, and are above every stamp that this process has read.

So an event is stamped above its cause, whichever process wrote that, as long as clocks are set (Kulkarni, Demirbas et al.,
"Logical Physical Clocks", 2014). By these stamps what lies in several partitions is merged.
"""

from collections.abc import Callable, Iterable

MOST_AHEAD_MICROSECONDS = 60 * 1_000_000


class Stamps:
    """`now` gives the microseconds of the wall clock."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._last = 0

    def next(self) -> int:
        self._last = max(self._last + 1, self._now())
        return self._last

    def observe(self, stamps: Iterable[int]) -> None:
        """Stamps that were read. One far ahead is of a clock that is not set, and is not followed."""
        most = self._now() + MOST_AHEAD_MICROSECONDS
        self._last = max([self._last, *(each for each in stamps if each < most)])
