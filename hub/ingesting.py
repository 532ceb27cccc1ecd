"""Mail that somebody hands in whole, by the same path as SMTP."""

from collections.abc import Mapping

from connectors.email.connector import EmailConnector
from connectors.email.envelope import Envelope
from connectors.kit.channel import Opened
from connectors.kit.items import Fate
from hub.http.context import Ingested
from schemas.errors import Invalid
from schemas.ports import Clock


class MailIngester:
    """Implements hub.http.context.Ingester."""

    def __init__(self, channels: Mapping[str, Opened], clock: Clock) -> None:
        connectors = (each for channel in channels.values() for each in channel.connectors)
        self._email = next((each for each in connectors if isinstance(each, EmailConnector)), None)
        self._clock = clock

    async def ingest_mail(self, account: str | None, content: bytes) -> Ingested:
        """One raw mail; `account` for one that names none of our addresses. Durable when it returns."""
        if self._email is None:
            raise Invalid(
                "no mail is taken", {"email": "add a section `email` with an account to the settings"}
            )
        accounts = self._email.receiver.context.accounts
        if account is not None and accounts.named(account) is None:
            raise Invalid(
                f"there is no mail account {account!r}", {"account": "see email.accounts in the settings"}
            )
        taken = await self._email.receiver.take(content, Envelope(account=account), self._clock.now())
        outcome = "quarantined" if taken.fate is Fate.QUARANTINED else str(taken.fate)
        return Ingested(taken.item, outcome, taken.reason)
