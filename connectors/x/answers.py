"""What X's answer to a send means. https://docs.x.com/x-api/fundamentals/response-codes-and-errors"""

from dataclasses import replace

import aiohttp

from connectors.x.client import XError
from schemas.ports import Receipt, ReceiptStatus

DUPLICATE = "duplicate"
WORDS = (
    (
        (
            "not permitted to perform this action",
            "not allowed to reply",
            "reply to this conversation",
            "summoned",
        ),
        "X lets an app answer only who mentioned or quoted the account; ask the customer to mention it, or to write a direct message",
    ),
    (("hide this reply",), "X hides only answers in conversations that the account itself began"),
    (("duplicate content",), "X takes no text twice; change a word"),
    (
        ("cannot send messages to this user", "not following"),
        "this person takes no direct messages from the account",
    ),
    (("deleted or not visible", "does not exist"), "the post that it answers is gone"),
)
STOPPED = ("suspended", "locked", "oauth1 permissions", "client-forbidden", "credits", "app permissions")


def receipt_of(error: BaseException) -> Receipt:
    """Of a call that failed: retry where nothing was accepted, failed where it never will be, else unknown."""
    if isinstance(error, XError):
        return _of_answer(error)
    if isinstance(error, aiohttp.ClientConnectorError):  # no connection was made, so nothing left us
        return Receipt(ReceiptStatus.RETRY, reason="X could not be reached")
    return Receipt(ReceiptStatus.UNKNOWN, reason=f"no answer came from X: {type(error).__name__}")


def _of_answer(error: XError) -> Receipt:
    reason = f"X: {error.reason}"
    told = error.reason.lower()
    if error.status == 429:
        return Receipt(
            ReceiptStatus.RETRY, reason=reason, retry_after_seconds=error.wait_seconds, limit=error.limit
        )
    if error.status in (401, 402) or (error.status == 403 and any(each in told for each in STOPPED)):
        return Receipt(ReceiptStatus.RETRY, reason=reason, stop_account=True)
    if error.status >= 500:
        return Receipt(ReceiptStatus.UNKNOWN, reason=reason)
    for said, words in WORDS:
        if any(each in told for each in said):
            return Receipt(ReceiptStatus.FAILED, reason=words)
    return Receipt(ReceiptStatus.FAILED, reason=reason)


def nothing_seen(receipt: Receipt) -> Receipt:
    """Of a call that shows nobody anything, whatever became of it: the whole may be tried again."""
    if receipt.status is not ReceiptStatus.UNKNOWN:
        return receipt
    return replace(receipt, status=ReceiptStatus.RETRY)


def partly(receipt: Receipt, done: str = "posted") -> Receipt:
    """Of a thread of which some posts went well before one failed: it is not true that nothing was done."""
    reason = f"only a part of the thread was {done}; then {receipt.reason}"
    return Receipt(ReceiptStatus.UNKNOWN, reason=reason)


def is_duplicate(error: BaseException) -> bool:
    """X has this text of ours already: the try before, whose answer was lost, or an older post."""
    return isinstance(error, XError) and error.status == 403 and DUPLICATE in error.reason.lower()
