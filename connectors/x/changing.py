"""What was sent is taken back, and replies of others are hidden or shown again. X finds it done the second time, so all of it may be
asked for as often as needed.

https://docs.x.com/x-api/posts/hide-reply · https://docs.x.com/x-api/posts/delete-post
"""

from connectors.x.answers import nothing_seen, partly, receipt_of
from connectors.x.client import FAILURES, XClient, XError
from connectors.x.names import post_id
from schemas.outbound import ChangeKind, SentChange
from schemas.ports import Receipt, ReceiptStatus

GONE = 404


async def changed(client: XClient, change: SentChange) -> Receipt:
    """Hidden or shown again, or taken back."""
    if change.kind is ChangeKind.DELETE:
        return await _taken_back(client, change)
    try:
        if change.kind is ChangeKind.HIDE:
            await client.hide_reply(post_id(change.external_id), user_auth=True)
        elif change.kind is ChangeKind.SHOW:
            await client.unhide_reply(post_id(change.external_id), user_auth=True)
        else:
            return Receipt(ReceiptStatus.FAILED, reason="X changes no post that was sent")
    except FAILURES as error:
        return nothing_seen(receipt_of(error))
    return Receipt(ReceiptStatus.SENT, external_id=change.external_id)


async def _taken_back(client: XClient, change: SentChange) -> Receipt:
    """The last post of a thread first."""
    names = change.parts or (change.external_id,)
    for number, name in enumerate(reversed(names)):
        try:
            await client.delete_tweet(post_id(name), user_auth=True)
        except FAILURES as error:
            if isinstance(error, XError) and error.status == GONE:
                continue
            receipt = nothing_seen(receipt_of(error))
            is_partly = number and receipt.status is ReceiptStatus.FAILED
            return partly(receipt, "taken back") if is_partly else receipt
    return Receipt(ReceiptStatus.SENT, external_id=change.external_id)
