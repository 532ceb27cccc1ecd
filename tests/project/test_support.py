"""The helpers that other tests lean on."""

import asyncio
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.support.clock import MONDAY_MORNING, Clock
from tests.support.needs import SERVERS, Need
from tests.support.paths import CORPORA_ABSENT, corpus_absent
from tests.support.ports import LOOPBACK, free_ports, listening
from tests.support.process import running
from tests.support.skips import forbid
from tests.support.waiting import eventually

SAYS_READY_THEN_WAITS = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
print("ready at 8025")
signal.pause()
"""


def skipped(reason: str) -> pytest.TestReport:
    return pytest.TestReport(
        "test", ("file", 1, ""), {}, "skipped", ("file", 1, f"Skipped: {reason}"), "call"
    )


def test_a_skip_becomes_a_failure_that_says_why() -> None:
    report = skipped("postfix is not installed")
    forbid(report)
    assert report.outcome == "failed"
    assert "postfix is not installed" in str(report.longrepr)


def test_absent_corpora_may_be_skipped_always() -> None:
    report = skipped(corpus_absent("email/mime4j"))
    forbid(report)
    assert report.outcome == "skipped"
    assert CORPORA_ABSENT in str(report.longrepr)


def test_a_test_expected_to_fail_is_not_a_skip() -> None:
    report = skipped("known fault")
    report.wasxfail = "known fault"
    forbid(report)
    assert report.outcome == "skipped"


def test_a_missing_program_names_the_command_that_installs_it() -> None:
    need = Need(("no-such-program",), ("some-package", "another"))
    assert need.program() is None
    assert need.absent() == "no-such-program is not installed: sudo apt-get install -y some-package another"
    assert all(need.packages for need in SERVERS.values() if isinstance(need, Need))
    assert "python -m deploy.local fetch kafka" in SERVERS["kafka"].absent()


def test_free_ports_are_distinct() -> None:
    assert len(set(free_ports(20))) == 20


async def test_listening_returns_once_a_server_accepts(free_port: int) -> None:
    with pytest.raises(TimeoutError):
        await listening(free_port, within_seconds=0)
    server = await asyncio.start_server(lambda _, writer: writer.close(), LOOPBACK, free_port)
    async with server:
        await listening(free_port)


async def test_eventually_raises_the_last_assertion_that_failed() -> None:
    def look() -> bool:
        raise AssertionError("three of four")

    with pytest.raises(AssertionError, match="three of four"):
        await eventually(look, within_seconds=0)


async def test_a_process_is_heard_and_stopped() -> None:
    async with running(sys.executable, "-c", SAYS_READY_THEN_WAITS) as process:
        ready = await process.said(r"ready at (\d+)")
        assert ready[1] == "8025"
        assert await process.stop(signal.SIGTERM) == 3


async def test_a_process_that_ends_early_shows_what_it_said() -> None:
    async with running(sys.executable, "-c", "print('no such table')") as process:
        with pytest.raises(EOFError, match="no such table"):
            await process.said("ready")


def test_the_clock_stands_still_until_told(clock: Clock) -> None:
    assert clock() == clock() == MONDAY_MORNING
    assert clock.advance(hours=2).hour == 11


def test_a_corpus_is_found_by_name_or_skipped(corpus: Callable[[str], Path]) -> None:
    assert any(corpus("email/mime4j").iterdir())


@pytest.mark.browser
async def test_the_browser_shows_a_page_of_this_machine(page: Page) -> None:
    await page.set_content("<h1>Hubbub</h1>")
    assert await page.inner_text("h1") == "Hubbub"
