"""A customer and an agent who want nothing special: a form, a mail and a look at the queue ten times a second each.

A program of its own, so that what its test does meanwhile does not make it wait. Prints a line of JSON for each thing done.
"""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiosmtplib
import httpx

EVERY_SECONDS = 0.1
PATIENCE_SECONDS = 30.0
AT_ONCE = 100
ADDRESS = "support@shop.example"


class Bystander:
    """Each thing has a connection of its own, as it has from customers who write once."""

    def __init__(self, where: Mapping[str, Any]) -> None:
        self._where = where
        self._number = 0

    async def post(self) -> str:
        self._number += 1
        fields = {"email": f"kim{self._number}@customer.example", "message": f"Question {self._number}"}
        async with self._client() as client:
            answer = await client.post(f"{self._where['intake']}/f/contact", json=fields)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["item"])

    async def mail(self) -> str:
        self._number += 1
        raw = f"From: Ann <ann{self._number}@customer.example>\r\nTo: {ADDRESS}\r\nSubject: Mail {self._number}\r\n"
        raw += f"Message-ID: <{self._number}@bystander.example>\r\n\r\nHello {self._number}\r\n"
        smtp = aiosmtplib.SMTP(hostname="127.0.0.1", port=self._where["smtp"], timeout=PATIENCE_SECONDS)
        async with smtp:
            _, said = await smtp.sendmail(f"ann{self._number}@customer.example", [ADDRESS], raw.encode())
        return said.split()[-1]

    async def look(self) -> str:
        async with self._client() as client:
            answer = await client.get(f"{self._where['console']}/api/v1/cases?queue=inbox&limit=20")
        assert answer.status_code == 200, answer.text
        return ""

    def _client(self) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {self._where['key']}"}
        return httpx.AsyncClient(timeout=PATIENCE_SECONDS, trust_env=False, headers=headers, verify=False)  # noqa: S501  no TLS here


async def timed(kind: str, act: Callable[[], Awaitable[str]]) -> None:
    began = time.monotonic()
    item, failed = "", ""
    try:
        item = await act()
    except Exception as error:  # noqa: BLE001  whatever went wrong is what the test wants to know
        failed = f"{type(error).__name__}: {error}"
    seconds = time.monotonic() - began
    print(json.dumps({"kind": kind, "began": began, "seconds": seconds, "item": item, "failed": failed}))


async def main(where: Mapping[str, Any]) -> None:
    bystander = Bystander(where)
    acts = {"form": bystander.post, "mail": bystander.mail, "queue": bystander.look}
    under_way: set[asyncio.Task[None]] = set()
    while True:
        for kind, act in acts.items():
            if len(under_way) < AT_ONCE:
                task = asyncio.create_task(timed(kind, act))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
        await asyncio.sleep(EVERY_SECONDS)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(json.loads(sys.argv[1])))
