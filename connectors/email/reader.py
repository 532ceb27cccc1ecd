"""Reads mails without ever holding up the event loop: small ones in a thread, large or odd ones in a process of their own,
and there, too, those at which the hub ended before.

A thread cannot be stopped, a process can: whatever a mail makes the parser do, it ends after `wall_seconds`, in bounded
memory, and the mail is quarantined.
"""

import asyncio
import contextlib
import struct
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from connectors.email.parse import DEFAULT_LIMITS, MailLimits, ParsedMail, parse_mail
from connectors.email.suspects import Suspects
from connectors.email.worker import READY, payloads_of

SMALL_BYTES = 256 * 1024
SMALL_PARTS = 60
WALL_SECONDS = 20.0
START_SECONDS = 30.0
WORKERS = 2
THREADS = 2
FRAME = struct.Struct(">Q")


class Unreadable(Exception):
    """The mail cannot be read; the message is the reason, `stage` where it came up: limits or parse."""

    def __init__(self, stage: str, reason: str) -> None:
        super().__init__(reason)
        self.stage = stage


def is_small(raw: bytes) -> bool:
    return len(raw) <= SMALL_BYTES and raw.count(b"\n--") <= 2 * SMALL_PARTS


class MailReader:
    """`read` gives the mail or raises Unreadable. Call `close` when done; it may be used again afterwards."""

    def __init__(
        self,
        limits: MailLimits = DEFAULT_LIMITS,
        wall_seconds: float = WALL_SECONDS,
        suspects: Suspects | None = None,
    ) -> None:
        self._limits = limits
        self._suspects = suspects
        self._wall_seconds = wall_seconds
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="mail")
        self._turns = asyncio.Semaphore(WORKERS)
        self._idle: list[_Worker] = []

    async def read(self, raw: bytes) -> ParsedMail:
        if is_small(raw):
            mail = await self._small(raw)
        else:
            mail = await self._in_process(raw)
        if mail.kind == "unparsed":
            raise Unreadable("parse", "; ".join(mail.warnings)[:500] or "not a mail")
        return mail

    async def close(self) -> None:
        workers, self._idle = self._idle, []
        for worker in workers:
            await worker.kill()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="mail")

    async def _small(self, raw: bytes) -> ParsedMail:
        suspects = self._suspects
        if suspects is None or not suspects.suspects(suspects.names(raw)):
            return await self._in_thread(raw)
        try:
            return await self._in_process(raw)
        finally:
            await asyncio.to_thread(suspects.clear, suspects.names(raw))

    def _parse(self, raw: bytes) -> ParsedMail:
        if self._suspects is None:
            return parse_mail(raw, self._limits)
        with self._suspects.reading(self._suspects.names(raw)):
            return parse_mail(raw, self._limits)

    async def _in_thread(self, raw: bytes) -> ParsedMail:
        reading = asyncio.get_running_loop().run_in_executor(self._threads, self._parse, raw)
        try:
            # Not wait_for, which returns a result although its task was cancelled (Python 3.11).
            async with asyncio.timeout(self._wall_seconds):
                return await reading
        except TimeoutError:
            raise Unreadable("limits", f"reading took longer than {self._wall_seconds:g} s") from None

    async def _in_process(self, raw: bytes) -> ParsedMail:
        async with self._worker() as worker:
            try:
                async with asyncio.timeout(self._wall_seconds):
                    return await worker.parse(raw)
            except TimeoutError:
                raise Unreadable("limits", f"reading took longer than {self._wall_seconds:g} s") from None
            except (
                EOFError,
                OSError,
                RuntimeError,
                ValueError,
            ) as error:  # RuntimeError: uvloop, of a closed pipe
                raise Unreadable("parse", f"the parser process ended ({type(error).__name__})") from error

    @asynccontextmanager
    async def _worker(self) -> "AsyncIterator[_Worker]":
        async with self._turns:
            worker = self._idle.pop() if self._idle else await _Worker.start(self._limits)
            is_whole = False
            try:
                yield worker
                is_whole = True
            finally:
                if is_whole:
                    self._idle.append(worker)
                else:
                    await worker.kill()


class _Worker:
    """One child process: a frame with a mail in, a frame with JSON and the attachments' bytes out."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, limits: MailLimits) -> "_Worker":
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "connectors.email.worker",
            limits.model_dump_json(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # the interrupt of a terminal is for the hub, which then ends its workers
        )
        worker = cls(process)
        assert process.stdout is not None
        try:
            async with asyncio.timeout(START_SECONDS):
                await process.stdout.readexactly(len(READY))
        except BaseException:
            await worker.kill()
            raise
        return worker

    async def parse(self, raw: bytes) -> ParsedMail:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(FRAME.pack(len(raw)))
        self._process.stdin.write(raw)
        await self._process.stdin.drain()
        (length,) = FRAME.unpack(await self._process.stdout.readexactly(FRAME.size))
        mail = ParsedMail.model_validate_json(await self._process.stdout.readexactly(length))
        (length,) = FRAME.unpack(await self._process.stdout.readexactly(FRAME.size))
        content = await self._process.stdout.readexactly(length)
        return mail.model_copy(update={"payloads": payloads_of(mail, content)})

    async def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
