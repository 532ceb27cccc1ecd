"""The same commands with a hub that runs in a process of its own, over its socket; and then without it."""

import asyncio
import json
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from tests.hub.cli.conftest import Installation
from tests.support.process import HUBBUB, Running, running
from tests.support.waiting import eventually

Mails = Callable[..., Path]
PORTS = ("--console-port", "0", "--intake-port", "0", "--files-port", "0", "--smtp-port", "0")


async def command(installation: Installation, *arguments: str, exit_code: int = 0) -> str:
    """What a command says on stdout."""
    process = await asyncio.create_subprocess_exec(
        HUBBUB, "--config", str(installation.config), *arguments, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, noted = await process.communicate()
    assert process.returncode == exit_code, noted.decode()
    return said.decode()


@asynccontextmanager
async def hub(installation: Installation) -> AsyncIterator[Running]:
    async with running(HUBBUB, "up", "--config", str(installation.config), *PORTS) as process:
        await process.said("^ready", within_seconds=40)
        yield process


async def test_commands_reach_the_running_hub_and_the_same_ones_work_without_it(
    installation: Installation, mails: Mails
) -> None:
    async def numbers() -> list[str]:
        return [each["number"] for each in json.loads(await command(installation, "cases", "list", "--json"))]

    async def are_two() -> bool:
        return len(await numbers()) == 2

    async with hub(installation) as process:
        assert (
            await command(installation, "ingest", "email", str(mails("Invoice 7", "Hello")))
            == "2 mails: 2 accepted\n"
        )
        await eventually(are_two, within_seconds=20)
        found = await numbers()
        shown = json.loads(await command(installation, "cases", "show", found[0], "--json"))
        explained = await command(installation, "cases", "explain", found[0])
        customer = json.loads(await command(installation, "customers", "show", "ann@example.net", "--json"))
        assert await command(installation, "verify") == "whole: every promise holds\n"
        assert await process.stop() == 0
    assert not (installation.data / "hub.sock").exists()
    assert await numbers() == found
    assert json.loads(await command(installation, "cases", "show", found[0], "--json")) == shown
    assert await command(installation, "cases", "explain", found[0]) == explained
    assert (
        json.loads(await command(installation, "customers", "show", "ann@example.net", "--json")) == customer
    )
    assert await command(installation, "verify") == "whole: every promise holds\n"


async def test_persons_are_linked_exported_and_told_apart_again(
    installation: Installation, mails: Mails
) -> None:
    folder = mails("Hello", "Again")
    second = folder / "2.eml"
    second.write_bytes(second.read_bytes().replace(b"ann@example.net", b"ann@work.example"))

    async def handles(*arguments: str) -> set[str]:
        said = await command(installation, "customers", *arguments)
        return set(re.findall(r"^email: (\S+)", said, re.MULTILINE))

    async def are_known() -> bool:
        return len(json.loads(await command(installation, "cases", "list", "--json"))) == 2

    async with hub(installation):
        await command(installation, "ingest", "email", str(folder))
        await eventually(are_known, within_seconds=20)
        both = {"ann@example.net", "ann@work.example"}
        assert await handles("link", "ann@example.net", "ann@work.example", "--note", "said so") == both
        assert await handles("show", "ann@work.example") == both
        held = json.loads(await command(installation, "customers", "export", "ann@example.net"))
        assert len(held["customer"]["cases"]) == 2
        await command(installation, "customers", "unlink", "ann@example.net", "ann@work.example")
        assert await handles("show", "ann@work.example") == {"ann@work.example"}


async def test_following_the_log_shows_what_comes_and_ends_quietly(
    installation: Installation, mails: Mails
) -> None:
    async with (
        hub(installation),
        running(
            HUBBUB, "--config", str(installation.config), "events", "--follow", "--since", "1h", "--json"
        ) as following,
    ):
        await following.said("hubbub.configuration.published")
        await command(installation, "ingest", "email", str(mails("Hello")))
        said = await following.said("hubbub.interaction.received")
        assert json.loads(said.string)["specversion"] == "1.0"
        assert await following.stop(signal.SIGINT) == 130
        assert not any("Traceback" in line for line in following.lines)


async def test_a_changed_configuration_reaches_the_running_hub_and_a_wrong_one_does_not(
    installation: Installation,
) -> None:
    text = installation.config.read_text(encoding="utf-8")
    async with hub(installation):
        installation.config.write_text(text.replace("title: Billing", "title: Invoices"), encoding="utf-8")
        assert "version 2 is in force" in await command(installation, "apply")
        assert "Invoices" in await command(installation, "cases", "list", "--queues")
        installation.config.write_text(text.replace("queue: billing", "queue: biling"), encoding="utf-8")
        await command(installation, "apply", exit_code=1)
        assert "Invoices" in await command(installation, "cases", "list", "--queues")


async def test_a_second_hub_on_the_folder_is_refused_and_the_first_goes_on(
    installation: Installation,
) -> None:
    async with hub(installation) as first:
        port = (await first.said(r"console +http://[\d.]+:(\d+)"))[1]
        same_ports = ("--console-port", port, *PORTS[2:])
        async with running(HUBBUB, "up", "--config", str(installation.config), *same_ports) as second:
            await second.said(f"is in use by process {first.process.pid}", within_seconds=40)
            await asyncio.wait_for(second.process.wait(), 40)
            assert second.process.returncode == 4
        assert not any("Traceback" in line for line in second.lines)
        assert "inbox" in await command(installation, "cases", "list", "--queues")


async def test_a_hub_says_little_when_all_is_well(installation: Installation) -> None:
    async with hub(installation) as process:
        await process.stop()
    events = [json.loads(each)["event"] for each in process.lines if each.startswith("{")]
    assert events == ["ready", "stopping", "stopped"]


async def test_a_hub_that_was_killed_leaves_no_socket_in_the_way(installation: Installation) -> None:
    async with hub(installation) as process:
        await process.stop(signal.SIGKILL)
    assert (installation.data / "hub.sock").exists()
    assert "inbox" in await command(installation, "cases", "list", "--queues")
    async with hub(installation):
        assert "inbox" in await command(installation, "cases", "list", "--queues")


async def test_backing_up_while_the_hub_runs_gives_a_folder_that_opens(
    installation: Installation, mails: Mails
) -> None:
    copy, back = str(installation.folder / "copy"), str(installation.folder / "back")
    async with hub(installation):
        await command(installation, "ingest", "email", str(mails("Hello")))
        await command(installation, "backup", copy)
    await command(installation, "restore", copy, "--into", back)
    assert await command(installation, "verify", "--data", back) == "whole: every promise holds\n"


def test_the_command_is_where_tests_look_for_it() -> None:
    assert Path(HUBBUB).parent == Path(sys.executable).parent


async def test_a_command_waits_for_a_hub_that_is_just_starting(installation: Installation) -> None:
    async with running(HUBBUB, "up", "--config", str(installation.config), *PORTS) as process:
        lock = installation.data / "hub.lock"

        async def has_the_folder() -> bool:
            return lock.exists() and lock.read_text() != ""

        await eventually(has_the_folder, within_seconds=40)
        listed = await command(installation, "cases", "list", "--json")
        assert (json.loads(listed), await process.stop()) == ([], 0)
