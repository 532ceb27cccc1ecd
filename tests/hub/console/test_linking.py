"""Who is who: suggested and typed links by their forms, each taken back by one click."""

from hub.service import Service
from schemas.accounts import Principal
from schemas.commands import TransferCase
from schemas.documents import Case
from schemas.steps import START
from schemas.topics import Topic
from tests.hub.console.office import Office
from tests.hub.console.shop import BOSS


async def handles(service: Service, case: Case, principal: Principal = BOSS) -> set[str]:
    found = await service.customer(principal, case.handle)
    return {f"{each.scheme}:{each.value}" for each in found.customer.handles}


async def test_a_typed_address_that_wrote_by_mail_too_is_suggested_and_linked(office: Office) -> None:
    mail = await office.write("a")
    form = await office.fill_in("f", {"Message": "Hello"}, sender="mara@example.com")
    url = f"/console/queues/orders/{form.number}"
    async with office.signed_in("ann") as ann:
        page = (await ann.get(url)).text
        assert "mara@example.com wrote too (mail, known from their own messages). The same person?" in page
        linked = await ann.part(f"{url}/link", other=str(mail.handle))
        assert "One person from now on." in linked.text
        assert "linked with" in linked.text
        assert "The same person?" not in linked.text
        assert await handles(office.service, form) == {
            "email:mara@example.com",
            "email-typed:mara@example.com",
        }
        assert mail.number in (await ann.get(url)).text
        back = await ann.part(f"{url}/unlink", first=str(form.handle), second=str(mail.handle))
        assert "Two persons again." in back.text
    assert await handles(office.service, form) == {"email-typed:mara@example.com"}


async def test_who_was_unlinked_or_declined_is_not_suggested_again(office: Office) -> None:
    mail = await office.write("a")
    form = await office.fill_in("f", {"Message": "Hello"}, sender="mara@example.com")
    url = f"/console/queues/orders/{form.number}"
    async with office.signed_in("ann") as ann:
        declined = await ann.part(f"{url}/apart", other=str(mail.handle))
        assert "Another person; not suggested again." in declined.text
        assert "The same person?" not in (await ann.get(url)).text
        assert "The same person?" not in (await ann.get(f"/console/queues/orders/{mail.number}")).text
        await ann.part(f"{url}/link", other=str(mail.handle))
        await ann.part(f"{url}/unlink", first=str(form.handle), second=str(mail.handle))
        page = (await ann.get(url)).text
        refused = await ann.post(f"{url}/apart", other=str(form.handle))
    assert "The same person?" not in page
    assert refused.status_code == 422
    assert await handles(office.service, form) == {"email-typed:mara@example.com"}


async def test_of_a_name_it_is_asked_who_is_meant(office: Office) -> None:
    case = await office.write("a")
    other = await office.write("b", sender="bob@example.org", sender_name="Bob Winter")
    await office.write("c", "About Winter tyres", sender="cy@example.org", sender_name="Cy Long")
    secret = await office.write("d", sender="bert@example.org", sender_name="Bert Winter")
    await office.do("eva", TransferCase, secret, queue="legal")
    await office.settle()
    url = f"/console/queues/orders/{case.number}"
    async with office.signed_in("ann") as ann:
        asked = await ann.part(f"{url}/link", other="winter BOB", note="said so")
        which = asked.text.split("Who is meant by “winter BOB”?")[1].split("</form>")
        assert (asked.status_code, str(other.handle) in which[0], 'value="said so"' in which[0]) == (
            200,
            True,
            True,
        )
        all_of_them = (await ann.part(f"{url}/link", other="winter")).text
        assert ("bob@example.org" in all_of_them, "cy@example.org" in all_of_them) == (True, False)
        assert "bert@example.org" not in all_of_them  # in a queue of others
        assert (await ann.part(f"{url}/link", other="nobody of this name")).status_code == 422
        await ann.part(f"{url}/link", other=str(other.handle), note="said so")
    assert await handles(office.service, case) == {"email:mara@example.com", "email:bob@example.org"}


async def test_another_address_is_linked_by_hand_with_a_reason(office: Office) -> None:
    case = await office.write("a")
    await office.write("b", sender="mara.private@example.org", sender_name="")
    async with office.signed_in("ann") as ann:
        url = f"/console/queues/orders/{case.number}"
        sent = await ann.post(f"{url}/link", other="Mara.Private@example.org", note="said so on the phone")
        assert sent.headers["location"].endswith("done=linked")
        assert "said so on the phone" in (await ann.get(url)).text
        nobody = await ann.post(f"{url}/link", other="nobody@example.org")
        assert (nobody.status_code, "there is no such person" in nobody.text) == (422, True)
        itself = await ann.post(f"{url}/link", other=str(case.handle))
        assert (itself.status_code, "cannot be linked to itself" in itself.text) == (422, True)


async def test_a_person_of_a_queue_that_is_not_read_is_neither_suggested_nor_linked(office: Office) -> None:
    hidden = await office.fill_in("f", {"Message": "Hello"}, sender="mara@example.com")
    await office.do("eva", TransferCase, hidden, queue="legal")
    case = await office.write("a")
    async with office.signed_in("ann") as ann:
        url = f"/console/queues/orders/{case.number}"
        assert "The same person?" not in (await ann.get(url)).text
        refused = await ann.post(f"{url}/link", other=str(hidden.handle))
    assert refused.status_code == 422
    assert await handles(office.service, case) == {"email:mara@example.com"}


async def test_each_link_and_its_taking_back_is_an_event_of_its_own(office: Office) -> None:
    mail = await office.write("a")
    form = await office.fill_in("f", {"Message": "Hello"}, sender="mara@example.com")
    url = f"/console/queues/orders/{form.number}"
    async with office.signed_in("ann") as ann:
        for _ in range(2):
            await ann.part(f"{url}/link", other=str(mail.handle))
            await ann.part(f"{url}/link", other=str(mail.handle))
            await ann.part(f"{url}/unlink", first=str(form.handle), second=str(mail.handle))
    told = [each.id for each in await office.engine.scan([Topic.IDENTITY], START, 100) if "link" in each.type]
    assert (len(told), len(set(told))) == (4, 4)
