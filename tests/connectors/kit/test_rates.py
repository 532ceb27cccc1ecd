from datetime import timedelta

import pytest

from connectors.kit.rates import Rate, TokenBuckets
from tests.support.clock import Clock


def test_a_burst_passes_and_then_one_at_the_rate(clock: Clock) -> None:
    buckets = TokenBuckets(Rate(per_minute=6, burst=2))

    assert [buckets.take("ann", clock.now) for _ in range(3)] == [0, 0, pytest.approx(10)]
    clock.advance(seconds=9)
    assert buckets.take("ann", clock.now) == pytest.approx(1)
    clock.advance(seconds=1)
    assert buckets.take("ann", clock.now) == 0


def test_one_name_does_not_pay_for_another(clock: Clock) -> None:
    buckets = TokenBuckets(Rate(per_minute=1, burst=1))
    buckets.take("ann", clock.now)

    assert buckets.take("ann", clock.now) > 0
    assert buckets.take("bob", clock.now) == 0


def test_what_was_given_back_can_be_taken_again_and_never_exceeds_the_burst(clock: Clock) -> None:
    buckets = TokenBuckets(Rate(per_minute=1, burst=1))
    buckets.take("ann", clock.now)
    buckets.give_back("ann")
    buckets.give_back("ann")
    buckets.give_back("nobody")

    assert buckets.take("ann", clock.now) == 0
    assert buckets.take("ann", clock.now) > 0


def test_memory_is_bounded_and_the_name_that_asked_longest_ago_goes_first(clock: Clock) -> None:
    buckets = TokenBuckets(Rate(per_minute=1, burst=1), names_at_most=2)
    for name in ("ann", "bob", "ann", "cem"):
        buckets.take(name, clock.now)

    assert len(buckets) == 2
    assert buckets.take("ann", clock.now) > 0
    assert buckets.take("bob", clock.now) == 0


def test_a_clock_that_goes_back_gives_nothing_away(clock: Clock) -> None:
    buckets = TokenBuckets(Rate(per_minute=60, burst=1))
    buckets.take("ann", clock.now)

    assert buckets.take("ann", clock.advance(timedelta(hours=-1))) > 0
