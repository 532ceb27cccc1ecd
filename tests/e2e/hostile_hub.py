"""A hub under attack: what it was sent, what became of it, how long others waited, what it held."""

import asyncio
import json
import math
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiosmtplib
import httpx

from tests.e2e.hostile_items import Post, mails, posts
from tests.e2e.hubs import ADDRESS, ITEM, HubProcess, company, hub_process, hubbub, write_settings
from tests.support.process import running
from tests.support.waiting import eventually

MEGABYTE = 2**20
ANSWER_SECONDS = 60.0
AT_ONCE = 4


def attacked_company() -> dict[str, Any]:
    """A mailbox and two forms, without limits by address: everybody here comes from this machine."""
    settings = company(relay_port=1)
    settings["automations"] = []
    del settings["email"]["relay"]
    (contact,) = settings["webform"]["forms"]
    file = {"name": "files", "type": "file", "label": {"en": "Files"}}
    settings["webform"]["forms"] = [
        contact,
        {**contact, "name": "files", "fields": [*contact["fields"], file]},
    ]
    return settings


@asynccontextmanager
async def attacked_hub(folder: Path, settings: Mapping[str, Any] | None = None) -> AsyncIterator[HubProcess]:
    """`settings`: what they say of the engine."""
    async with hub_process(write_settings(folder, attacked_company() | dict(settings or {}))) as hub:
        yield hub
        assert await hub.run.stop(within_seconds=60) == 0


def port_of(address: str) -> int:
    found = urlsplit(address).port
    assert found
    return found


def files_address(hub: HubProcess) -> str:
    return next(line.split()[1] for line in hub.run.lines if line.startswith("files "))


@dataclass(frozen=True)
class Process:
    """What the system says of a process."""

    number: int

    def peak_megabytes(self) -> float:
        """The most memory that it ever held."""
        status = Path(f"/proc/{self.number}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024

    def open_files(self) -> int:
        return len(list(Path(f"/proc/{self.number}/fd").iterdir()))


@dataclass
class Said:
    """Name of what was sent -> what the hub said to it; and the ids of those that it took."""

    answers: dict[str, str] = field(default_factory=dict)
    items: dict[str, str] = field(default_factory=dict)


async def send_mail(hub: HubProcess, name: str, raw: bytes, said: Said) -> None:
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=hub.smtp_port, timeout=ANSWER_SECONDS) as client:
        await client.mail(f"{name}@hostile.example")
        await client.rcpt(ADDRESS)
        try:
            answer = await client.data(raw)
        except aiosmtplib.SMTPResponseException as error:
            said.answers[f"mail {name}"] = f"{error.code} {error.message}"
            return
    said.answers[f"mail {name}"] = f"{answer.code} {answer.message}"
    if found := ITEM.search(answer.message):
        said.items[f"mail {name}"] = found[1]


async def send_post(hub: HubProcess, post: Post, said: Said) -> None:
    headers = {"Content-Type": post.media_type, "Accept": "application/json", **post.headers}
    async with httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False, verify=False) as client:  # noqa: S501  no TLS here
        answer = await client.post(f"{hub.intake}{post.path}", content=post.body, headers=headers)
    said.answers[f"form {post.name}"] = f"{answer.status_code} {answer.text[:300]}"
    if answer.status_code in {200, 202} and "item" in answer.text:
        said.items[f"form {post.name}"] = answer.json()["item"]


async def send_small(hub: HubProcess, said: Said) -> None:
    """All mails but the large ones, and all posts, a few at a time."""
    waiting = [
        *(partial(send_mail, hub, name, raw, said) for name, raw in mails()),
        *(partial(send_post, hub, post, said) for post in posts()),
    ]

    async def sender() -> None:
        while waiting:
            await waiting.pop()()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(AT_ONCE):
            tasks.create_task(sender())


async def fates(hub: HubProcess) -> dict[str, str]:
    """Item -> what became of it, by the log: received, ignored, another kind of interaction, or quarantined and why."""
    found: dict[str, str] = {}
    position: dict[str, Any] = {}
    async with hub.operator() as api:
        while True:
            answer = await api.get("/events", params={"limit": 500, **position})
            assert answer.status_code == 200, answer.text
            page = answer.json()
            for event in page["items"]:
                kind = event["type"].removeprefix("hubbub.")
                if kind.startswith("interaction."):
                    found[event["data"]["part"]["item"]] = kind
                elif kind == "quarantine.added":
                    found[event["data"]["item"]] = f"{kind}: {event['data']['reason']}"
                assert not kind.startswith("dead-letter"), event
            if page["next"] is None:
                return found
            position = {"after": page["next"]}


async def verified(hub: HubProcess, items: Iterable[str], folder: Path) -> str:
    ledger = folder / "ledger.txt"
    ledger.write_text("\n".join(items))
    code, said = await hubbub("verify", "--config", str(hub.settings), "--ledger", str(ledger))
    assert code == 0, said
    return said


@dataclass(frozen=True)
class Deed:
    """One thing that a bystander did."""

    kind: str
    began: float
    seconds: float
    item: str
    failed: str


@dataclass
class Bystanders:
    lines: list[str]

    def deeds(self, since: float = 0, until: float = math.inf) -> list[Deed]:
        said = [json.loads(line) for line in list(self.lines) if line.startswith("{")]
        return [Deed(**each) for each in said if since <= each["began"] < until]

    async def watched(self, seconds: float) -> list[Deed]:
        """What they do from now on, for so long, once it is done."""
        since = time.monotonic()
        await asyncio.sleep(seconds)
        return await self.done(since, time.monotonic())

    async def done(self, since: float, until: float) -> list[Deed]:
        """What they began in this time; nothing of it is under way any more."""
        expected = {"form", "mail", "queue"}
        await eventually(lambda: {each.kind for each in self.deeds(until)} == expected, ANSWER_SECONDS)
        return self.deeds(since, until)


def slowest(deeds: list[Deed]) -> dict[str, float]:
    """Kind -> the time within which 99 of 100 were done."""
    seconds: dict[str, list[float]] = defaultdict(list)
    for each in deeds:
        seconds[each.kind].append(each.seconds)
    return {kind: sorted(each)[max(0, math.ceil(len(each) * 0.99) - 1)] for kind, each in seconds.items()}


@asynccontextmanager
async def bystanders(hub: HubProcess) -> AsyncIterator[Bystanders]:
    async with hub.operator() as api:
        answer = await api.post(
            "/keys", json={"name": "bystander", "scopes": ["read"], "roles": {"*": "agent"}}
        )
    assert answer.status_code == 201, answer.text
    where = {
        "smtp": hub.smtp_port,
        "intake": hub.intake,
        "console": hub.console,
        "key": answer.json()["secret"],
    }
    async with running(sys.executable, "-m", "tests.e2e.bystander", json.dumps(where)) as run:
        made = Bystanders(run.lines)
        await eventually(lambda: len(made.deeds()) >= 9, ANSWER_SECONDS)
        yield made
