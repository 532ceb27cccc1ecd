"""The company of the tests: who works there, with which queues and rules."""

from connectors.email.accounts import Accounts as MailAccounts
from connectors.email.compose import Composer
from connectors.email.settings import AccountSettings
from connectors.email.tokens import Tokens
from schemas.accounts import Principal, Role
from schemas.configuration import Configuration

SECRET = b"a secret of the tests, 32 bytes."
PASSWORD = "correct horse battery"
BOSS = Principal(kind="agent", id="eva", name="Eva Novak", roles={"*": Role.ADMIN})
COMPOSER = Composer(
    MailAccounts.of(
        [
            AccountSettings(
                name="support", address="support@shop.example", display_name="Shop", brand="default"
            )
        ]
    ),
    Tokens((SECRET,)),
)
CONFIGURATION = Configuration.model_validate(
    {
        "queues": [
            {"name": "orders", "title": "Orders", "first_response_minutes": 120},
            {"name": "billing", "title": "Billing", "first_response_minutes": 60},
            {"name": "legal", "title": "Legal"},
        ],
        "default_queue": "orders",
        "rules": [
            {
                "name": "invoices",
                "title": "Invoices",
                "when": {"any": [
                    {"field": "subject", "operator": "contains", "value": "invoice"},
                    {"field": "subject", "operator": "contains", "value": "rechnung"},
                ]},
                "queue": "billing",
                "priority": "high",
                "tags": ["money"],
            },
            {
                "name": "returns",
                "title": "Returns",
                "when": {"field": "subject", "operator": "contains", "value": "return"},
                "tags": ["return"],
            },
        ],
    }
)  # fmt: skip
PEOPLE = {
    "ann": ("Ann Okafor", {"orders": Role.AGENT, "billing": Role.AGENT}),
    "bo": ("Bo Lindqvist", {"orders": Role.AGENT, "billing": Role.AGENT}),
    "lee": ("Lee Park", {"legal": Role.AGENT}),
    "eva": ("Eva Novak", {"*": Role.ADMIN}),
}
