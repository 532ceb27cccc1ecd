"""parse email: pure, fast to start, one JSON object a line."""

import json
import mailbox
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner

from hub.cli import main
from tests.support.process import HUBBUB

KEYS = {
    "source", "kind", "message_id", "in_reply_to", "references", "date", "sender", "reply_to", "to", "cc", "subject", "text",
    "text_new", "html", "attachments", "bounce", "flags", "warnings",
}  # fmt: skip
HEAVY = (
    "fastapi",
    "uvicorn",
    "apsw",
    "httpx",
    "aiosmtpd",
    "jinja2",
    "structlog",
    "asyncio",
    "yaml",
    "prometheus_client",
)


def test_each_mail_is_one_line_with_the_keys_that_scripts_rely_on(mails: Callable[..., Path]) -> None:
    result = CliRunner().invoke(main, ["parse", "email", str(mails("Order 1", "Größe"))])
    assert result.exit_code == 0
    parsed = [json.loads(line) for line in result.stdout.splitlines()]
    assert all(set(each) >= KEYS for each in parsed)
    assert [each["subject"] for each in parsed] == ["Order 1", "Größe"]
    assert parsed[0]["sender"] == {"address": "ann@example.net", "name": "Ann Archer"}
    assert "Größe" in result.stdout  # not escaped


def test_an_mbox_and_stdin_are_read_too(mails: Callable[..., Path], tmp_path: Path) -> None:
    folder = mails("one", "two")
    box = mailbox.mbox(tmp_path / "box.mbox")
    for path in sorted(folder.iterdir()):
        box.add(path.read_bytes())
    box.close()
    lines = CliRunner().invoke(main, ["parse", "email", str(tmp_path / "box.mbox")]).stdout.splitlines()
    assert [json.loads(each)["subject"] for each in lines] == ["one", "two"]
    given = (folder / "1.eml").read_bytes()
    assert (
        json.loads(CliRunner().invoke(main, ["parse", "email", "-"], input=given).stdout)["subject"] == "one"
    )


def test_what_cannot_be_read_is_told_and_exits_1(tmp_path: Path, mails: Callable[..., Path]) -> None:
    result = CliRunner().invoke(main, ["parse", "email", str(tmp_path / "absent.eml"), str(mails("one"))])
    assert result.exit_code == 1
    first, second = [json.loads(line) for line in result.stdout.splitlines()]
    assert (first["kind"], second["subject"]) == ("unparsed", "one")
    assert set(first) >= KEYS
    assert "no such file" in result.stderr


def test_any_bytes_are_printed_as_something(tmp_path: Path) -> None:
    (tmp_path / "strange.eml").write_bytes(bytes(range(256)) * 4)
    result = CliRunner().invoke(main, ["parse", "email", str(tmp_path / "strange.eml")])
    assert result.exit_code == 0
    assert set(json.loads(result.stdout)) >= KEYS


def test_it_starts_without_what_a_hub_needs(mails: Callable[..., Path]) -> None:
    code = (
        "import sys\nfrom hub.cli import main\n"
        f"try:\n    main(['parse', 'email', {str(mails('one'))!r}])\nexcept SystemExit:\n    pass\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_reader_that_goes_away_is_no_error(mails: Callable[..., Path]) -> None:
    folder = mails(*[f"subject {number} " + "x" * 500 for number in range(300)])
    command = f"({HUBBUB} parse email {folder}; echo $? >&2) | head -n 1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True, timeout=50)
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == "141\n"
