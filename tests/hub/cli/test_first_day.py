"""init and check: from nothing to settings that hold."""

import json
import stat
from pathlib import Path

from click.testing import CliRunner

from hub.cli import main
from hub.cli.group import COMMANDS
from hub.loading import load_settings
from tests.hub.cli.conftest import Installation


def test_init_writes_settings_without_problems_and_a_secret_for_its_owner_alone(
    installation: Installation,
) -> None:
    secret = installation.data / "secret.key"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert len(secret.read_bytes()) == 32
    assert "all is well" in installation.run("check").stderr
    settings = load_settings(installation.config, {})
    assert [queue.name for queue in settings.queues] == ["inbox", "billing", "automatic"]


def test_init_explains_each_setting_once(installation: Installation) -> None:
    text = installation.config.read_text(encoding="utf-8")
    assert text.count("# due time of the first answer, in business minutes") == 1
    assert "# mailboxes of ours" in text


def test_init_never_overwrites(installation: Installation) -> None:
    installation.config.write_text("# mine\n", encoding="utf-8")
    secret = (installation.data / "secret.key").read_bytes()
    assert "stays as it is" in installation.run("init", exit_code=3).stderr
    installation.config.unlink()
    installation.run("init")
    assert (installation.data / "secret.key").read_bytes() == secret


def test_init_takes_another_data_folder(tmp_path: Path) -> None:
    elsewhere = Installation(tmp_path)
    elsewhere.run("init", "--data", str(tmp_path / "lib"))
    assert load_settings(elsewhere.config, {}).data == tmp_path / "lib"
    assert (tmp_path / "lib" / "secret.key").is_file()


def test_check_tells_every_problem_with_its_line_and_exits_1(installation: Installation) -> None:
    installation.config.write_text("consle: {}\nqueues: [{name: inbox, titel: x}]\n", encoding="utf-8")
    result = installation.run("check", exit_code=1)
    assert result.stdout.splitlines() == [
        f"{installation.config}:1:1: consle: is not a setting; did you mean 'console'?",
        f"{installation.config}:2:24: queues[0].titel: is not a setting; did you mean 'title'?",
    ]
    assert "2 problems" in result.stderr


def test_check_speaks_json(installation: Installation) -> None:
    installation.config.write_text("consle: {}\n", encoding="utf-8")
    said = json.loads(installation.run("check", "--json", exit_code=1).stdout)
    assert said["ok"] is False
    assert said["problems"][0]["line"] == 1
    assert said["problems"][0]["path"] == "consle"


def test_other_commands_tell_the_problems_too_and_do_nothing(installation: Installation) -> None:
    installation.config.write_text("consle: {}\n", encoding="utf-8")
    result = installation.run("users", "list", exit_code=1)
    assert "did you mean 'console'" in result.stderr
    assert "nothing was done" in result.stderr
    assert result.stdout == ""


def test_without_settings_the_way_to_begin_is_told(tmp_path: Path) -> None:
    assert "hubbub init" in Installation(tmp_path).run("cases", "list", exit_code=1).stderr


def test_every_command_has_help_and_every_group_lists_its_own() -> None:
    for name in COMMANDS:
        result = CliRunner().invoke(main, [name, "--help"])
        assert result.exit_code == 0, name
        assert "Usage: hubbub" in result.stdout or "Usage: main" in result.stdout


def test_help_tells_the_exit_codes() -> None:
    said = CliRunner().invoke(main, ["--help"]).stdout
    assert "130  interrupted" in said


def test_completion_scripts_are_made_for_each_shell() -> None:
    for shell in ("bash", "zsh", "fish"):
        assert "_HUBBUB_COMPLETE" in CliRunner().invoke(main, ["completion", shell]).stdout


def test_version_is_told() -> None:
    said = {CliRunner().invoke(main, [asked]).stdout for asked in ("version", "--version", "-V")}
    assert [each.count(".") for each in said] == [2]
