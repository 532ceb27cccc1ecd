"""Every command with no hub running: the same application in this process, under the lock of the data folder."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.cli.output import safe
from tests.hub.cli.conftest import Installation

Mails = Callable[..., Path]


def test_users_come_change_and_go(installation: Installation) -> None:
    added = installation.run("users", "add", "ines", "--role", "admin", "--title", "Ines Vega")
    assert len(added.stdout.strip()) >= 12
    installation.run("users", "add", "tom", "-r", "inbox=agent", "-r", "billing=supervisor")
    assert installation.run("users", "set-roles", "tom", "inbox=agent").stdout == "tom: inbox=agent\n"
    installation.run("users", "deactivate", "tom")
    listed = installation.json("users", "list")
    assert {each["name"]: (each["roles"], each["active"]) for each in listed} == {
        "ines": ({"*": "admin"}, True),
        "tom": ({"inbox": "agent"}, False),
    }
    assert installation.run("users", "password", "ines").stdout != added.stdout
    assert "Ines Vega" in installation.run("users", "list").stdout


def test_a_mistyped_queue_is_told(installation: Installation) -> None:
    for arguments in (
        ("users", "add", "ada", "--role", "biling=agent"),
        ("users", "set-roles", "ada", "biling=agent"),
        ("keys", "create", "crm", "--scope", "read", "--role", "biling=agent"),
        ("cases", "list", "--queue", "biling"),
    ):
        assert "no queue 'biling'; did you mean 'billing'?" in installation.run(*arguments).stderr
    assert "no queue" not in installation.run("users", "set-roles", "ada", "billing=agent", "admin").stderr


def test_what_the_hub_refuses_is_told_in_its_words_and_exits_3(installation: Installation) -> None:
    installation.run("users", "add", "ines", "--role", "admin")
    assert "there is a user 'ines' already" in installation.run("users", "add", "ines", exit_code=3).stderr
    refused = installation.run("users", "deactivate", "ines", exit_code=3)
    assert "make somebody else admin first" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert refused.stdout == ""


def test_keys_are_shown_once_and_can_be_revoked(installation: Installation) -> None:
    made = installation.json(
        "keys", "create", "warehouse", "--scope", "read", "--role", "agent", "--expires", "90d"
    )
    assert made["secret"].startswith("hk_")
    id = made["key"]["id"]
    assert made["secret"] not in installation.run("keys", "list").stdout
    assert "revoked" in installation.run("keys", "revoke", id).stdout
    assert installation.json("keys", "list")[0]["revoked_at"] is not None


@pytest.mark.parametrize(
    "arguments",
    [
        ("users", "add", "ines", "--role", "king"),
        ("keys", "create", "x", "--scope", "read", "--expires", "soon"),
        ("dead-letters", "replay"),
        ("dead-letters", "replay", "a", "b", "--edit", "-"),
        ("cases", "list", "--state", "lost"),
        ("nothing",),
    ],
)
def test_a_wrong_command_line_exits_2(installation: Installation, arguments: tuple[str, ...]) -> None:
    assert "Usage:" in installation.run(*arguments, exit_code=2).stderr


def test_mail_taken_in_waits_on_the_log_and_twice_is_once(installation: Installation, mails: Mails) -> None:
    folder = mails("Order 1", "Order 2")
    ledger = installation.folder / "ledger"
    first = installation.run("ingest", "email", str(folder), "--ledger", str(ledger))
    assert first.stdout == "2 mails: 2 accepted\n"
    assert "at the next start" in first.stderr
    installation.run("ingest", "email", str(folder))
    assert len(ledger.read_text(encoding="utf-8").splitlines()) == 2
    events = installation.run("events", "--topic", "interactions", "--json")
    ids = {json.loads(line)["id"] for line in events.stdout.splitlines()}
    assert len(ids) == 2
    assert installation.run("verify", "--ledger", str(ledger)).stdout == "whole: every promise holds\n"


def test_what_was_acknowledged_and_is_not_there_breaks_the_promise(installation: Installation) -> None:
    result = installation.run(
        "verify", "--ledger", "-", given="6f2c1f0e-8f3a-5b7e-9a3d-1f0c7b1d2e11\n", exit_code=1
    )
    assert "6f2c1f0e-8f3a-5b7e-9a3d-1f0c7b1d2e11" in result.stdout
    assert "broken: 1 fault" in result.stdout
    assert "not an item id" in installation.run("verify", "--ledger", "-", given="abc\n", exit_code=3).stderr


def test_files_that_cannot_be_read_are_counted_and_exit_1(installation: Installation, mails: Mails) -> None:
    folder = mails("Order 1")
    (folder / "empty.eml").write_bytes(b"")
    result = installation.run("ingest", "email", str(folder), str(folder / "absent.eml"), exit_code=1)
    assert result.stdout == "3 mails: 1 accepted, 2 unread\n"
    assert "absent.eml: there is no such file" in result.stderr


def test_an_account_that_is_not_there_ends_at_once(installation: Installation, mails: Mails) -> None:
    result = installation.run("ingest", "email", str(mails("x")), "--account", "sales", exit_code=3)
    assert "there is no mail account 'sales'" in result.stderr


def test_the_log_is_read_from_a_position_a_time_or_a_duration(
    installation: Installation, mails: Mails
) -> None:
    installation.run("ingest", "email", str(mails("Order 1")))
    result = installation.run("events")
    position = result.stderr.rpartition("position: ")[2].strip()
    assert "interaction.received" in result.stdout
    assert installation.run("events", "--since", position).stdout == ""
    assert installation.run("events", "--since", "1h").stdout == result.stdout
    assert installation.run("events", "--since", "2099-01-01T00:00Z").stdout == ""
    assert installation.run("events", "--limit", "1").stdout.count("\n") == 1
    assert "cursor" in installation.run("events", "--since", "1.nonsense", exit_code=3).stderr
    assert "nor how long ago" in installation.run("events", "--since", "yesterday", exit_code=2).stderr


def test_following_needs_a_hub(installation: Installation) -> None:
    assert "hubbub up" in installation.run("events", "--follow", exit_code=4).stderr


def test_apply_publishes_once_for_each_change(installation: Installation) -> None:
    assert "version 1 is in force" in installation.run("apply").stdout
    assert "nothing that a version holds changed" in installation.run("apply").stdout
    text = installation.config.read_text(encoding="utf-8").replace("title: Billing", "title: Invoices")
    installation.config.write_text(text, encoding="utf-8")
    assert installation.json("apply") == {"number": 2, "changed": True, "running": False}
    assert "Invoices" in installation.run("cases", "list", "--queues").stdout


def test_a_backup_comes_back_with_all_that_was_there(installation: Installation, mails: Mails) -> None:
    installation.run("ingest", "email", str(mails("Order 1")))
    copy, back = installation.folder / "copy", installation.folder / "back"
    installation.run("backup", str(copy))
    assert "not empty" in installation.run("backup", str(copy), exit_code=3).stderr
    installation.run("restore", str(copy), "--into", str(back))
    assert (back / "secret.key").read_bytes() == (installation.data / "secret.key").read_bytes()
    assert (back / "secret.key").stat().st_mode & 0o077 == 0
    theirs = installation.run("events", "--topic", "interactions", "--json", "--data", str(back)).stdout
    assert theirs == installation.run("events", "--topic", "interactions", "--json").stdout
    assert installation.run("verify", "--data", str(back)).stdout == "whole: every promise holds\n"
    assert "not empty" in installation.run("restore", str(copy), "--into", str(back), exit_code=3).stderr


def test_a_damaged_backup_is_refused(installation: Installation) -> None:
    copy = installation.folder / "copy"
    installation.run("backup", str(copy))
    with (copy / "hub.sqlite").open("r+b") as file:
        file.seek(5000)
        file.write(b"damage")
    result = installation.run("restore", str(copy), "--into", str(installation.folder / "back"), exit_code=4)
    assert "not what was backed up" in result.stderr
    (copy / "secret.key").unlink()
    assert (
        "secret.key is missing" in installation.run("restore", str(copy), "--into", "x", exit_code=3).stderr
    )


def test_lists_that_are_empty_say_so_on_stderr(installation: Installation) -> None:
    for arguments in (("cases", "list"), ("quarantine", "list"), ("dead-letters", "list"), ("keys", "list")):
        result = installation.run(*arguments)
        assert result.stdout == ""
        assert result.stderr.strip()
        assert installation.json(*arguments) == []


def test_what_is_not_there_is_refused(installation: Installation) -> None:
    id = "6f2c1f0e-8f3a-5b7e-9a3d-1f0c7b1d2e11"
    for arguments in (
        ("cases", "show", "7K3M9-Q2XAB"),
        ("cases", "explain", "../users"),
        ("customers", "show", "nobody@example.net"),
        ("quarantine", "show", id),
        ("quarantine", "drop", id),
        ("dead-letters", "show", id),
        ("dead-letters", "replay", id),
        ("keys", "revoke", id),
    ):
        assert installation.run(*arguments, exit_code=3).stdout == ""


def test_a_fault_of_ours_is_one_line_and_a_trace_only_with_debug(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr("hub.loading.look", broken)
    assert installation.run("check", exit_code=5).stderr.count("\n") == 1
    assert isinstance(installation.run("--debug", "check", exit_code=1).exception, ZeroDivisionError)


def test_ctrl_c_is_quiet(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(30)  # another thread may take the signal first; it ends this sleep

    monkeypatch.setattr("hub.loading.look", interrupted)
    result = installation.run("check", exit_code=130)
    assert "Traceback" not in result.stderr


def test_a_customer_cannot_control_the_terminal() -> None:
    assert safe("a\x1b[2Jb\u202ec\x07") == "a\ufffd[2Jb\ufffdc\ufffd"
    assert safe("Größe 漢字 ✓") == "Größe 漢字 ✓"
