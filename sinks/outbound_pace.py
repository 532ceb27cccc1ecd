"""How fast each account sends: a token bucket of what its channel allows, corrected by what the channel says with each answer.

An account is sent for by one process at a time, so the bucket is in memory. A new process begins with a full one; what it then
sends too much the channel refuses, with the time to wait.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.ports import Allowance, Deliverer, Limit, Paced
from sinks.outbound_due import Account

LONGEST_REST_SECONDS = 24 * 3600.0
Allowed = Callable[[Account], Allowance | None]


def allowed_by(deliverers: Mapping[str, Deliverer]) -> Allowed:
    """What the deliverers know of their limits."""

    def allowed(account: Account) -> Allowance | None:
        deliverer: object = deliverers.get(account[0])
        return deliverer.allowance(account[1]) if isinstance(deliverer, Paced) else None

    return allowed


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: datetime
    rests_until: datetime | None = None
    learned: Allowance | None = None
    learned_until: datetime | None = None


class Pace:
    """`wait_seconds` before each send, `took` when one begins, `told` with what the channel answered."""

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed
        self._buckets: dict[Account, _Bucket] = {}

    def wait_seconds(self, account: Account, now: datetime) -> float:
        """0 where the account may send now."""
        bucket = self._buckets.get(account)
        if bucket is None:
            return 0.0
        if bucket.rests_until is not None and bucket.rests_until > now:
            return (bucket.rests_until - now).total_seconds()
        allowance = self._allowance(account, bucket, now)
        if allowance is None:
            return 0.0
        tokens = _filled(bucket, allowance, now)
        return 0.0 if tokens >= 1 else (1 - tokens) / allowance.per_second

    def took(self, account: Account, now: datetime) -> None:
        bucket = self._buckets.get(account)
        if bucket is None:
            allowance = self._allowed(account)
            if allowance is None:
                return
            bucket = self._buckets[account] = _Bucket(float(allowance.burst), now)
        held = self._allowance(account, bucket, now)
        if held is not None:
            bucket.tokens, bucket.at = _filled(bucket, held, now) - 1, now

    def told(self, account: Account, limit: Limit | None, now: datetime) -> None:
        """What remains in a window is spread over it, until it is over; nothing remaining, or a rest, is waited for."""
        if limit is None:
            return
        bucket = self._buckets.setdefault(account, _Bucket(1.0, now))
        rest = limit.rest_seconds
        if rest is None and limit.remaining == 0:
            rest = limit.reset_seconds
        if rest is not None and rest > 0:
            bucket.rests_until = now + timedelta(seconds=min(rest, LONGEST_REST_SECONDS))
        if limit.remaining and limit.reset_seconds:
            window = min(limit.reset_seconds, LONGEST_REST_SECONDS)
            bucket.learned = Allowance(limit.remaining / window, limit.remaining)
            bucket.learned_until = now + timedelta(seconds=window)
            bucket.tokens, bucket.at = float(limit.remaining), now

    def _allowance(self, account: Account, bucket: _Bucket, now: datetime) -> Allowance | None:
        """What the channel said, for as long as it holds; else what the deliverer knows."""
        if bucket.learned is not None and bucket.learned_until is not None and now < bucket.learned_until:
            return bucket.learned
        bucket.learned = bucket.learned_until = None
        return self._allowed(account)


def _filled(bucket: _Bucket, allowance: Allowance, now: datetime) -> float:
    passed = max(0.0, (now - bucket.at).total_seconds())
    return min(float(max(1, allowance.burst)), bucket.tokens + passed * allowance.per_second)
