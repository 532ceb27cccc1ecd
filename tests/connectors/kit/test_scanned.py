"""Files that come with an item are scanned before they are kept, whatever the channel; the original stays."""

import pytest

from connectors.kit.intake import Accepted
from connectors.kit.rigs import MONDAY
from connectors.kit.scanned import scanned
from connectors.kit.scanning import Scan, Verdict
from schemas.ids import derive, sha256
from schemas.interactions import Attachment, BlobRef, InteractionReceived, Kind, Part
from schemas.steps import Blob

CLEAN, BAD = b"a clean file", b"a bad file"


class Scanner:
    """Finds what is bad; says nothing at all where it is silent."""

    def __init__(self, *, silent: bool = False) -> None:
        self.seen: list[bytes] = []
        self._silent = silent

    async def scan(self, content: bytes) -> Scan:
        self.seen.append(content)
        if self._silent:
            return Scan(Verdict.UNSCANNED, "away")
        return Scan(Verdict.INFECTED, "Eicar") if content == BAD else Scan(Verdict.CLEAN)


def blob(content: bytes) -> Blob:
    return Blob(BlobRef(sha256=sha256(content), size=len(content)), content)


def item(*contents: bytes) -> Accepted:
    original, blobs = blob(b"the whole mail"), [blob(each) for each in contents]
    files = [Attachment(name="f", media_type="text/plain", size=9, blob=each.ref) for each in blobs]
    event = InteractionReceived(
        part=Part(item=derive("item")),
        channel="email",
        account="support",
        brand="default",
        conversation="mail:1",
        occurred_at=MONDAY,
        received_at=MONDAY,
        original=original.ref,
        kind=Kind.MESSAGE,
        external_id="mail:1",
        attachments=tuple(files),
    )
    return Accepted(derive("item"), original, (event,), tuple(blobs))


def files_of(accepted: Accepted) -> tuple[Attachment, ...]:
    (event,) = accepted.interactions
    assert isinstance(event, InteractionReceived)
    return event.attachments


async def test_an_infected_file_loses_its_bytes_and_says_what_was_found() -> None:
    after = await scanned(item(CLEAN, BAD), Scanner(), keeps_unscanned=False)
    clean, bad = files_of(after)
    assert clean.blob is not None and not clean.note
    assert bad.blob is None and bad.note == "the virus scanner found Eicar"
    assert [each.content for each in after.blobs] == [CLEAN]
    assert after.original.content == b"the whole mail"


async def test_a_clean_item_is_left_as_it_is_and_its_original_is_not_scanned() -> None:
    scanner, before = Scanner(), item(CLEAN)
    assert await scanned(before, scanner, keeps_unscanned=False) is before
    assert scanner.seen == [CLEAN]


@pytest.mark.parametrize(("keeps", "count"), [(True, 1), (False, 0)])
async def test_what_nobody_scanned_is_kept_or_not_as_the_settings_say(keeps: bool, count: int) -> None:
    after = await scanned(item(CLEAN), Scanner(silent=True), keeps_unscanned=keeps)
    assert len(after.blobs) == count
    assert files_of(after)[0].note == "not scanned for viruses: away"
