"""What the answers of a relay mean for a message (RFC 5321, 4.2; RFC 3463). One table of decisions, no IO."""

import re
from collections.abc import Mapping

from schemas.ports import Receipt, ReceiptStatus

ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})\b")
CONTROLS = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")
LONGEST_REASON = 500
RETRY_SECONDS = 60.0
STOPPED_SECONDS = 300.0
# The relay wants a login, a stronger one, or encryption (RFC 4954, 6): the account is at fault, not the message.
LOGIN_CODES = frozenset({530, 534, 535, 538})


def said(code: int, text: str) -> str:
    """An answer as a reason for people: one line, bounded, valid Unicode."""
    return CONTROLS.sub(" ", f"{code} {text}").strip()[:LONGEST_REASON]


def sent(external_id: str, refused: Mapping[str, str]) -> Receipt:
    return Receipt(ReceiptStatus.SENT, external_id=external_id, refused=dict(refused))


def retry(reason: str, seconds: float = RETRY_SECONDS) -> Receipt:
    """Nothing was accepted, and that is proven."""
    return Receipt(ReceiptStatus.RETRY, reason=_plain(reason), retry_after_seconds=seconds)


def stop_account(reason: str) -> Receipt:
    """Nothing was accepted, and nothing will be until somebody changes the settings."""
    return Receipt(
        ReceiptStatus.RETRY, reason=_plain(reason), retry_after_seconds=STOPPED_SECONDS, stop_account=True
    )


def failed(reason: str) -> Receipt:
    return Receipt(ReceiptStatus.FAILED, reason=_plain(reason))


def unknown(reason: str) -> Receipt:
    return Receipt(ReceiptStatus.UNKNOWN, reason=_plain(reason))


def is_transient(code: int) -> bool:
    return 400 <= code < 500


def of_sender(code: int, text: str) -> Receipt:
    """Refused at MAIL FROM. 5.7.x there says that this account may not send (RFC 3463, 3.8)."""
    if is_transient(code):
        return retry(said(code, text))
    if code in LOGIN_CODES or _enhanced(text).startswith("5.7."):
        return stop_account(said(code, text))
    return failed(said(code, text))


def of_recipients(refused: Mapping[str, tuple[int, str]]) -> Receipt:
    """Every recipient was refused. One that may be taken later is reason enough to try again."""
    code, text = next(
        (each for each in refused.values() if is_transient(each[0])), next(iter(refused.values()))
    )
    if is_transient(code):
        return retry(said(code, text))
    if any(each[0] in LOGIN_CODES for each in refused.values()):
        return stop_account(said(code, text))
    return failed(said(code, text))


def of_content(code: int, text: str) -> Receipt:
    """The answer to DATA or to the final dot, where it is no success."""
    if is_transient(code):
        return retry(said(code, text))
    if 500 <= code < 600:
        return failed(said(code, text))
    return unknown(f"the relay gave an answer that means nothing: {said(code, text)}")


def _enhanced(text: str) -> str:
    found = ENHANCED.match(text.lstrip())
    return found.group(1) if found else ""


def _plain(reason: str) -> str:
    return CONTROLS.sub(" ", reason).strip()[:LONGEST_REASON]
