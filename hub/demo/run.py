"""Runs the demo: starts the hub with the sample company, lets its customers write, and says where to look."""

import asyncio
import contextlib
import signal
import socket
import sys
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from connectors.email.standin.mailbox import Mailbox
from connectors.email.standin.server import StandinServer
from hub.demo.customers import Customers
from hub.demo.mailbox_page import mailbox_page
from hub.demo.outside import Outside
from hub.demo.report import rows, table
from hub.demo.samples import Samples, company_file, read_company, read_samples
from hub.demo.servers import ROLES, Distributed
from hub.listening import Server
from hub.observe import configure_logging
from hub.roles import EVERYTHING
from hub.settings import HubSettings
from hub.up import Running, start
from hub.wiring import SystemClock
from schemas.collections import DELIVERIES
from schemas.errors import HubbubError, Invalid
from schemas.events import SYSTEM
from schemas.outbound import DeliveryState
from schemas.steps import Query, Where

SETTLE_SECONDS = 60.0
LOOKS = 3
TRICKLE_SECONDS = 20.0
MAILBOX_PORT = 8028
FED = "fed"
KAFKA = "kafka"
FOLDERS = {None: Path("demo-data"), KAFKA: Path("demo-data-kafka")}
SHOWN_AGENT = "mia"
FORGOTTEN = (
    "                 (a new one: .venv/bin/hubbub users password {agent} --data {folder} --config {company})"
)


def main(once: bool = False, folder: Path | None = None, engine: str | None = None) -> int:
    """Returns the exit code: 0, or 1 when `verify` finds a fault. `engine`: None in one process, KAFKA on real servers."""
    configure_logging("console", "WARNING")
    if once:
        with tempfile.TemporaryDirectory(prefix="hubbub-demo-") as temporary:
            return _run(_once(folder or Path(temporary), engine))
    return _run(_stay(folder or FOLDERS[engine], engine))


def _run(demo: Coroutine[None, None, int]) -> int:
    try:
        return asyncio.run(demo)
    except HubbubError as error:
        print(f"hubbub demo: {error}", file=sys.stderr)  # noqa: T201  the command's own output
        return 1


@dataclass
class Demo:
    """The parts of a running demo."""

    running: Running
    relay: StandinServer
    mailbox: Mailbox
    customers: Customers
    samples: Samples
    outside: Outside
    distributed: Distributed | None = None

    async def stop(self) -> None:
        await self.running.stop()
        if self.distributed is not None:
            await self.distributed.stop()
        await self.outside.stop()
        await self.relay.stop()
        await self.mailbox.close()

    async def write(self) -> None:
        """All samples, by every channel."""
        await self.customers.write(self.samples)
        await self.outside.write(self.running.addresses["intake"])
        await self.customers.answer(self.samples)


async def _open(folder: Path, engine: str | None) -> Demo:
    """Starts all of it; what was started is stopped again where something cannot be."""
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    company = read_company()
    async with contextlib.AsyncExitStack() as undoing:
        mailbox = Mailbox(folder / "mailbox.sqlite")
        undoing.push_async_callback(mailbox.close)
        relay = StandinServer(mailbox, SystemClock(), _free_port(company["email"]["relay"]["port"]))
        await relay.start()
        undoing.push_async_callback(relay.stop)
        outside = Outside()
        await outside.start()
        undoing.push_async_callback(outside.stop)
        company |= outside.sections()
        distributed = Distributed(await asyncio.to_thread(folder.resolve)) if engine == KAFKA else None
        if distributed is not None:
            undoing.push_async_callback(distributed.stop)
            company |= await distributed.open(_say)
        running = await _start(company, relay.port, folder, engine)
        undoing.push_async_callback(running.stop)
        if distributed is not None:
            await distributed.start_workers(company, _say)
        undoing.pop_all()
    host, _, port = running.addresses["smtp"].rpartition(":")
    customers = Customers(host, int(port), running.addresses["intake"], mailbox)
    return Demo(running, relay, mailbox, customers, read_samples(), outside, distributed)


async def _start(company: dict[str, Any], relay_port: int, folder: Path, engine: str | None) -> Running:
    """Where somebody takes a port between our look and our use of it, the next look finds another."""
    roles = EVERYTHING if engine is None else ROLES
    for _ in range(LOOKS - 1):
        _avoid_used_ports(company, relay_port)
        with contextlib.suppress(Invalid):
            return await start(HubSettings.model_validate(company), folder, roles)
    _avoid_used_ports(company, relay_port)
    return await start(HubSettings.model_validate(company), folder, roles)


