"""Attachments that come with an item (a mail's, a form's) are looked at before they are kept. The original stays as it came."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from connectors.kit.intake import Accepted
from connectors.kit.media import ScanSettings
from connectors.kit.scanning import Clamd, Scanner, Verdict
from schemas.interactions import Attachment, InteractionEdited, InteractionEvent, InteractionReceived

NOTE_CHARACTERS = 300


def scanning(
    settings: ScanSettings | None, scanner: Scanner | None = None
) -> Callable[[Accepted], Awaitable[Accepted]] | None:
    """What Intake asks for each item; None where nothing is scanned."""
    if settings is None:
        return None
    chosen, keeps = scanner or Clamd(settings), settings.when_silent == "keep"

    async def scan(accepted: Accepted) -> Accepted:
        return await scanned(accepted, chosen, keeps_unscanned=keeps)

    return scan


async def scanned(accepted: Accepted, scanner: Scanner, *, keeps_unscanned: bool) -> Accepted:
    """The item without the bytes of what is infected; each such attachment says in its note what was found."""
    carried = {blob.ref.sha256: blob for blob in accepted.blobs}
    attached = {
        each.blob.sha256
        for event in accepted.interactions
        for each in _attachments(event)
        if each.blob is not None and each.blob.sha256 in carried
    }
    notes: dict[str, str] = {}
    refused: set[str] = set()
    for name in sorted(attached):
        scan = await scanner.scan(carried[name].content)
        if scan.verdict is Verdict.CLEAN:
            continue
        if scan.verdict is Verdict.INFECTED:
            notes[name] = f"the virus scanner found {scan.reason}"
        else:
            notes[name] = f"not scanned for viruses: {scan.reason}"
        if scan.verdict is Verdict.INFECTED or not keeps_unscanned:
            refused.add(name)
    if not notes:
        return accepted
    return replace(
        accepted,
        interactions=tuple(_told(event, notes, refused) for event in accepted.interactions),
        blobs=tuple(blob for blob in accepted.blobs if blob.ref.sha256 not in refused),
    )


def _attachments(event: InteractionEvent) -> tuple[Attachment, ...]:
    return event.attachments if isinstance(event, InteractionReceived | InteractionEdited) else ()


def _told(event: InteractionEvent, notes: dict[str, str], refused: set[str]) -> InteractionEvent:
    attachments = tuple(_noted(each, notes, refused) for each in _attachments(event))
    return event.model_copy(update={"attachments": attachments}) if attachments else event


def _noted(attachment: Attachment, notes: dict[str, str], refused: set[str]) -> Attachment:
    name = attachment.blob.sha256 if attachment.blob is not None else ""
    if name not in notes:
        return attachment
    note = "; ".join(filter(None, (attachment.note, notes[name])))[:NOTE_CHARACTERS]
    return attachment.model_copy(update={"note": note, "blob": None if name in refused else attachment.blob})
