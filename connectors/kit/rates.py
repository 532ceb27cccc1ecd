"""Token buckets by name: how often somebody may ask, in bounded memory.

https://en.wikipedia.org/wiki/Token_bucket
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

NAMES_AT_MOST = 50_000


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` at once, then `per_minute`."""

    per_minute: float
    burst: int


class TokenBuckets:
    """One bucket a name. The name that asked longest ago is forgotten first, so memory stays bounded.

    Forgetting gives that name a full bucket again: whoever owns that many addresses is held by the limit of the form.
    """

    def __init__(self, rate: Rate, names_at_most: int = NAMES_AT_MOST) -> None:
        self._per_second = rate.per_minute / 60
        self._burst = float(rate.burst)
        self._names_at_most = names_at_most
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str, now: datetime) -> float:
        """Take one token. 0 when there was one; else the seconds until there is one, and nothing is taken."""
        moment = now.timestamp()
        tokens, since = self._buckets.pop(name, (self._burst, moment))
        tokens = min(self._burst, tokens + max(0.0, moment - since) * self._per_second)
        wait = 0.0 if tokens >= 1 else (1 - tokens) / self._per_second
        self._buckets[name] = (tokens if wait else tokens - 1, moment)
        if len(self._buckets) > self._names_at_most:
            self._buckets.popitem(last=False)
        return wait

    def give_back(self, name: str) -> None:
        """Return a token: what it was taken for was refused for a reason of ours."""
        held = self._buckets.get(name)
        if held is not None:
            self._buckets[name] = (min(self._burst, held[0] + 1), held[1])

    def __len__(self) -> int:
        return len(self._buckets)
