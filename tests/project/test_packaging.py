"""What the project promises as a package."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PACKAGES = ("schemas", "connectors", "processors", "sinks", "hub", "deploy")
MAKE_TARGET = re.compile(r"\bmake ([a-z][a-z-]*)\b")


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("script", ["check_lock.py", "check_licences.py"])
def test_the_lock_and_the_licences_are_in_order(script: str) -> None:
    checked = run(sys.executable, ROOT / ".ci" / script)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("extension", ["-dev", "-servers", ""])
def test_a_lock_file_holds_no_address(extension: str) -> None:
    lock = (ROOT / f"requirements{extension}.lock").read_text("utf-8")
    assert "://" not in lock
    assert "--hash=sha256:" in lock


def test_the_wheel_carries_every_file_of_the_packages(tmp_path: Path) -> None:
    built = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path)
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    carried = set(zipfile.ZipFile(wheel).namelist())
    tracked = run("git", "ls-files", "--", *PACKAGES)
    if tracked.returncode:
        expected = {
            str(path.relative_to(ROOT)) for package in PACKAGES for path in (ROOT / package).rglob("*.py")
        }
    else:
        expected = {name for name in tracked.stdout.splitlines() if (ROOT / name).exists()}
    assert not expected - carried


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_a_make_target_that_a_page_names_exists(page: str) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    in_code = " ".join(re.findall(r"`[^`]+`", (ROOT / page).read_text("utf-8")))
    assert set(MAKE_TARGET.findall(in_code)) <= targets
