"""What the demo says to who forgot the password."""

from pathlib import Path

import pytest

from hub.demo.run import _forgotten


def test_a_new_password_is_made_with_settings_that_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for here in (Path(__file__).parents[3], Path("/")):
        monkeypatch.chdir(here)
        said = _forgotten(Path("demo-data"))
        assert "users password mia --data demo-data --config " in said
        assert Path(said.split("--config ")[1].rstrip(")")).is_file()
