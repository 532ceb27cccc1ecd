"""Mails made to do harm, and more connections than anybody needs: each is kept or refused, and others are served."""

import asyncio
import base64
import resource
import sys
import time
from collections.abc import Callable

import pytest

from schemas.interactions import InteractionReceived
from schemas.parking import Quarantined
from tests.connectors.email.house import FakeEngine, mail, smtp_server
from tests.connectors.email.raw_smtp import RawClient
from tests.support.paths import ROOT

MEGABYTE = 1024 * 1024


def with_attachment(size: int) -> bytes:
    content = base64.encodebytes(bytes(size)).replace(b"\n", b"\r\n")
    head = mail("", Content_Type="multipart/mixed; boundary=b")
    part = b"--b\r\nContent-Type: image/png; name=a.png\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return head + part + content + b"--b--\r\n"


def nested(levels: int) -> bytes:
    boundaries = (
        f'Content-Type: multipart/mixed; boundary="b{level}"\r\n\r\n--b{level}\r\n'.encode()
        for level in range(levels)
    )
    return b"Message-ID: <nested@x>\r\n" + b"".join(boundaries) + b"text\r\n"


HOSTILE: dict[str, Callable[[], bytes]] = {
    "49 MB": lambda: with_attachment(36_000_000),
    "5,000 nested parts": lambda: nested(5_000),
    "5,000 nested mails": lambda: (
        b"Message-ID: <m@x>\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * 5_000 + b"x"
    ),
    "20,000 parts": lambda: mail("--b\n\nx\n" * 20_000, Content_Type="multipart/mixed; boundary=b"),
    "header of 1 MB": lambda: mail(Subject="a" * MEGABYTE),
    "20,000 headers": lambda: b"X: y\r\n" * 20_000 + mail(),
    "20,000 recipients": lambda: mail(To=", ".join(f"a{number}@x.example" for number in range(20_000))),
    "20,000 encoded words": lambda: mail(Subject="=?utf-8?q?a?= " * 20_000),
    "2,000 nested comments": lambda: mail(To="(" * 2_000 + "a@x.example" + ")" * 2_000),
    "NULs": lambda: mail("\x00" * MEGABYTE, Subject="a\x00b", From="\x00<ada@customer.example>"),
    "200,000 nested tags": lambda: mail("<div>" * 200_000, Content_Type="text/html"),
    "a tag of 800 KB": lambda: mail("<a " + "x=1 " * 200_000 + ">", Content_Type="text/html"),
    "a million line ends": lambda: mail("\n" * MEGABYTE),
    "unknown charset": lambda: mail("caf\udce9", Content_Type='text/plain; charset="x\x00y"'),
    "utf-7": lambda: mail("+ADw-script+AD4-", Content_Type="text/html; charset=utf-7"),
    "paths in names": lambda: mail(
        "--b\nContent-Disposition: attachment; filename=../../etc/passwd\n\nx\n--b--",
        Content_Type="multipart/mixed; boundary=b",
    ),
    "script": lambda: mail("<script>alert(1)</script><img src=x onerror=alert(1)>", Content_Type="text/html"),
    "no structure": lambda: bytes(range(256)) * 1_000,
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_mail_is_kept_in_time_while_another_is_served(name: str) -> None:
    raw = HOSTILE[name]()
    engine = FakeEngine()
    async with (
        smtp_server(engine) as server,
        RawClient(server.port) as client,
        RawClient(server.port) as other,
    ):
        began = time.monotonic()
        hostile = asyncio.create_task(client.deliver(raw))
        assert (await other.deliver(mail(Message_ID="<good@customer.example>"))).startswith("250 ")
        assert (await hostile).startswith("250 ")
        assert time.monotonic() - began < 15
        assert server.budget.used == 0
    assert len(engine.steps) == 2
    for payload in engine.payloads:
        assert isinstance(payload, InteractionReceived | Quarantined)
        if isinstance(payload, InteractionReceived):
            assert "<script" not in payload.content.html
            assert "onerror" not in payload.content.html
            assert all("/" not in each.name for each in payload.attachments)
            assert "\x00" not in payload.model_dump_json()
            assert "\\u0000" not in payload.model_dump_json()


async def test_ten_mails_of_the_full_size_at_once_take_bounded_memory() -> None:
    raw = with_attachment(7_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    settings = {"max_message_bytes": 10 * MEGABYTE, "max_bytes_in_flight": 40 * MEGABYTE}
    engine = FakeEngine(keep=False)
    async with smtp_server(engine, **settings) as server:

        async def deliver() -> str:
            async with RawClient(server.port) as client:
                return (await client.deliver(raw))[:3]

        answers = await asyncio.gather(*(deliver() for _ in range(10)))
        assert set(answers) <= {"250", "452"}
        assert "250" in answers
        assert server.budget.highest <= 40 * MEGABYTE
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < 500, f"{grown:.0f} MB"


@pytest.mark.slow
async def test_ten_thousand_connections_leave_others_served() -> None:
    async with smtp_server(FakeEngine()) as server:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.connectors.email.flood",
            str(server.port),
            "10000",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=ROOT,
        )
        assert process.stdout is not None
        try:
            opened = asyncio.create_task(process.stdout.readline())
            slowest = 0.0
            served = 0
            while not opened.done():
                began = time.monotonic()
                async with RawClient(server.port) as client:
                    answer = await client.deliver(mail(Message_ID=f"<{served}@customer.example>"))
                assert answer.startswith("250 "), answer
                slowest = max(slowest, time.monotonic() - began)
                served += 1
            assert int(opened.result()) == 10_000
            assert served > 20
            assert slowest < 5
            await process.communicate(b"")
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
