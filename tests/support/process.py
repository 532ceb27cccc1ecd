"""A program started as its user would start it: output read line by line, stopped politely, killed in the end."""

import asyncio
import contextlib
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.paths import ROOT

HUBBUB = str(Path(sys.executable).with_name("hubbub"))


@dataclass
class Running:
    """A process and what it has said so far (stdout and stderr together)."""

    process: Process
    lines: list[str] = field(default_factory=list)
    spoke: asyncio.Condition = field(default_factory=asyncio.Condition)
    is_silent: bool = False

    async def said(self, pattern: str, within_seconds: float = 20) -> re.Match[str]:
        """The first line that matches, said already or still to come; EOFError if the process ends without it."""
        expression = re.compile(pattern)
        seen = 0
        async with asyncio.timeout(within_seconds), self.spoke:
            while True:
                for line in self.lines[seen:]:
                    if match := expression.search(line):
                        return match
                seen = len(self.lines)
                if self.is_silent:
                    raise EOFError(f"ended without saying {pattern!r}:\n" + "\n".join(self.lines[-40:]))
                await self.spoke.wait()

    async def stop(self, with_signal: signal.Signals = signal.SIGTERM, within_seconds: float = 10) -> int:
        """Sends the signal and waits; the exit code. TimeoutError when the process does not end in time."""
        if self.process.returncode is None:
            # Not through subprocess: it looks for the exit code first, which asyncio's own watcher then misses.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, with_signal)
        return await asyncio.wait_for(self.process.wait(), within_seconds)

    async def listen(self) -> None:
        assert self.process.stdout
        async for line in self.process.stdout:
            async with self.spoke:
                self.lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                self.spoke.notify_all()
        async with self.spoke:
            self.is_silent = True
            self.spoke.notify_all()


@asynccontextmanager
async def running(
    *command: str, folder: Path = ROOT, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Running]:
    """Starts the command in a process group of its own; what is left of the group is killed at the end."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        limit=2**20,
        start_new_session=True,
    )
    run = Running(process)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(run.listen())
        try:
            yield run
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
