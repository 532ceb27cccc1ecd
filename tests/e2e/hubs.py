"""A hub as its operator runs it: `hubbub up` in a process of its own, on free ports, spoken to from outside."""

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiosmtplib
import httpx

from tests.support.paths import ROOT
from tests.support.process import HUBBUB, Running, running

ADDRESS = "support@shop.example"
SETTLE_SECONDS = 60.0
START_SECONDS = 40.0
COMMAND_SECONDS = 120.0
QUIET_LOOKS = 3
ITEM = re.compile(r"item ([0-9a-f-]{36})")
BUSY = re.compile(
    r'^(?:hubbub_outbound_messages\{state="(?:queued|sending)"\}|hubbub_parked_events) (\S+)$', re.MULTILINE
)


def company(relay_port: int) -> dict[str, Any]:
    """Settings of a small company that answers whoever opens a case. All ports are free ones."""
    return {
        "queues": [{"name": "inbox", "title": "Inbox"}, {"name": "billing", "title": "Billing"}],
        "default_queue": "inbox",
        "rules": [
            {
                "name": "invoices",
                "when": {"field": "subject", "operator": "contains", "value": "invoice"},
                "queue": "billing",
            }
        ],
        "templates": [
            {
                "name": "received",
                "text": {"default": "We have it: {{ case.number }}"},
            }
        ],
        "automations": [
            {"name": "confirm", "event": "opened", "actions": [{"action": "answer", "template": "received"}]}
        ],
        "console": {"port": 0},
        "intake": {"port": 0},
        "files": {"port": 0},
        "logging": {"level": "warning", "format": "json"},
        "email": {
            "smtp_in": {"port": 0, "hostname": "hub.example"},
            "relay": {"host": "127.0.0.1", "port": relay_port, "security": "none"},
            "accounts": [{"name": "support", "address": ADDRESS, "display_name": "The Shop"}],
        },
        "webform": {
            "forms": [
                {
                    "name": "contact",
                    "title": {"en": "Write to us"},
                    "fields": [
                        {"name": "email", "type": "email", "required": True, "label": {"en": "Mail address"}},
                        {"name": "subject", "type": "text", "label": {"en": "Subject"}},
                        {"name": "message", "type": "textarea", "required": True, "label": {"en": "Message"}},
                    ],
                    "spam": {"minimum_seconds": 0, "per_address": None, "per_form": None},
                }
            ]
        },
    }


def write_settings(folder: Path, settings: Mapping[str, Any]) -> Path:
    """The settings file (JSON is YAML), with its data beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "hubbub.yaml"
    path.write_text(json.dumps({"data": "data", **settings}, indent=2))
    return path


@dataclass(frozen=True)
class HubProcess:
    """A hub that is ready. Its data folder is `data` beside its settings."""

    run: Running
    settings: Path
    console: str
    intake: str
    smtp_port: int

    @property
    def data(self) -> Path:
        return self.settings.parent / "data"

    @asynccontextmanager
    async def operator(self) -> AsyncIterator[httpx.AsyncClient]:
        """The API as the command on this machine reaches it, through the socket in the data folder."""
        transport = httpx.AsyncHTTPTransport(uds=str(self.data / "hub.sock"))
        async with httpx.AsyncClient(transport=transport, base_url="http://hub/api/v1", timeout=30) as client:
            yield client

    async def settled(self, within_seconds: float = SETTLE_SECONDS) -> None:
        """Until nothing is left to do: no consumer behind, nothing to be sent, no case asleep. Several looks agree."""
        async with self.operator() as api, asyncio.timeout(within_seconds):
            quiet = 0
            while quiet < QUIET_LOOKS:
                quiet = quiet + 1 if await self._is_quiet(api) else 0
                await asyncio.sleep(0.05)

    async def _is_quiet(self, api: httpx.AsyncClient) -> bool:
        ready = (await api.get("http://hub/health/ready")).json()
        if any(ready["consumers"].values()):
            return False
        metrics = (await api.get("http://hub/metrics")).text
        busy = [float(each) for each in BUSY.findall(metrics)]
        assert len(busy) == 3, metrics
        if any(busy):
            return False
        asleep = (await api.get("/cases", params={"state": "snoozed", "limit": 1})).json()
        return not asleep["items"]

    async def everything(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """All pages of a list of the API."""
        found: list[dict[str, Any]] = []
        async with self.operator() as api:
            after: dict[str, Any] = {}
            while True:
                answer = await api.get(path, params={"limit": 100, **params, **after})
                assert answer.status_code == 200, answer.text
                page = answer.json()
                found += page["items"]
                if not page["next"]:
                    return found
                after = {"after": page["next"]}


@asynccontextmanager
async def hub_process(
    settings: Path,
    environment: Mapping[str, str] | None = None,
    command: Sequence[str] = (HUBBUB,),
) -> AsyncIterator[HubProcess]:
    """`hubbub up`, ready. Raises EOFError, with what it said, when it ends before that. Killed at the end of the block."""
    async with running(*command, "up", "--config", str(settings), environment=environment) as run:
        yield await ready(run, settings)


async def ready(run: Running, settings: Path, within_seconds: float = START_SECONDS) -> HubProcess:
    await run.said(r"ready; stop with", within_seconds)
    told = [re.match(r"(\w+)\s+(\S+:\d+)$", line.strip()) for line in run.lines]
    found = {each[1]: each[2] for each in told if each}
    return HubProcess(run, settings, found["console"], found["intake"], int(found["smtp"].rpartition(":")[2]))


async def hubbub(*arguments: str, environment: Mapping[str, str] | None = None) -> tuple[int, str]:
    """One command, as a user types it: its exit code and all that it said."""
    process = await asyncio.create_subprocess_exec(
        HUBBUB,
        *arguments,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(), COMMAND_SECONDS)
    return process.returncode or 0, said.decode()


async def send_mail(
    client: aiosmtplib.SMTP, raw: bytes, sender: str = "ann@customer.example", recipient: str = ADDRESS
) -> str:
    """One mail over an open connection. Returns the item id that the hub acknowledged."""
    await client.mail(sender)
    await client.rcpt(recipient)
    answer = await client.data(raw)
    found = ITEM.search(answer.message)
    assert answer.code == 250 and found, answer
    return found[1]
