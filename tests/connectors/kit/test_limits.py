"""What vendors say of their limits, in each of their spellings."""

from datetime import UTC, datetime

import pytest

from connectors.kit.limits import limit_of, retry_after
from schemas.ports import Limit

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
IN_A_MINUTE = str(int(NOW.timestamp()) + 60)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30),
        ("1.5", 1.5),
        ("Mon, 02 Mar 2026 10:01:00 GMT", 60),
        ("Mon, 02 Mar 2026 09:00:00 GMT", 0),
        ("99999999", 3600),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_retry_after_is_a_number_or_a_date_within_bounds(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}, NOW) == seconds


@pytest.mark.parametrize(
    ("status", "headers", "limit"),
    [
        (200, {}, None),
        (429, {"retry-after": "7"}, Limit(rest_seconds=7)),
        (503, {"retry-after": "7"}, None),
        (200, {"x-rate-limit-remaining": "3", "x-rate-limit-reset": IN_A_MINUTE}, Limit(3, 60)),
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "12"}, Limit(0, 12)),
        (429, {"ratelimit-remaining": "0", "ratelimit-reset": "12"}, Limit(0, 12)),
        (200, {"x-ratelimit-remaining": "many"}, None),
    ],
)
def test_limits_are_read_from_any_answer(status: int, headers: dict[str, str], limit: Limit | None) -> None:
    assert limit_of(status, headers, NOW) == limit
