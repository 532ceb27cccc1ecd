"""The one path of every mail, whatever brought it: read, map, keep. Returns only when it is on the log."""

from datetime import datetime

from connectors.email.envelope import Envelope
from connectors.email.mapping import CHANNEL, MailContext, map_mail
from connectors.email.reader import MailReader, Unreadable
from connectors.kit.intake import Accepted, Intake
from connectors.kit.items import Taken, taken
from schemas.crash import crash_point
from schemas.ids import item_id, sha256
from schemas.interactions import BlobRef
from schemas.parking import Quarantined
from schemas.steps import Blob

MEDIA_TYPE = "message/rfc822"


class MailReceiver:
    """Used by the SMTP server, by files, and to read a quarantined original again."""

    def __init__(self, intake: Intake, reader: MailReader, context: MailContext) -> None:
        self._intake = intake
        self._reader = reader
        self.context = context

    async def take(self, raw: bytes, envelope: Envelope, received_at: datetime) -> Taken:
        """Durable when it returns. Raises Outage when nothing was kept; never anything else for what a mail contains."""
        crash_point("intake.after-original")
        return await self.keep(await self.understand(raw, envelope, received_at))

    async def keep(self, accepted: Accepted) -> Taken:
        """Durable when it returns. Mails whose `keep` began earlier come earlier on the log."""
        crash_point("intake.before-commit")
        await self._intake.accept(accepted)
        return taken(accepted)

    async def understand(self, raw: bytes, envelope: Envelope, received_at: datetime) -> Accepted:
        """The mail as it goes to the log: its events, or why it could not be read. Changes nothing."""
        original = Blob(BlobRef(sha256=sha256(raw), size=len(raw), media_type=MEDIA_TYPE), raw)
        try:
            mail = await self._reader.read(raw)
        except Unreadable as error:
            return self._quarantined(original, envelope, received_at, error.stage, str(error))
        try:
            mapped = map_mail(mail, envelope, original.ref, received_at, self.context)
        except Exception as error:  # noqa: BLE001 a mail that our own code stumbles over is kept, not refused
            reason = f"{type(error).__name__}: {error}"[:500]
            return self._quarantined(original, envelope, received_at, "map", reason)
        return Accepted(mapped.item, original, mapped.interactions, mapped.blobs)

    async def knows(self, accepted: Accepted) -> bool:
        """Whether the item is on the log and was handled; False where that is not sure."""
        return await self._intake.knows(accepted)

    def refused(
        self, raw: bytes, envelope: Envelope, received_at: datetime, stage: str, reason: str
    ) -> Accepted:
        """A mail of which no more than these bytes can be had, as it goes to quarantine. Changes nothing."""
        original = Blob(BlobRef(sha256=sha256(raw), size=len(raw), media_type=MEDIA_TYPE), raw)
        return self._quarantined(original, envelope, received_at, stage, reason)

    def _quarantined(
        self, original: Blob, envelope: Envelope, received_at: datetime, stage: str, reason: str
    ) -> Accepted:
        accounts = self.context.accounts
        owner = accounts.first_owning(envelope.recipients) or accounts.named(envelope.account or "")
        account = (owner or accounts.default).name
        item = item_id(CHANNEL, account, f"raw:{original.ref.sha256}")
        quarantined = Quarantined(
            item=item,
            channel=CHANNEL,
            account=account,
            original=original.ref,
            stage=stage,
            reason=reason,
            received_at=received_at,
            envelope=envelope.facts(),
        )
        return Accepted(item, original, quarantined=quarantined)
