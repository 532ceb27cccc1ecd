"""A company for each test."""

import pytest

from tests.hub.http.company import House, house


@pytest.fixture
async def home() -> House:
    return await house()
