"""Running the tools that judge what deploy/ holds."""

import subprocess
from pathlib import Path

from tests.support.needs import SERVERS
from tests.support.paths import ROOT

DEPLOY = ROOT / "deploy"


def said(tool: str, *arguments: str | Path, folder: Path = ROOT) -> str:
    """What a tool of tests/support/needs.py said; an assertion fails with it where it ended badly."""
    program = SERVERS[tool].program()
    assert program
    return run(program, *arguments, folder=folder)


def run(program: str, *arguments: str | Path, folder: Path = ROOT) -> str:
    done = subprocess.run(
        [program, *map(str, arguments)], cwd=folder, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
