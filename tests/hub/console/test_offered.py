"""The composer offers what the channel of the case can do, and nothing else; the API refuses the rest."""

from schemas.capabilities import Capabilities, FileLimits, Visibility
from tests.hub.console.office import Office

ADDRESS = "/console/queues/orders"


def offer(office: Office, **capabilities: object) -> None:
    """What every account can do from now on."""
    made = Capabilities.model_validate({"reply": True, **capabilities})
    deciding = office.service._deciding
    office.service.capabilities = deciding.capabilities = {
        f"{channel}:{account}": made for channel in ("email", "webform") for account in ("support", "contact")
    }


async def test_files_are_offered_only_where_they_can_leave(office: Office) -> None:
    case = await office.write("a")
    async with office.signed_in("ann") as ann:
        offer(office, files=FileLimits())
        assert "pick-files" in (await ann.get(f"{ADDRESS}/{case.number}")).text
        offer(office)
        assert "pick-files" not in (await ann.get(f"{ADDRESS}/{case.number}")).text


async def test_a_public_answer_says_so_and_a_short_one_says_how_short(office: Office) -> None:
    case = await office.write("a")
    async with office.signed_in("ann") as ann:
        offer(office, visibility=Visibility.PUBLIC, longest=280)
        page = (await ann.get(f"{ADDRESS}/{case.number}")).text
        assert "Everybody can read this answer" in page and "at most 280 characters" in page
        offer(office, longest=280, splits=True)
        page = (await ann.get(f"{ADDRESS}/{case.number}")).text
        assert "Everybody can read" not in page and "at most" not in page


async def test_an_answer_that_is_too_long_comes_back_with_the_reason_and_the_text(office: Office) -> None:
    case = await office.write("a")
    offer(office, longest=10)
    async with office.signed_in("ann") as ann:
        page = await ann.post(
            f"{ADDRESS}/{case.number}/write", mode="reply", text="It is on its way.", request="n"
        )
    assert page.status_code == 422
    assert "shorten it by" in page.text or "cannot take this answer" in page.text
    assert "It is on its way." in page.text
