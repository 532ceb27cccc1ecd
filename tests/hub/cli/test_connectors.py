"""Channels from the command line: listed, tried with a payload, checked, and begun anew."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.channels import channels
from tests.hub.cli.conftest import Installation
from tests.support.paths import ROOT


def test_every_channel_is_listed_with_its_accounts(installation: Installation) -> None:
    listed = installation.json("connectors", "list")
    assert {each["channel"] for each in listed} == set(channels())
    assert {"channel": "email", "account": "support", "state": "set up"}.items() <= listed[0].items()


def test_a_mail_is_shown_as_what_it_becomes_and_nothing_is_kept(
    installation: Installation, mails: Callable[..., Path]
) -> None:
    told = json.loads(installation.run("connectors", "try", "email", str(mails("Order") / "1.eml")).stdout)
    (item,) = told["items"]
    assert item["outcome"] == "accepted"
    assert item["events"][0]["type"] == "hubbub.interaction.received"
    assert item["events"][0]["data"]["content"]["subject"] == "Order"
    assert installation.json("cases", "list") == []


def test_a_payload_that_cannot_be_read_says_why_by_its_exit_code_too(installation: Installation) -> None:
    result = installation.run("connectors", "try", "email", "-", given=b"", exit_code=1)
    assert json.loads(result.stdout)["items"][0]["outcome"] == "quarantined"


def test_a_form_entry_is_tried_from_stdin(installation: Installation) -> None:
    entry = json.dumps({"name": "Ann", "email": "ann@example.net", "message": "Where is it?"})
    result = installation.run("connectors", "try", "webform", "-", "--account", "contact", given=entry)
    assert json.loads(result.stdout)["items"][0]["events"][0]["data"]["content"]["text"]


def test_what_is_not_there_is_said_with_what_is(installation: Installation) -> None:
    assert (
        "there are email" in installation.run("connectors", "try", "fax", "-", given="x", exit_code=2).stderr
    )
    unknown = installation.run(
        "connectors", "try", "email", "-", "--account", "nobody", given="x", exit_code=3
    )
    assert "nobody" in unknown.stderr


def test_a_new_channel_keeps_the_contract_from_the_beginning(tmp_path: Path) -> None:
    """Generated into a tree of its own beside ours, then run as its author would run it."""
    Installation(tmp_path).run("connectors", "new", "parrot_post", "--into", str(tmp_path))
    made = tmp_path / "connectors" / "parrot_post"
    texts = {path.name: path.read_text() for path in made.rglob("*") if path.is_file()}
    left = [name for name, text in texts.items() if "Example" in text or "connectors.kit.example" in text]
    assert left == [] and 'CHANNEL = "parrot_post"' in texts["parse.py"]

    imports = [
        line.split()[1] for line in texts["channel.py"].splitlines() if line.startswith("from connectors")
    ]
    assert imports == sorted(imports)
    conftest = f"import connectors; connectors.__path__.append({str(tmp_path / 'connectors')!r})\n"
    (tmp_path / "conftest.py").write_text(conftest)
    chosen = ["-k", "original or redelivery or forged or malformed or secrets or sent_once or unknown"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path),
         "-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function", *chosen, str(tmp_path / "tests")],
        cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    assert " passed" in run.stdout


def test_an_existing_folder_is_never_written_over(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    installation.run("connectors", "new", "parrot", "--into", str(tmp_path))
    assert (
        "already"
        in installation.run("connectors", "new", "parrot", "--into", str(tmp_path), exit_code=3).stderr
    )
    installation.run("connectors", "new", "../evil", "--into", str(tmp_path), exit_code=2)


@pytest.mark.parametrize("name", list(channels()))
def test_the_example_of_each_channel_is_valid(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `init --channel` prints it; what it takes from the environment is set."""
    example = channels()[name].example
    for variable in re.findall(r"\$\{env:(\w+)\}", example):
        monkeypatch.setenv(variable, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    installation = Installation(tmp_path)
    installation.config.write_text("data: data\n")
    printed = installation.run("init", "--channel", name).stdout
    installation.config.write_text(f"data: data\n{printed}")
    installation.run("check")


def test_the_section_fits_the_brands_that_are_there(installation: Installation) -> None:
    printed = installation.run("init", "--channel", "email").stdout
    assert "brand: acme" in printed


def test_a_new_installation_begins_with_the_channel_that_was_asked_for(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    installation.run("init", "--channel", "email")
    assert installation.config.read_text().count("\nemail:") == 1
    assert "there are email" in installation.run("init", "--channel", "fax", exit_code=2).stderr


def test_a_check_says_what_is_missing_and_where_and_its_exit_code_says_so_too(
    installation: Installation,
) -> None:
    result = installation.run("connectors", "check", "email", exit_code=1)
    assert "FAIL email:relay" in result.stdout and "email.relay" in result.stdout
    told = json.loads(installation.run("connectors", "check", "--json", exit_code=1).stdout)
    assert {"channel": "email", "account": "relay", "ok": False}.items() <= told[0].items()
