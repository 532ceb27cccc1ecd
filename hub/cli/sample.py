"""The small company that `hubbub init` writes down. Names and addresses are those of nobody (RFC 2606)."""

from typing import Any

HEAD = """\
# Settings of Hubbub. `hubbub check` says what is wrong with them, `hubbub up` runs them, `hubbub apply` publishes a change.
#
# Unknown keys are errors. Any text may hold ${env:NAME} or ${file:PATH}; keep secrets there. An environment variable such as
# HUBBUB_CONSOLE__PORT=9000 stands over what is written here. All settings: docs/reference/settings.md
"""

TAIL = """\
# What follows answers by mail, so it needs the server that takes mail out. Put it under `email:`, uncomment the automation,
# and try it with `hubbub check`.
#
#   relay:
#     host: smtp.example.com
#     port: 587
#     username: hubbub
#     password: ${env:SMTP_PASSWORD}
#
# automations:
#   - name: thanks
#     event: opened
#     when: {not: {field: flags, operator: has_any, value: [auto, bulk, list, spam]}}
#     actions:
#       - {action: answer, template: thanks}
"""

COMPANY: dict[str, Any] = {
    "data": "data",
    "console": {"host": "127.0.0.1", "port": 8025},
    "intake": {"host": "127.0.0.1", "port": 8026},
    "files": {"host": "127.0.0.1", "port": 8027},
    "logging": {"level": "info"},
    "email": {
        "smtp_in": {"host": "127.0.0.1", "port": 2525},
        "accounts": [
            {
                "name": "support",
                "address": "support@example.com",
                "brand": "acme",
                "display_name": "Acme Support",
            }
        ],
    },
    "webform": {
        "forms": [
            {
                "name": "contact",
                "brand": "acme",
                "title": {"en": "Write to us", "de": "Schreiben Sie uns"},
                "fields": [
                    {"name": "name", "label": {"en": "Your name", "de": "Ihr Name"}},
                    {
                        "name": "email",
                        "type": "email",
                        "label": {"en": "Mail address", "de": "E-Mail-Adresse"},
                        "required": True,
                    },
                    {
                        "name": "message",
                        "type": "textarea",
                        "label": {"en": "What is it about?", "de": "Worum geht es?"},
                        "required": True,
                    },
                ],
            }
        ]
    },
    "brands": [{"name": "acme", "title": "Acme", "signature": "Your Acme team"}],
    "hours": [
        {
            "name": "office",
            "timezone": "Europe/Berlin",
            "periods": [{"days": ["mon", "tue", "wed", "thu", "fri"], "opens": "09:00", "closes": "17:30"}],
            "holidays": ["2026-12-25", "2027-01-01"],
        }
    ],
    "queues": [
        {
            "name": "inbox",
            "title": "Inbox",
            "brand": "acme",
            "hours": "office",
            "first_response_minutes": 480,
        },
        {
            "name": "billing",
            "title": "Billing",
            "brand": "acme",
            "hours": "office",
            "first_response_minutes": 240,
            "reopen_days": 30,
        },
        {"name": "automatic", "title": "Automatic mail", "brand": "acme"},
    ],
    "default_queue": "inbox",
    "rules": [
        {
            "name": "automatic-mail",
            "title": "Newsletters, notices and other mail that no person wrote",
            "when": {"field": "flags", "operator": "has_any", "value": ["auto", "bulk", "list"]},
            "queue": "automatic",
            "priority": "low",
        },
        {
            "name": "invoices",
            "title": "Everything about invoices and refunds",
            "when": {
                "any": [
                    {"field": "subject", "operator": "contains", "value": "invoice"},
                    {"field": "subject", "operator": "contains", "value": "refund"},
                    {"field": "text", "operator": "contains", "value": "refund"},
                ]
            },
            "queue": "billing",
            "tags": ["invoice"],
        },
    ],
    "templates": [
        {
            "name": "thanks",
            "text": {
                "default": "Hello {{ customer.name or 'there' }},\n\nthank you for writing to us. Your case has the number {{ case.number }}.",
                "de": "Guten Tag {{ customer.name }},\n\nvielen Dank für Ihre Nachricht. Ihr Fall hat die Nummer {{ case.number }}.",
            },
        }
    ],
    "automations": [
        {
            "name": "late",
            "title": "Whoever waits too long goes first",
            "event": "overdue",
            "actions": [{"action": "priority", "priority": "high"}, {"action": "tag", "add": ["late"]}],
        }
    ],
}
