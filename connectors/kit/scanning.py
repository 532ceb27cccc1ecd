"""Files looked at by a scanner before they are kept. One client, of ClamAV's daemon.

INSTREAM: https://docs.clamav.net/manual/Usage/Scanning.html#clamd. The file crosses the connection in chunks, each behind its length
as four bytes, an empty one ends it; the answer is `stream: OK`, `stream: NAME FOUND` or a text that ends in `ERROR`.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from connectors.kit.media import ScanSettings

CHUNK_BYTES = 64 * 1024
ANSWER_BYTES = 4096


class Verdict(StrEnum):
    CLEAN = "clean"
    INFECTED = "infected"
    UNSCANNED = "unscanned"


@dataclass(frozen=True, slots=True)
class Scan:
    """`reason` names what was found, or why nothing could be said."""

    verdict: Verdict
    reason: str = ""


class Scanner(Protocol):
    async def scan(self, content: bytes) -> Scan:
        """Never raises for what the scanner's process does."""
        ...


class Clamd:
    """Implements Scanner. One connection a file, as clamd wants it."""

    def __init__(self, settings: ScanSettings) -> None:
        self._settings = settings

    async def scan(self, content: bytes) -> Scan:
        try:
            async with asyncio.timeout(self._settings.seconds):
                return _read(await self._asked(content))
        except TimeoutError:
            return Scan(Verdict.UNSCANNED, f"clamd did not answer within {self._settings.seconds:g} s")
        except OSError as error:
            return Scan(Verdict.UNSCANNED, f"clamd cannot be reached: {error.strerror or error}")

    async def _asked(self, content: bytes) -> bytes:
        reader, writer = await self._connected()
        try:
            with suppress(
                ConnectionError
            ):  # it answers and hangs up in the middle of a file that is too large
                writer.write(b"zINSTREAM\0")
                for start in range(0, len(content), CHUNK_BYTES):
                    chunk = content[start : start + CHUNK_BYTES]
                    writer.write(len(chunk).to_bytes(4, "big") + chunk)
                    await writer.drain()
                writer.write(bytes(4))
                await writer.drain()
            return await reader.read(ANSWER_BYTES)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._settings.socket is not None:
            return await asyncio.open_unix_connection(self._settings.socket)
        return await asyncio.open_connection(self._settings.host, self._settings.port)


ENDINGS: Mapping[str, Verdict] = {"OK": Verdict.CLEAN, "FOUND": Verdict.INFECTED}


def _read(answer: bytes) -> Scan:
    text = answer.rstrip(b"\0\n").decode("utf-8", "replace").removeprefix("stream: ")
    said, _, ending = text.rpartition(" ")
    verdict = ENDINGS.get(ending, Verdict.UNSCANNED)
    if verdict is Verdict.CLEAN and said:  # no file name can stand here, so this is no answer to us
        verdict = Verdict.UNSCANNED
    if verdict is Verdict.UNSCANNED:
        return Scan(verdict, f"clamd said: {text[:200]}" if text else "clamd hung up without an answer")
    return Scan(verdict, said[:200])
