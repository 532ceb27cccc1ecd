"""Reads mail of any origin (SMTP, IMAP, files): `parse_mail(raw)` is pure, total and bounded in time."""

from connectors.email.parse.limits import DEFAULT_LIMITS, MailLimits
from connectors.email.parse.mail import parse_mail
from connectors.email.parse.model import (
    MailAddress,
    MailAttachment,
    MailAuthentication,
    MailBounce,
    MailFlag,
    MailKind,
    ParsedMail,
)
from connectors.email.parse.output import parsed_to_json
from connectors.email.parse.quotes import split_reply

__all__ = [
    "DEFAULT_LIMITS",
    "MailAddress",
    "MailAttachment",
    "MailAuthentication",
    "MailBounce",
    "MailFlag",
    "MailKind",
    "MailLimits",
    "ParsedMail",
    "parse_mail",
    "parsed_to_json",
    "split_reply",
]
