"""The deliverer of a channel whose accounts each have a sender of their own."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from schemas.outbound import OutboundMessage
from schemas.ports import Receipt, ReceiptStatus


class Sender(Protocol):
    """Sends for one account, and can be asked what became of a message. Never raises for what a peer does."""

    async def deliver(self, message: OutboundMessage) -> Receipt: ...

    async def reconcile(self, message: OutboundMessage, tried_at: datetime) -> Receipt | None: ...


class AccountsDeliverer:
    """Implements ports.Deliverer and ports.Reconciler: gives each message to the sender of its account."""

    def __init__(self, channel: str, title: str, senders: Mapping[str, Sender]) -> None:
        self.channel = channel
        self._title = title
        self._senders = senders

    async def deliver(self, message: OutboundMessage) -> Receipt:
        sender = self._senders.get(message.account)
        if sender is None:
            reason = f"there is no {self._title} account {message.account!r} any more"
            return Receipt(ReceiptStatus.FAILED, reason=reason)
        return await sender.deliver(message)

    async def reconcile(self, message: OutboundMessage, tried_at: datetime) -> Receipt | None:
        sender = self._senders.get(message.account)
        return await sender.reconcile(message, tried_at) if sender else None