async def _once(folder: Path, engine: str | None) -> int:
    """Feed, wait until all is applied and answered, print what happened and what `verify` says."""
    demo = await _open(folder, engine)
    hub = demo.running.hub
    try:
        await _make_agents(demo)
        await demo.write()
        await _settled(demo)
        found = await rows(hub)
        _say(table(found))
        ledger = "\n".join(str(item) for item in demo.customers.items.values())
        last: dict[str, Any] = {}
        async for record in hub.verifier.verify(ledger):
            last = dict(record)
            if "fault" in last:
                _say(f"verify: {last['promise']}: {last['subject']} {last['fault']}")
        _say(
            f"\nverify: {last['result']} ({len(found)} messages, {len(demo.customers.items)} acknowledged mails)"
        )
        return 0 if last["result"] == "whole" else 1
    finally:
        await demo.stop()


async def _stay(folder: Path, engine: str | None) -> int:
    """Stay alive, with mail and posts trickling in, until Ctrl-C."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    demo = await _open(folder, engine)
    page, address = await _serve_mailbox(demo)
    try:
        password = await _make_agents(demo)
        await _feed_first_time(demo, folder)
        _say(_welcome(demo, address, password, folder))
        trickling = asyncio.create_task(_trickle(demo))
        await stopped.wait()
        trickling.cancel()
        again = "make demo" if engine is None else f"make demo ENGINE={engine}"
        _say(f"\nStopping. `{again}` goes on where it was.")
    finally:
        page.should_exit = True
        await demo.stop()
    return 0


def _welcome(demo: Demo, mailbox: str, password: str, folder: Path) -> str:
    addresses = demo.running.addresses
    way_in = (
        f"one-time password: {password}"
        if password
        else f"with the password that you chose\n{_forgotten(folder)}"
    )
    return f"""
Hubbub is running with a small company and its first mail.

  Console        {addresses["console"]}/console
                 sign in as {SHOWN_AGENT}, {way_in}
  A web form     {addresses["intake"]}/f/contact
  Sent mail      {mailbox}   (what the customers got)
  SMTP in        {addresses["smtp"]}   (help@nordlicht.example, hello@kaffeewerk.example)
{_servers(demo)}
New mail and posts trickle in. Ctrl-C stops.
"""


def _forgotten(folder: Path) -> str:
    company, here = company_file(), Path.cwd()
    shown = company.relative_to(here) if company.is_relative_to(here) else company
    return FORGOTTEN.format(agent=SHOWN_AGENT, folder=folder, company=shown)


def _servers(demo: Demo) -> str:
    if demo.distributed is None:
        return ""
    lines = [f"  {name:<14} {address}" for name, address in demo.distributed.places()]
    return "\n".join(lines) + "\n"


async def _feed_first_time(demo: Demo, folder: Path) -> None:
    marker = folder / FED
    if marker.exists():
        return
    await demo.write()
    marker.touch()


async def _trickle(demo: Demo) -> None:
    index = 0
    while True:
        await asyncio.sleep(TRICKLE_SECONDS)
        await demo.customers.trickle(demo.samples.trickle[index % len(demo.samples.trickle)])
        index += 1


async def _make_agents(demo: Demo) -> str:
    """The agents of the company. Returns a one-time password for the one who is shown; empty when they chose one of their own."""
    users = demo.running.hub.accounts.users
    known = {user.name: user for user in await users.names()}
    passwords = {
        agent.name: (await users.create(agent.name, agent.roles, SYSTEM, title=agent.title))[1]
        for agent in demo.samples.agents
        if agent.name not in known
    }
    if SHOWN_AGENT in known and not known[SHOWN_AGENT].must_change_password:
        return ""
    return passwords.get(SHOWN_AGENT) or await users.reset_password(SHOWN_AGENT, SYSTEM)


async def _settled(demo: Demo) -> None:
    """Until every consumer has done all there is, and nothing waits to be sent."""
    hub = demo.running.hub
    waiting = Query(
        DELIVERIES, (Where("state", "in", (str(DeliveryState.QUEUED), str(DeliveryState.SENDING))),), limit=1
    )
    async with asyncio.timeout(SETTLE_SECONDS):
        while True:
            lags = [await hub.engine.lag(each.consumer.name, each.consumer.topics) for each in hub.runners]
            if not any(lags) and not await hub.engine.count(waiting):
                return
            await hub.engine.wait(await hub.engine.tail(), 0.05)


async def _serve_mailbox(demo: Demo) -> tuple[uvicorn.Server, str]:
    listening = socket.create_server(("127.0.0.1", _free_port(MAILBOX_PORT)))
    config = uvicorn.Config(
        mailbox_page(demo.mailbox),
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
    )
    server = Server(config)
    demo.running.servers.append((server, asyncio.create_task(server.serve(sockets=[listening]))))
    return server, f"http://127.0.0.1:{listening.getsockname()[1]}"


def _avoid_used_ports(company: dict[str, Any], relay_port: int) -> None:
    for name in ("console", "intake", "files"):
        company[name]["port"] = _free_port(company[name]["port"])
    company["email"]["smtp_in"]["port"] = _free_port(company["email"]["smtp_in"]["port"])
    company["email"]["relay"]["port"] = relay_port


def _free_port(wanted: int) -> int:
    """The port, or any free one when somebody uses it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            return 0
    return wanted


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  the command's own output
