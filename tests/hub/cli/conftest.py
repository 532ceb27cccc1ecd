"""An installation of its own for each test, and the command as a user calls it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hub.cli import main


@dataclass(frozen=True)
class Installation:
    """`run` is the command in this process; results and notes are kept apart."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "hubbub.yaml"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def run(self, *arguments: str, exit_code: int = 0, given: str | bytes | None = None) -> Result:
        result = CliRunner().invoke(main, ["--config", str(self.config), *arguments], input=given)
        assert result.exit_code == exit_code, result.output
        return result

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json").stdout)


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    made = Installation(tmp_path)
    made.run("init")
    return made


MAIL = """\
From: Ann Archer <ann@example.net>
To: support@example.com
Subject: {subject}
Message-ID: <{number}@example.net>
Date: Mon, 2 Mar 2026 09:00:00 +0000

{text}
"""


@pytest.fixture
def mails(tmp_path: Path) -> Callable[..., Path]:
    """Writes mails of one customer into a folder."""

    def write(*subjects: str) -> Path:
        folder = tmp_path / "mails"
        folder.mkdir(exist_ok=True)
        for number, subject in enumerate(subjects, 1):
            text = MAIL.format(subject=subject, number=number, text=f"About {subject}.")
            (folder / f"{number}.eml").write_text(text, encoding="utf-8", newline="\r\n")
        return folder

    return write
