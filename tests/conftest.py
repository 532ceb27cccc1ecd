"""What all tests share: the skip policy, what they need from the system, time, chance, and a clean environment."""

import os
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from playwright.async_api import Browser, Page

from tests.support import needs, skips
from tests.support.browser import chromium
from tests.support.clock import Clock
from tests.support.paths import corpora, corpus_absent
from tests.support.ports import free_port as any_free_port

# Read once, before the environment is cleaned for what we start.
CORPORA = corpora()
SKIPS_ARE_FORBIDDEN = skips.are_forbidden()
SEED = int(os.environ.get("HUBBUB_SEED", "1"))
FAULTS = int(os.environ.get("HUBBUB_FAULTS", "25"))

# Time limits belong to pytest-timeout; found examples are shared through the code, not a folder.
settings.register_profile("hubbub", deadline=None, derandomize=True, database=None, print_blob=True)
settings.load_profile("hubbub")


def pytest_report_header() -> str:
    return f"hubbub: seed {SEED}, corpora {CORPORA or 'absent'}, skips {'forbidden' if SKIPS_ARE_FORBIDDEN else 'allowed'}"


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("browser"):
        program_or_skip(needs.BROWSER)
    for mark in item.iter_markers("server"):
        program_or_skip(needs.SERVERS[mark.args[0]])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if SKIPS_ARE_FORBIDDEN:
        skips.forbid(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if SKIPS_ARE_FORBIDDEN:
        skips.forbid(report)
    return report


def program_or_skip(need: needs.AnyNeed) -> str:
    """The path of a program, or the test is skipped with the command that installs it."""
    return need.program() or pytest.skip(need.absent())


@pytest.fixture(scope="session", autouse=True)
def clean_environment() -> Iterator[None]:
    """Neither our own switches nor a developer's settings reach the code under test or what it starts."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [*os.environ]:
            if name.upper().startswith("HUBBUB_") or name.lower().endswith("_proxy"):
                patch.delenv(name)
        yield


@pytest.fixture
def corpus() -> Callable[[str], Path]:
    """Finds a folder of real inputs by its name (`corpus("email/mime4j")`), or skips the test."""

    def find(name: str) -> Path:
        if CORPORA and (CORPORA / name).is_dir():
            return CORPORA / name
        pytest.skip(corpus_absent(name))

    return find


@pytest.fixture
def free_port() -> int:
    return any_free_port()


@pytest.fixture
def clock() -> Clock:
    """Monday, 2 March 2026, 09:00 UTC, until the test moves it."""
    return Clock()


@pytest.fixture(scope="session")
def seed() -> int:
    """HUBBUB_SEED: the start of all chance in tests, so that a run can be repeated."""
    return SEED


@pytest.fixture(scope="session")
def fault_count() -> int:
    """HUBBUB_FAULTS: how many faults a test of the faults kind tries."""
    return FAULTS


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Headless Chromium with an empty profile; mark the test `browser`."""
    async with chromium(program_or_skip(needs.BROWSER)) as started:
        yield started


@pytest.fixture
async def page(browser: Browser) -> Page:
    """A page in a browser of its own."""
    return await browser.new_page()
