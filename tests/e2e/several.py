"""A hub of several processes on real servers: one takes in and answers, workers decide and send."""

import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiosmtplib

from tests.e2e.hubs import HubProcess, company, hubbub, ready, send_mail, write_settings
from tests.support.process import HUBBUB, Running, running
from tests.support.servers import server

PARTITIONS = 4


def settings_on_servers(folder: Path, relay_port: int, **more: Any) -> Path:
    """Settings of a small company with a log and a store of its own."""
    name = uuid4().hex[:8]
    settings = company(relay_port) | {
        "log": f"{server('kafka').url}?prefix=several-{name}.&partitions={PARTITIONS}",
        "store": f"{server('nx-27017').url}several_{name}",
        "health": {"port": 0},
        **more,
    }
    return write_settings(folder, settings)


async def make_topics(settings: Path) -> None:
    code, said = await hubbub("topics", "apply", "--yes", "--config", str(settings))
    assert code == 0, said


@dataclass
class Several:
    """The processes; workers by their names."""

    settings: Path
    front: HubProcess
    stack: AsyncExitStack
    workers: dict[str, Running] = field(default_factory=dict)

    async def start_worker(self, name: str, environment: Mapping[str, str] | None = None) -> Running:
        """Returns when it is ready to take partitions."""
        run = await self.stack.enter_async_context(
            running(HUBBUB, "worker", "--name", name, "--config", str(self.settings), environment=environment)
        )
        self.workers[name] = run
        await run.said("ready; stop with", 120)
        return run

    async def kill_worker(self, name: str) -> None:
        await self.workers.pop(name).stop(signal.SIGKILL)

    async def send(self, *mails: bytes) -> list[str]:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=self.front.smtp_port, timeout=30) as client:
            return [await send_mail(client, each) for each in mails]

    async def verified(self, items: list[str]) -> str:
        """What `verify` says of the log, the states, and that all these items arrived."""
        ledger = self.settings.parent / "ledger"
        ledger.write_text("\n".join(items))
        code, said = await hubbub("verify", "--json", "--ledger", str(ledger), "--config", str(self.settings))
        assert code == 0, said
        return said


@asynccontextmanager
async def several(settings: Path, *workers: str) -> AsyncIterator[Several]:
    """One process of connectors and API, and these workers. All are killed at the end of the block."""
    async with AsyncExitStack() as stack:
        front = await stack.enter_async_context(
            running(HUBBUB, "up", "--only", "connectors,api", "--config", str(settings))
        )
        made = Several(settings, await ready(front, settings), stack)
        try:
            for name in workers:
                await made.start_worker(name)
            yield made
        except BaseException:
            for name, run in {"front": front, **made.workers}.items():
                print(f"-- {name} said at last:", *run.lines[-30:], sep="\n")
            raise


def mail(
    sender: str, number: int, subject: str = "", reply_to: int | str | None = None, copy: str = ""
) -> bytes:
    """The `number`th mail of a sender; in reply to one before, theirs or one that is named, where that is said."""
    parent = f"{sender}-{reply_to}" if isinstance(reply_to, int) else reply_to
    references = "" if parent is None else f"In-Reply-To: <{parent}@customer.example>\r\n"
    copied = f"Cc: {copy}@customer.example\r\n" if copy else ""
    return (
        f"From: {sender}@customer.example\r\nTo: support@shop.example\r\n{copied}"
        f"Message-ID: <{sender}-{number}@customer.example>\r\n{references}"
        f"Subject: {subject or f'invoice {sender}'}\r\n\r\nmessage {number}\r\n"
    ).encode()
