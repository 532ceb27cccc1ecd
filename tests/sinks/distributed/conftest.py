"""What tests of single turns share."""

from collections.abc import Iterator

import pytest

from schemas.crash import set_hook


@pytest.fixture
def passed() -> Iterator[list[str]]:
    """The crash points that were passed."""
    names: list[str] = []
    set_hook(names.append)
    yield names
    set_hook(None)
