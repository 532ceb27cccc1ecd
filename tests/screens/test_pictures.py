"""The console looks as it did when somebody last looked at it."""

from pathlib import Path

import pytest

from tests.screens.comparing import REFERENCES, difference
from tests.screens.shots import plain_browser, taken, why_not

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def test_the_console_looks_as_it_did(tmp_path: Path) -> None:
    if missing := why_not():
        pytest.skip(missing)
    seen = set()
    differing = []
    async with plain_browser() as browser:
        async for picture in taken(tmp_path, browser):
            seen.add(picture.name)
            if found := difference(picture, REFERENCES / picture.name):
                differing.append(f"{picture.name}: {found.reason}")
    assert differing == []
    assert {each.name for each in REFERENCES.iterdir()} == seen
