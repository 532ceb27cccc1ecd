"""What was uploaded and never sent is forgotten; what was sent, or is somebody else's too, stays."""

from datetime import timedelta

import pytest

from hub.observe import Metric, Metrics
from hub.outgoing import OutgoingFiles
from hub.staging import FORGOTTEN_AFTER, GOOD_FOR, Staging
from schemas.errors import Invalid, Unknown
from schemas.interactions import Attachment
from schemas.staged import STAGED_FILES, StagedFile
from schemas.steps import Query
from tests.hub.console.office import Office

CONTENT = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n" + b"%" * 100_000
SECRET = b"a secret of this test, 32 bytes."


async def uploaded(office: Office) -> Attachment:
    files = OutgoingFiles(office.engine, office.clock, SECRET)
    case = await office.write("a")
    return (await files.keep("ann", case.id, "offer.pdf", "application/pdf", CONTENT)).attachment


async def kept(office: Office) -> int:
    return await office.engine.count(Query(STAGED_FILES))


async def test_what_is_never_sent_is_forgotten(office: Office) -> None:
    attachment = await uploaded(office)
    assert attachment.blob is not None
    with pytest.raises(Unknown):  # no blob before it is sent
        await office.engine.blob(attachment.blob)
    (document,) = (await office.engine.find(Query(STAGED_FILES))).items
    assert isinstance(document, StagedFile)
    office.clock.advance(seconds=(FORGOTTEN_AFTER - timedelta(seconds=1)).total_seconds())
    metrics = Metrics()
    staging = Staging(office.engine, office.clock, metrics)
    assert (await staging.purge(), await kept(office)) == (0, 1)
    office.clock.advance(seconds=(timedelta(seconds=2)).total_seconds())
    assert (await staging.purge(), await kept(office)) == (1, 0)
    assert metrics.value(Metric.UPLOADS_FORGOTTEN) == 1
    with pytest.raises(Unknown):
        await office.engine.blob(document.staged)
    assert [fault async for fault in office.engine.check()] == []


async def test_what_somebody_wrote_stays_though_the_same_was_uploaded(office: Office) -> None:
    received = await office.engine.put_blob(CONTENT, "application/pdf")
    attachment = await uploaded(office)
    assert attachment.blob is not None
    assert attachment.blob.sha256 == received.sha256
    office.clock.advance(seconds=(FORGOTTEN_AFTER + timedelta(seconds=1)).total_seconds())
    assert await Staging(office.engine, office.clock).purge() == 1
    assert await office.engine.blob(received) == CONTENT


async def test_the_same_content_is_kept_once_a_day(office: Office) -> None:
    for _ in range(2):
        await uploaded(office)
    assert await kept(office) == 1
    office.clock.advance(seconds=(timedelta(days=1)).total_seconds())
    await uploaded(office)
    assert await kept(office) == 2


@pytest.mark.parametrize("days", [0, 1, 6])
async def test_a_file_is_sent_days_later_until_it_is_too_old(office: Office, days: int) -> None:
    attachment = await uploaded(office)
    office.clock.advance(seconds=(timedelta(days=days)).total_seconds())
    (blob,) = await Staging(office.engine, office.clock).sent([attachment])
    assert (blob.ref, blob.content) == (attachment.blob, CONTENT)


async def test_a_token_ends_before_its_file(office: Office) -> None:
    files = OutgoingFiles(office.engine, office.clock, SECRET)
    case = await office.write("a")
    token = (await files.keep("ann", case.id, "offer.pdf", "application/pdf", CONTENT)).token
    office.clock.advance(seconds=(GOOD_FOR + timedelta(seconds=1)).total_seconds())
    with pytest.raises(Invalid, match="not known any more"):
        files.read("ann", case.id, [token])
    await Staging(office.engine, office.clock).purge()
    assert await kept(office) == 1
