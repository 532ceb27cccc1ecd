"""The container: linted, and what its file does to build and to run is done here, without a container engine."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from deploy.container.healthy import main as healthy
from hub.settings import HubSettings
from tests.deploy.test_monitoring import SUFFIXES, asked, queries
from tests.deploy.tools import DEPLOY, run
from tests.support.paths import ROOT
from tests.support.process import running

FILE = DEPLOY / "container" / "Containerfile"
TEXT = FILE.read_text(encoding="utf-8")
BUILD, RUN = re.split(r"^FROM .*$", TEXT, flags=re.M)[1:]
SETTINGS = """
webform:
  forms: [{name: contact, brand: acme, title: {en: Write}, fields: [{name: email, type: email, required: true, label: {en: Mail}}]}]
brands: [{name: acme, title: Acme}]
queues: [{name: inbox, title: Inbox, brand: acme}]
default_queue: inbox
"""


def instructions(stage: str, name: str) -> Iterator[str]:
    """What follows each instruction of that name, lines joined."""
    joined = re.sub(r"^#.*\n", "", stage, flags=re.M).replace("\\\n", " ")
    yield from re.findall(rf"^{name} (.*)$", joined, re.M)


def environment() -> dict[str, str]:
    """What the file sets for the hub."""
    pairs = [pair for line in instructions(RUN, "ENV") for pair in re.findall(r"(\w+)=(\S+)", line)]
    return dict(pairs)


def test_hadolint_finds_nothing() -> None:
    run(str(Path(sys.executable).with_name("hadolint")), FILE)


def test_it_runs_as_a_user_without_rights_and_says_how_it_is() -> None:
    assert list(instructions(RUN, "USER")) == ["10001:10001"]
    assert any("healthy.py" in each for each in instructions(RUN, "HEALTHCHECK"))
    assert "--require-hashes" in BUILD
    assert "--only-binary :all:" in BUILD


def test_each_variable_that_it_sets_is_a_setting_or_the_place_of_the_hub() -> None:
    names = [name for name in environment() if name.startswith("HUBBUB_")]
    assert names
    for name in names:
        first = name.removeprefix("HUBBUB_").partition("__")[0].lower()
        assert first in {"config", *HubSettings.model_fields}, name


def test_what_is_copied_is_there_and_is_let_through() -> None:
    let_through = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in let_through
    for line in instructions(BUILD, "COPY"):
        source = line.split()[0]
        assert (ROOT / source).exists(), source
        assert f"!{source.split('/')[0]}" in let_through


# -- health -------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[dict[str, int]]:
    """A hub in a process of its own; the ports by name."""
    (tmp_path / "hubbub.yaml").write_text(SETTINGS, encoding="utf-8")
    ports = ("--console-port", "0", "--intake-port", "0", "--files-port", "0")
    command = (
        str(Path(sys.executable).with_name("hubbub")), "up", "--config", str(tmp_path / "hubbub.yaml"), *ports,
    )  # fmt: skip
    async with running(*command, folder=tmp_path) as process:
        found = await process.said(r"console +http://127\.0\.0\.1:(\d+)")
        await process.said("ready; stop")
        yield {"console": int(found[1])}


async def test_health_is_0_for_a_hub_that_gets_on_and_2_where_nobody_answers(
    hub: dict[str, int], free_port: int
) -> None:
    check = [sys.executable, str(DEPLOY / "container" / "healthy.py")]
    async with running(*check, str(free_port), str(hub["console"])) as answer:
        assert await answer.process.wait() == 0, answer.lines
    async with running(*check, str(free_port)) as answer:
        assert await answer.process.wait() == 2
        assert answer.lines == ["nobody answers"]


async def test_a_hub_that_runs_tells_each_metric_that_alerts_and_dashboard_ask_for(
    hub: dict[str, int],
) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{hub['console']}", timeout=20) as client:
        told = (await client.get("/metrics")).text
    families = {each.name for each in text_string_to_metric_families(told)}
    for place, query in queries().items():
        for metric, _ in asked(query):
            name = SUFFIXES.sub("", metric).removesuffix("_total")
            assert name in families | {"up"}, f"{place} asks for {metric}"


def test_health_is_1_with_the_reason_for_a_hub_that_does_not_get_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = json.dumps({"reasons": ["the log does not accept: Outage"]}).encode()
    monkeypatch.setattr(
        "deploy.container.healthy._asked", lambda port: (HTTPStatus.SERVICE_UNAVAILABLE, told)
    )
    assert healthy(()) == 1
    assert capsys.readouterr().err == "the log does not accept: Outage\n"


# -- what the file does, done here ----------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_what_the_file_does_makes_a_hub_that_runs_and_writes_only_to_its_data(tmp_path: Path) -> None:
    source, prefix, data = tmp_path / "source", tmp_path / "opt" / "hubbub", tmp_path / "data"
    source.mkdir()
    (tmp_path / "hubbub.yaml").write_text(SETTINGS, encoding="utf-8")
    for line in re.findall(r"^(?:RUN|COPY) .*$", re.sub(r"\\\n\s*", " ", BUILD), re.M):
        name, _, rest = line.partition(" ")
        if name == "RUN":
            build(rest.replace("/opt/hubbub", str(prefix)), source)
            continue
        *sources, target = rest.replace("/opt/hubbub", str(prefix)).split()
        for each in sources:
            copied(ROOT / each, source / target)
    before = stamps(prefix)
    installed = {
        **{name: value for name, value in environment().items() if "/" not in value},
        "PATH": f"{prefix / 'bin'}:{os.environ['PATH']}",
    }
    ports = ("--console-port", "0", "--intake-port", "0", "--files-port", "0")
    place = ("--config", str(tmp_path / "hubbub.yaml"), "--data", str(data))
    command = (str(prefix / "bin" / "hubbub"), "up", *place, *ports)
    async with running(*command, folder=tmp_path, environment=installed) as hub:
        port = (await hub.said(r"console +http://\S+:(\d+)"))[1]
        await hub.said("ready; stop")
        check = (str(prefix / "bin" / "python"), str(prefix / "bin" / "healthy.py"), port)
        async with running(*check, folder=tmp_path) as answer:
            assert await answer.process.wait() == 0, answer.lines
        assert await hub.stop() == 0
    assert stamps(prefix) == before, "something was written beside the data"
    size = sum(path.stat().st_size for path in prefix.rglob("*") if path.is_file())
    assert size < 250_000_000, f"{size / 1e6:.0f} MB"


def build(command: str, folder: Path) -> None:
    pip = {"PIP_NO_CACHE_DIR": "", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_COMPILE": "1"}
    script = command.replace("python -m", f"{sys.executable} -m")
    done = subprocess.run(
        ["sh", "-ec", script],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **pip},
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"


def copied(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    else:
        shutil.copy(source, target)


def stamps(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
