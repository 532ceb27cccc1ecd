"""The client against ClamAV's daemon itself, whose only signature is of our own making: none has to be fetched for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import md5
from pathlib import Path

import pytest

from connectors.kit.media import ScanSettings
from connectors.kit.scanning import Clamd, Scan, Verdict
from tests.support.needs import SERVERS
from tests.support.process import running
from tests.support.waiting import eventually

pytestmark = pytest.mark.server("clamd")

BAD = b"a harmless file that is said to be bad" * 10
STREAM_MAX_BYTES = 1 << 20


@asynccontextmanager
async def clamd(folder: Path) -> AsyncIterator[Clamd]:
    """The daemon, ready, with one signature (https://docs.clamav.net/manual/Signatures/HashSignatures.html)."""
    database = folder / "signatures"
    database.mkdir(parents=True)
    digest = md5(BAD, usedforsecurity=False).hexdigest()
    (database / "own.hdb").write_text(f"{digest}:{len(BAD)}:Hubbub-Test\n")
    config = folder / "clamd.conf"
    config.write_text(
        f"DatabaseDirectory {database}\nLocalSocket {folder / 'clamd.ctl'}\nForeground yes\nLogTime no\n"
        f"StreamMaxLength {STREAM_MAX_BYTES}\nTemporaryDirectory {folder}\n"
    )
    program = SERVERS["clamd"].program()
    assert program is not None
    async with running(program, f"--config-file={config}") as daemon:
        socket = folder / "clamd.ctl"
        await eventually(lambda: socket.exists() or daemon.process.returncode is not None)
        assert daemon.process.returncode is None, "\n".join(daemon.lines)
        yield Clamd(ScanSettings(socket=str(socket)))
        await daemon.stop()


async def test_the_daemon_itself_finds_what_it_knows_and_passes_what_it_does_not(tmp_path: Path) -> None:
    async with clamd(tmp_path / "c") as scanner:
        assert await scanner.scan(BAD) == Scan(Verdict.INFECTED, "Hubbub-Test.UNOFFICIAL")
        assert await scanner.scan(BAD + b"!") == Scan(Verdict.CLEAN)
        assert await scanner.scan(b"") == Scan(Verdict.CLEAN)
        many = await asyncio.gather(*(scanner.scan(BAD if number % 2 else b"a") for number in range(20)))
        assert [each.verdict for each in many] == [Verdict.CLEAN, Verdict.INFECTED] * 10
        too_large = await scanner.scan(bytes(3 * STREAM_MAX_BYTES))
        assert too_large.verdict is Verdict.UNSCANNED, "never clean: it was not looked at"
        assert await scanner.scan(BAD[:-1]) == Scan(Verdict.CLEAN), "and it goes on"
    assert "cannot be reached" in (await scanner.scan(b"a")).reason
