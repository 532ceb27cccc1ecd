"""Attributes of persons are held to their type."""

import pytest

from processors.attributes import fits
from schemas.configuration import AttributeType, PersonAttribute


@pytest.mark.parametrize("value", ["2026-W53-5", "20261231", "2026-02-30", "2026-12-31T10"])
def test_a_date_is_written_in_one_way(value: str) -> None:
    since = PersonAttribute(name="since", type=AttributeType.DATE)
    assert fits(since, "2026-12-31") and not fits(since, value)
