"""Settings that would lose mail or give a password away are refused with what to change."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from connectors.email.connector import EmailConnector, email_deliverer
from connectors.email.settings import (
    AccountSettings,
    EmailSettings,
    NoticesSettings,
    RelaySettings,
    SmtpInSettings,
)
from connectors.kit.intake import Intake
from tests.connectors.email.house import FakeEngine, FixedClock

ACCOUNT = {"name": "support", "address": "Support@Shop.Example"}


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        ({"accounts": []}, "at least 1"),
        ({"accounts": [{**ACCOUNT, "address": "support"}]}, "write it as name@example.com"),
        ({"accounts": [ACCOUNT, {**ACCOUNT, "address": "b@x.example"}]}, "the name support is used twice"),
        (
            {"accounts": [ACCOUNT, {"name": "b", "address": "support@shop.example"}]},
            "each belongs to one account",
        ),
        ({"accounts": [{**ACCOUNT, "adress": "x"}]}, "adress"),
        ({"smtp_in": {"tls_key": "key.pem"}}, "belong together"),
        ({"smtp_in": {"max_bytes_in_flight": 2**20}}, "at least one mail"),
        ({"relay": {"host": "relay.example", "username": "a"}}, "belong together"),
        (
            {"relay": {"host": "relay.example", "username": "a", "password": "b", "security": "none"}},
            "in clear",
        ),
    ],
)
def test_a_wrong_setting_is_named_with_what_to_change(changes: dict[str, Any], advice: str) -> None:
    with pytest.raises(ValidationError, match=advice):
        EmailSettings.model_validate({"accounts": [ACCOUNT], **changes})


def test_a_password_is_not_shown() -> None:
    relay = RelaySettings.model_validate(
        {"host": "relay.example", "username": "a", "password": "very secret"}
    )
    assert "very secret" not in repr(relay) + relay.model_dump_json()


def test_addresses_are_taken_in_one_spelling() -> None:
    assert EmailSettings.model_validate({"accounts": [ACCOUNT]}).accounts[0].address == "support@shop.example"


@pytest.mark.parametrize(
    "model", [EmailSettings, SmtpInSettings, AccountSettings, RelaySettings, NoticesSettings]
)
def test_every_setting_is_described(model: type[BaseModel]) -> None:
    assert all(field.description for field in model.model_fields.values())


async def test_a_hub_may_take_mail_by_files_alone_and_send_none() -> None:
    settings = EmailSettings.model_validate({"accounts": [ACCOUNT], "smtp_in": None})
    connector = EmailConnector(settings, Intake(FakeEngine(), FixedClock()), [b"0123456789abcdef"])  # type: ignore[arg-type]
    await connector.start()
    assert connector.port is None
    assert connector.health().state == "ok"
    await connector.stop(1)
    assert email_deliverer(settings, [b"0123456789abcdef"], lambda ref: connector.stop(1)) is None  # type: ignore[arg-type, return-value]
