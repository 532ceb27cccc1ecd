"""Downloading and building for deploy/local: it says what it does, how far it is, and why it failed."""

import sys
from pathlib import Path

import pytest

from deploy.local import server
from deploy.local.server import CannotStart, run

DOWNLOADS = "import sys, time\nfor _ in range(3):\n    print('Downloaded from a', flush=True)\ntime.sleep(float(sys.argv[1]))\n"


def test_a_download_says_how_far_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(server, "PROGRESS_SECONDS", 0.4)
    run([sys.executable, "-c", DOWNLOADS, "1"], tmp_path, "downloading it", counts="Downloaded")
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "downloading it …"
    assert any(line.startswith("downloading it: ") and line.endswith(", 3 files …") for line in told)
    assert "done in" in told[-1]


def test_what_fails_tells_what_the_command_said_last(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=r"building it failed:\nno such thing"):
        run([sys.executable, "-c", "import sys; sys.exit('no such thing')"], tmp_path, "building it")
