"""What `hubbub check` says of mailboxes before any server is asked."""

from pathlib import Path
from typing import Any

import pytest

from hub.loading.semantics import semantic_problems
from hub.settings import HubSettings

MAILBOX = {"name": "box", "host": "imap.example.com", "username": "a", "password": "secret of the box"}


def settings(**mailbox: Any) -> HubSettings:
    accounts = [{"name": "support", "address": "support@shop.example"}]
    return HubSettings.model_validate(
        {
            "queues": [{"name": "inbox", "title": "Inbox"}],
            "default_queue": "inbox",
            "email": {"accounts": accounts, "imap": [MAILBOX | mailbox]},
        }
    )


def test_a_mailbox_that_can_be_read_has_no_problem(tmp_path: Path) -> None:
    authorities = tmp_path / "ca.pem"
    authorities.touch()
    assert semantic_problems(settings(certificate_authorities=str(authorities))) == []


def test_authorities_that_are_not_there_are_told_with_their_place() -> None:
    (problem,) = semantic_problems(settings(certificate_authorities="/nowhere/ca.pem"))
    assert (problem.path, problem.message) == (
        "email.imap[0].certificate_authorities",
        "there is no file /nowhere/ca.pem",
    )


def test_no_secret_of_a_mailbox_is_shown() -> None:
    chosen = settings(
        password=None, oauth={"client_id": "hub", "client_secret": "5a1ty", "token_url": "https://a/b"}
    )
    assert "5a1ty" not in repr(chosen) + chosen.model_dump_json()
    assert "secret of the box" not in repr(settings())


@pytest.mark.parametrize("account", [None, "support"])
def test_the_account_of_a_mailbox_may_be_left_out(account: str | None) -> None:
    assert semantic_problems(settings(account=account)) == []
