"""An answer that was sent is changed or taken back where its channel offers that, in the console and by the API."""

import re

import httpx

from schemas.capabilities import Capabilities, Visibility
from schemas.documents import Case
from schemas.outbound import ChangeKind
from schemas.ports import ReceiptStatus
from tests.hub.console.office import Office, Visitor
from tests.hub.console.test_offered import ADDRESS, offer


async def called(ann: Visitor, url: str, body: dict[str, str]) -> httpx.Response:
    return await ann.http.post(url, json=body, headers={"X-CSRF-Token": ann.csrf})


async def answered(office: Office, ann: Visitor) -> Case:
    case = await office.write("a")
    await ann.post(f"{ADDRESS}/{case.number}/write", mode="reply", text="It is on its way.", request="n")
    await office.settle()
    return case


async def test_only_what_the_channel_offers_stands_at_an_answer(office: Office) -> None:
    async with office.signed_in("ann") as ann:
        offer(office)
        case = await answered(office, ann)
        address = f"{ADDRESS}/{case.number}"
        assert "edit-answer" not in (await ann.get(address)).text
        offer(office, edit=True)
        page = (await ann.get(address)).text
        assert "edit-answer" in page and "delete-answer" not in page


async def test_a_changed_answer_reads_so_once_the_channel_did_it_and_a_form_sent_twice_is_one_change(
    office: Office,
) -> None:
    async with office.signed_in("ann") as ann:
        offer(office, edit=True, delete=True)
        case = await answered(office, ann)
        address = f"{ADDRESS}/{case.number}"
        message = str(office.relay.sent[0].message)
        for _ in range(2):
            await ann.post(f"{address}/edit-answer", message=message, text="It came back.", request="e")
        page = (await ann.get(address)).text
        assert "It is on its way." in page and "being changed" in page and "edit-answer" not in page
        await office.settle()
        assert [each.text for each in office.relay.sent[1:]] == ["It came back."]
        page = (await ann.get(address)).text
        assert "It came back." in page and "edited" in page and "being changed" not in page
        await ann.post(f"{address}/delete-answer", message=message, request="d")
        await office.settle()
        page = (await ann.get(address)).text
        assert re.search(r"Deleted .* by ", page) and "delete-answer" not in page


async def test_a_change_of_which_nobody_knows_whether_it_was_done_is_for_a_person_to_say(
    office: Office,
) -> None:
    async with office.signed_in("ann") as ann:
        offer(office, edit=True)
        case = await answered(office, ann)
        address = f"{ADDRESS}/{case.number}"
        office.relay.status, office.relay.reason = ReceiptStatus.UNKNOWN, "the line broke"
        await ann.post(
            f"{address}/edit-answer",
            message=str(office.relay.sent[0].message),
            text="It came back.",
            request="e",
        )
        await office.settle()
        page = (await ann.get(address)).text
        assert "It may have been changed: the line broke" in page and "It was changed" in page
        await ann.post(
            f"{address}/settle", message=str(office.relay.sent[1].message), state="sent", request="s"
        )
        page = (await ann.get(address)).text
        assert "It came back." in page and "may have been changed" not in page


async def test_the_api_refuses_what_the_channel_does_not_offer_and_says_why(office: Office) -> None:
    async with office.signed_in("ann") as ann:
        offer(office, edit=True, longest=20)
        case = await answered(office, ann)
        able = (await ann.http.get(f"/api/v1/cases/{case.number}/capabilities")).json()
        assert (able["edit"], able["delete"], able["longest"]) == (True, False, 20)
        replies = f"/api/v1/cases/{case.number}/replies/{office.relay.sent[0].message}"
        taken = await called(ann, f"{replies}/edit", {"text": "It came back."})
        assert taken.status_code == 200
        again = await called(ann, f"{replies}/edit", {"text": "No, tomorrow."})
        assert again.status_code == 409
        await office.settle()
        long = await called(ann, f"{replies}/edit", {"text": "x" * 21})
        assert long.status_code == 422 and "shorten it by 1" in long.text
        refused = await called(ann, f"{replies}/delete", {})
        assert refused.status_code == 422 and "cannot take back" in refused.text


async def test_what_a_customer_wrote_is_hidden_from_those_who_read_along_and_shown_again(
    office: Office,
) -> None:
    async with office.signed_in("ann") as ann:
        offer(office, hide=True)
        case = await office.write("rude", may_change=True)
        address, api = f"{ADDRESS}/{case.number}", f"/api/v1/cases/{case.number}"
        assert "Nobody who reads along sees it any more" in (await ann.get(address)).text
        for _ in range(2):
            await ann.post(f"{address}/hide-message", external_id="mail:rude", hidden="yes", request="h")
        await office.settle()
        page = (await ann.get(address)).text
        assert re.search(r"hidden .* by ", page) and "Show again" in page and "Hello, where is it?" in page
        (entry,) = [
            each
            for each in (await ann.get(f"{api}/timeline")).json()["items"]
            if each["detail"].get("hidden_at")
        ]
        shown = await called(ann, f"{api}/messages/{entry['id']}/hide", {"hidden": False})  # type: ignore[dict-item]  # JSON
        assert shown.status_code == 200
        await office.settle()
        assert "Show again" not in (await ann.get(address)).text
        kinds = [each.change.kind for each in office.relay.sent if each.change is not None]
        assert kinds == ["hide", "show"]


async def test_what_cannot_be_hidden_has_no_button_and_the_api_says_why(office: Office) -> None:
    async with office.signed_in("ann") as ann:
        offer(office)
        case = await office.write("rude", may_change=True)
        assert "hide-message" not in (await ann.get(f"{ADDRESS}/{case.number}")).text
        entry = (await ann.get(f"/api/v1/cases/{case.number}/timeline")).json()["items"][-1]["id"]
        refused = await called(ann, f"/api/v1/cases/{case.number}/messages/{entry}/hide", {})
        assert refused.status_code == 422 and "hides nothing" in refused.text


async def test_what_was_written_in_public_keeps_its_buttons_though_the_case_is_answered_in_private_by_now(
    office: Office,
) -> None:
    public = Capabilities(
        reply=True, visibility=Visibility.PUBLIC, private="contact", hide=True, edit=True, delete=True
    )
    async with office.signed_in("ann") as ann:
        deciding = office.service._deciding
        office.service.capabilities = deciding.capabilities = {
            "email:support": public,
            "email:contact": Capabilities(reply=True, longest=60),
        }
        office.relay.may_change = True
        case = await office.write("rude", may_change=True)
        address = f"{ADDRESS}/{case.number}"
        await ann.post(f"{address}/write", mode="reply", text="We are sorry.", request="n")
        await office.settle()
        await ann.post(f"{address}/answer-privately", text="Your number?", public_text="", request="p")
        await office.settle()
        page = (await ann.get(address)).text
        assert "hide-message" in page
        assert page.count('hx-post="' + address + '/edit-answer"') == 1, (
            "of the public answer, and not of the private one"
        )
        await ann.post(f"{address}/hide-message", external_id="mail:rude", hidden="yes", request="h")
        await office.settle()
        hiding = office.relay.sent[-1]
        assert hiding.account == "support"
        assert hiding.change is not None and hiding.change.kind is ChangeKind.HIDE
