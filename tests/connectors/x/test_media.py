"""Pictures and films with answers: given in parts, described, named once; and what fails before anybody saw something."""

import pytest

from connectors.x.channel import DIRECT_FILES, FILES
from connectors.x.connector import XConnector
from connectors.x.standin.faults import Fault
from connectors.x.standin.world import OWN
from schemas.errors import Never
from schemas.interactions import Attachment, BlobRef
from schemas.ports import ReceiptStatus
from tests.connectors.slack.support import outbound
from tests.connectors.x.support import ANN, BEN, TWEET, Company, answer

INITIALIZE = "POST /media/upload/initialize"


async def file(
    company: Company, content: bytes = b"\x89PNG picture", media_type: str = "image/png", alt: str = ""
) -> Attachment:
    ref: BlobRef = await company.place.engine.put_blob(content, media_type)
    return Attachment(name="a", media_type=media_type, size=len(content), blob=ref, alt=alt)


async def test_pictures_go_with_the_first_post_in_their_order_and_are_described(company: Company) -> None:
    post = company.x.mention(ANN, "@acme what does it look like?")
    files = (await file(company, b"one", alt="A red polaris"), await file(company, b"x" * (2 << 20)))
    text = " ".join(f"word{number}" for number in range(80))
    receipt = await company.sender.deliver(answer(company, text, post, attachments=files))
    assert receipt.status is ReceiptStatus.SENT
    (named,) = company.x.media.named
    assert [each.content for each in named] == [b"one", b"x" * (2 << 20)]
    assert [each.alt for each in named] == ["A red polaris", ""]
    assert len(named[1].parts) == 2, "in parts"
    with_files = [each for each in company.x.said() if "t.co" in each]
    assert len(with_files) == 1 and company.x.said()[0] == with_files[0]


async def test_an_animation_is_waited_for_until_x_has_looked_at_it(company: Company) -> None:
    post = company.x.mention(ANN, "@acme show me")
    one = await file(company, b"GIF89a", "image/gif")
    receipt = await company.sender.deliver(answer(company, "Here", post, attachments=(one,)))
    assert receipt.status is ReceiptStatus.SENT
    assert company.x.media.named[0][0].category == "tweet_gif"
    assert "GET /media/upload" in company.x.calls


async def test_a_direct_message_has_a_file_of_its_own_kind(company: Company) -> None:
    one = await file(company)
    message = outbound("Hello", f"x:dm:{OWN}:{BEN}-{OWN}", channel="x", account="acme-dm", attachments=(one,))
    assert (await company.sender.deliver(message)).status is ReceiptStatus.SENT
    assert company.x.media.named[0][0].category == "dm_image"
    assert (FILES.count, DIRECT_FILES.count) == (4, 1)


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Fault("status:503"), ReceiptStatus.RETRY),
        (Fault("drop", after=True), ReceiptStatus.RETRY),
        (Fault("limited"), ReceiptStatus.RETRY),
        (Fault("denied:Not that kind of file."), ReceiptStatus.FAILED),
    ],
    ids=lambda value: str(getattr(value, "kind", value)),
)
async def test_an_upload_that_fails_has_shown_nobody_anything(
    company: Company, fault: Fault, status: ReceiptStatus
) -> None:
    post = company.x.mention(ANN, "@acme show me")
    company.x.fail(INITIALIZE, fault)
    message = answer(company, "Here", post, attachments=(await file(company),))
    assert (await company.sender.deliver(message)).status is status
    assert company.x.said() == []


async def test_a_file_that_x_cannot_read_is_for_its_author_to_change(company: Company) -> None:
    post = company.x.mention(ANN, "@acme show me")
    company.x.media.broken = True
    message = answer(company, "Here", post, attachments=(await file(company, b"GIF", "image/gif"),))
    receipt = await company.sender.deliver(message)
    assert receipt.status is ReceiptStatus.FAILED and "could not read" in receipt.reason


async def test_a_post_with_files_that_was_taken_without_an_answer_is_found(company: Company) -> None:
    post = company.x.mention(ANN, "@acme show me")
    company.x.fail(TWEET, Fault("drop", after=True))
    message = answer(company, "Here it is", post, attachments=(await file(company),))
    assert (await company.sender.deliver(message)).status is ReceiptStatus.SENT
    assert len(company.x.said()) == 1


async def test_a_file_that_is_gone_here_fails_the_answer_and_says_so(company: Company) -> None:
    post = company.x.mention(ANN, "@acme show me")

    async def gone(ref: BlobRef) -> bytes:
        raise Never("the blob is gone")

    connector: XConnector = company.connector
    connector.sender._fetch = gone
    message = answer(company, "Here", post, attachments=(await file(company),))
    receipt = await company.sender.deliver(message)
    assert receipt.status is ReceiptStatus.FAILED and "gone" in receipt.reason
