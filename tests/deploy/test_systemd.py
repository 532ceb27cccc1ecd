"""systemd: the units are taken by its own tools, and leave little open."""

import re
import shutil
from pathlib import Path

import pytest

from tests.deploy.tools import DEPLOY, said

FOLDER = DEPLOY / "systemd"
SERVICES = sorted(path.name for path in FOLDER.glob("*.service"))
MOST_EXPOSED = 20  # tenths: "OK" begins at 4.9
pytestmark = pytest.mark.server("systemd-analyze")


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units with a program and a user that are here."""
    for path in FOLDER.iterdir():
        text = path.read_text(encoding="utf-8").replace("/opt/hubbub/bin/hubbub", shutil.which("true") or "")
        text = re.sub(r"^(User|Group)=hubbub$", r"\1=daemon", text, flags=re.M)
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    return tmp_path


def test_systemd_takes_each_unit(units: Path) -> None:
    said("systemd-analyze", "verify", *sorted(units.iterdir()), folder=units)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_leaves_little_open(units: Path, name: str) -> None:
    said(
        "systemd-analyze",
        "security",
        "--offline=true",
        f"--threshold={MOST_EXPOSED}",
        units / name,
        folder=units,
    )


def test_each_timer_has_its_service() -> None:
    timers = [path.stem for path in FOLDER.glob("*.timer")]
    assert timers
    assert {f"{name}.service" for name in timers} < set(SERVICES)
