"""The client of ClamAV's daemon, against a server that speaks its protocol as documented (INSTREAM)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from connectors.kit.media import ScanSettings
from connectors.kit.scanning import CHUNK_BYTES, Clamd, Scan, Verdict

BAD = b"X5O!P%@AP this is bad"


@dataclass
class Daemon:
    """clamd: takes INSTREAM, answers by what the file holds, or with `answer` whatever it holds."""

    answer: bytes | None = None
    limit: int = 1 << 20
    silent: bool = False
    files: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            assert await reader.readexactly(10) == b"zINSTREAM\0"
            content = b""
            while size := int.from_bytes(await reader.readexactly(4), "big"):
                content += await reader.readexactly(size)
                if len(content) > self.limit:
                    writer.write(b"INSTREAM size limit exceeded. ERROR\0")
                    return
            self.files.append(content)
            if self.silent:
                await reader.read()
                return
            found = b"stream: Eicar-Signature FOUND\0" if BAD in content else b"stream: OK\0"
            writer.write(found if self.answer is None else self.answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def running(daemon: Daemon, seconds: float = 5) -> AsyncIterator[Clamd]:
    server = await asyncio.start_server(daemon.serve, "127.0.0.1", 0)
    async with server:
        yield Clamd(ScanSettings(port=server.sockets[0].getsockname()[1], seconds=seconds))


async def test_a_clean_file_is_clean_and_arrives_whole() -> None:
    daemon = Daemon()
    content = bytes(range(256)) * (CHUNK_BYTES // 64)
    async with running(daemon) as clamd:
        assert await clamd.scan(content) == Scan(Verdict.CLEAN)
    assert daemon.files == [content]


async def test_what_is_found_is_named() -> None:
    async with running(Daemon()) as clamd:
        assert await clamd.scan(BAD) == Scan(Verdict.INFECTED, "Eicar-Signature")


async def test_a_file_beyond_the_daemons_own_limit_is_not_called_clean() -> None:
    async with running(Daemon(limit=1000)) as clamd:
        scan = await clamd.scan(bytes(4 * CHUNK_BYTES))
    assert scan.verdict is Verdict.UNSCANNED


@pytest.mark.parametrize("answer", [b"", b"stream: ERROR\0", b"something else", b"stream: evil OK\0"])
async def test_an_answer_that_is_none_is_not_called_clean(answer: bytes) -> None:
    async with running(Daemon(answer=answer)) as clamd:
        assert (await clamd.scan(b"a")).verdict is Verdict.UNSCANNED


async def test_a_daemon_that_is_silent_or_away_says_nothing_of_the_file() -> None:
    async with running(Daemon(silent=True), seconds=0.05) as clamd:
        assert "within" in (await clamd.scan(b"a")).reason
    assert "cannot be reached" in (await clamd.scan(b"a")).reason


async def test_the_daemon_is_reached_by_its_socket_too(tmp_path: Path) -> None:
    path = str(tmp_path / "clamd.ctl")
    async with await asyncio.start_unix_server(Daemon().serve, path):
        assert await Clamd(ScanSettings(socket=path)).scan(b"a") == Scan(Verdict.CLEAN)
