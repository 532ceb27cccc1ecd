"""The sample mails, and the shortest way to a mail of one's own."""

from pathlib import Path

from connectors.email.parse import ParsedMail, parse_mail

FIXTURES = Path(__file__).parent / "fixtures"
HEAD = b"From: Ada <ada@example.org>\nTo: help@example.com\nSubject: x\nMessage-ID: <1@example.org>\n"


def raw(name: str) -> bytes:
    return (FIXTURES / f"{name}.eml").read_bytes()


def read(name: str) -> ParsedMail:
    return parse_mail(raw(name))


def with_body(text: str, headers: str = "") -> ParsedMail:
    return parse_mail(
        HEAD + headers.encode() + b"Content-Type: text/plain; charset=utf-8\n\n" + text.encode()
    )
