"""`hubbub demo` as its first user runs it, and what it leaves on the log as an integrator reads it."""

import asyncio
import contextlib
import json
import socket
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from tests.support.paths import ROOT
from tests.support.ports import LOOPBACK
from tests.support.process import HUBBUB, Running, running

CONSOLE_PORT, MAILBOX_PORT = 8025, 8028
ANN = "ann.keller@posteo.example"
SCHEMAS = ROOT / "docs" / "events"


async def command(*arguments: str, folder: Path) -> str:
    process = await asyncio.create_subprocess_exec(
        HUBBUB, *arguments, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, noted = await process.communicate()
    assert process.returncode == 0, noted.decode()
    return said.decode()


@pytest.mark.slow
async def test_each_event_of_a_demo_is_a_cloudevent_and_fits_its_published_schema(tmp_path: Path) -> None:
    told = await command("demo", "--once", "--folder", "demo", folder=tmp_path)
    assert "verify: whole" in told
    await command("init", folder=tmp_path)
    lines = (await command("events", "--json", "--data", "demo", folder=tmp_path)).splitlines()
    validators: dict[str, Any] = {}
    for line in lines:
        content = json.loads(line)
        event = JSONFormat().read(CloudEvent, line)
        assert event.get_id() == content["id"]
        validator = validators.get(event.get_type())
        if validator is None:
            schema = json.loads((SCHEMAS / f"{event.get_type()}.json").read_text(encoding="utf-8"))
            assert schema["$id"] == event.get_dataschema()
            validator = jsonschema_rs.validator_for(schema, validate_formats=True)
            validators[event.get_type()] = validator
        assert [str(each) for each in validator.iter_errors(content)] == []
    assert {"hubbub.interaction.received", "hubbub.case.routed", "hubbub.delivery.sent"} <= set(validators)


async def password_of(demo: Running) -> str:
    return (await demo.said("one-time password: (.+)", within_seconds=50))[1]


async def chosen(demo: Running, password: str) -> None:
    """Mia signs in and chooses a password."""
    console = (await demo.said("Console +(http://.+)/console"))[1]
    own = {"old_password": password, "password": "blue wheels turn"}
    async with httpx.AsyncClient(base_url=console, headers={"Origin": console}, timeout=20) as client:
        session = await client.post("/api/v1/session", json={"name": "mia", "password": password})
        headers = {"X-CSRF-Token": session.json()["csrf"]}
        assert (await client.post("/api/v1/session/password", json=own, headers=headers)).is_success


async def sent_mail(demo: Running) -> str:
    """The page that shows what customers got, where the demo says that it is."""
    page = (await demo.said("Sent mail +(http://.+?) "))[1]
    async with httpx.AsyncClient(timeout=20) as client:
        return (await client.get(page)).text


async def test_the_demo_avoids_ports_in_use_and_goes_on_where_it_was(tmp_path: Path) -> None:
    with contextlib.ExitStack() as held:
        for port in (CONSOLE_PORT, MAILBOX_PORT):
            with contextlib.suppress(OSError):  # somebody has it already
                held.enter_context(socket.create_server((LOOPBACK, port)))
        async with running(HUBBUB, "demo", folder=tmp_path) as demo:
            await chosen(demo, await password_of(demo))
            assert ANN in await sent_mail(demo)
            assert await demo.stop() == 0
    async with running(HUBBUB, "demo", folder=tmp_path) as demo:
        await demo.said("sign in as mia, with the password that you chose", within_seconds=50)
        assert ANN in await sent_mail(demo)
        assert await demo.stop() == 0
