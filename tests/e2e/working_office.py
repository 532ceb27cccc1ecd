"""Where a day is worked: a hub on ports that stay, so that browsers find it again after it was killed. On servers there are two of it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from connectors.email.standin.mailbox import Mailbox
from connectors.email.standin.server import StandinServer
from tests.e2e.engines import EMBEDDED, settings_of
from tests.e2e.hubs import HubProcess, company, ready, write_settings
from tests.e2e.test_real_input import Clock
from tests.support.ports import free_ports
from tests.support.process import HUBBUB, running


class Office:
    """The processes of one company. `hub` is the one that is killed; `other` goes on meanwhile, where there is one."""

    def __init__(self, settings: Sequence[Path]) -> None:
        self._settings = settings
        self._stack = AsyncExitStack()
        self.hub: HubProcess
        self.other: HubProcess

    async def open(self) -> None:
        self.hub = await self._started(self._settings[0])
        self.other = await self._started(self._settings[1]) if len(self._settings) > 1 else self.hub

    async def _started(self, settings: Path) -> HubProcess:
        run = await self._stack.enter_async_context(running(HUBBUB, "up", "--config", str(settings)))
        return await ready(run, settings)

    async def killed(self) -> None:
        """Killed, and started again a second later."""
        is_alone = self.other is self.hub
        os.kill(self.hub.run.process.pid, signal.SIGKILL)
        await self.hub.run.process.wait()
        await asyncio.sleep(1)
        self.hub = await self._started(self._settings[0])
        if is_alone:
            self.other = self.hub

    async def close(self) -> None:
        for hub in {id(each): each for each in (self.other, self.hub)}.values():
            assert await hub.run.stop() == 0
        await self._stack.aclose()


@asynccontextmanager
async def open_office(folder: Path, engine: str) -> AsyncIterator[tuple[Office, Mailbox]]:
    """One hub on its file, or two on the same servers. Killed at the end of the block if that fails, stopped otherwise."""
    mailbox = Mailbox(folder / "mailbox.sqlite")
    relay = StandinServer(mailbox, Clock())
    await relay.start()
    company_settings = company(relay.port) | {"automations": []} | await settings_of(engine)
    secret = os.urandom(32)
    hubs = [
        on_fixed_ports(folder / name, company_settings, secret)
        for name in (["one"] if engine == EMBEDDED else ["one", "two"])
    ]
    office = Office(hubs)
    try:
        await office.open()
        yield office, mailbox
        await office.close()
    finally:
        await relay.stop()
        await mailbox.close()


def on_fixed_ports(folder: Path, settings: dict[str, Any], secret: bytes) -> Path:
    console, files, intake, smtp = free_ports(4)
    settings = settings | {"console": {"port": console}, "files": {"port": files}, "intake": {"port": intake}}
    settings["email"] = settings["email"] | {"smtp_in": settings["email"]["smtp_in"] | {"port": smtp}}
    path = write_settings(folder, settings)
    (folder / "data").mkdir()
    (folder / "data" / "secret.key").write_bytes(secret)
    return path
