"""Answers and notes by the form: who gets them, what comes back when they cannot go."""

import re
from datetime import timedelta

from schemas.commands import ReplyToCase
from schemas.configuration import Template
from schemas.documents import EntryKind
from schemas.events import SYSTEM
from tests.hub.console.office import Office
from tests.hub.console.shop import BOSS, CONFIGURATION


async def test_the_composer_says_who_will_receive_it(office: Office) -> None:
    case = await office.write("a")
    async with office.signed_in("ann") as ann:
        page = (await ann.get(f"/console/queues/orders/{case.number}")).text
    assert "Mail to Mara Ionescu &lt;mara@example.com&gt;" in page


async def test_a_note_never_leaves_the_house(office: Office) -> None:
    case = await office.write("a")
    async with office.signed_in("ann") as ann:
        answer = await ann.post(
            f"/console/queues/orders/{case.number}/write", mode="note", text="Careful.", then="resolve"
        )
        assert answer.headers["location"].endswith("done=noted")
    await office.settle()
    assert office.relay.sent == []
    page = await office.service.timeline(BOSS, case, kinds=(EntryKind.NOTE,))
    assert [each.text for each in page.items] == ["Careful."]
    assert (await office.service.case_after(case.id)).state == "open"


async def test_who_wrote_a_note_goes_on_writing_notes(office: Office) -> None:
    case = await office.write("a")
    fields = {"mode": "note", "text": "Careful."}
    async with office.signed_in("ann") as ann:
        page = (await ann.part(f"/console/queues/orders/{case.number}/write", **fields)).text
    assert 'value="note" checked' in page
    assert 'value="reply" checked' not in page
    assert "Note · just now" in " ".join(re.sub(r"<[^>]*>", " ", page).split())


async def test_nothing_is_not_sent(office: Office) -> None:
    case = await office.write("a")
    async with office.signed_in("ann") as ann:
        answer = await ann.post(f"/console/queues/orders/{case.number}/write", mode="reply", text=" \n ")
        assert (answer.status_code, "Write something first." in answer.text) == (422, True)
        long = await ann.post(f"/console/queues/orders/{case.number}/write", mode="reply", text="x" * 200_001)
        assert (long.status_code, "too long to send" in long.text) == (422, True)
    await office.settle()
    assert office.relay.sent == []


async def test_lines_end_as_typed_and_nothing_else_is_changed(office: Office) -> None:
    case = await office.write("a")
    text = "  Dear Mara,\r\n\r\n\t<b>&amp;</b> \u202e\x00Z͑ä\r\nAnn\r\n"
    async with office.signed_in("ann") as ann:
        await ann.post(f"/console/queues/orders/{case.number}/write", mode="reply", text=text)
    await office.settle()
    assert office.relay.sent[0].text == "  Dear Mara,\n\n\t<b>&amp;</b> \u202eZ͑ä\nAnn\n"


async def test_the_answer_of_a_colleague_is_shown_first_and_the_text_comes_back(office: Office) -> None:
    case = await office.write("a")
    async with office.signed_in("ann") as ann:
        url = f"/console/queues/orders/{case.number}/write"
        await office.do("bo", ReplyToCase, case, text="From Bo.")
        office.clock.advance(minutes=3)
        form = {"mode": "reply", "text": "From Ann.", "seen": str(case.revision)}
        held = await ann.post(url, **form)
        assert held.status_code == 409
        assert "Bo Lindqvist answered 3 min ago, while you were writing." in held.text
        assert 'id="copies" open' not in held.text  # nobody was in copy
        assert ">From Ann.</textarea>" in held.text
        seen = held.text.split('name="seen" value="')[1].split('"')[0]
        assert (await ann.post(url, **{**form, "seen": seen})).status_code == 303
    await office.settle()
    assert [each.text for each in office.relay.sent] == ["From Bo.", "From Ann."]


async def test_a_customer_who_writes_meanwhile_does_not_hold_an_answer_up(office: Office) -> None:
    case = await office.write("a")
    await office.write("b", "Re: Where is my parcel?", "Hello?", parents=("mail:a",), conversation="mail:a")
    async with office.signed_in("ann") as ann:
        url = f"/console/queues/orders/{case.number}/write"
        answer = await ann.post(url, mode="reply", text="Here.", seen=str(case.revision))
    assert answer.status_code == 303


async def test_a_broken_form_is_answered_and_not_a_fault(office: Office) -> None:
    case = await office.write("a")
    async with office.signed_in("ann") as ann:
        url = f"/console/queues/orders/{case.number}/write"
        for fields in (
            {},
            {"seen": "x", "text": "a", "mode": "reply"},
            {"mode": "carrier pigeon", "text": "coo"},
        ):
            assert (await ann.post(url, **fields)).status_code in {303, 422}
        file = await ann.http.post(url, data={"csrf": ann.csrf}, files={"text": ("a.txt", b"hello")})
        assert file.status_code == 422


async def test_an_answer_leaves_when_it_was_said(office: Office) -> None:
    case = await office.write("a")
    async with office.signed_in("ann") as ann:
        sent = await ann.post(
            f"/console/queues/orders/{case.number}/write", mode="reply", text="Soon.", later="tomorrow"
        )
        assert sent.headers["location"].endswith("done=scheduled")
        page = (await ann.get(sent.headers["location"])).text
    await office.settle()
    assert office.relay.sent == []
    assert "Do not send" in page
    pending = (await office.service.case_after(case.id)).pending
    assert [each.send_at - office.clock.now() > timedelta(hours=8) for each in pending] == [True]


async def test_a_time_that_is_none_is_refused_and_the_text_comes_back(office: Office) -> None:
    case = await office.write("a")
    async with office.signed_in("ann") as ann:
        for at in (
            "",
            "yesterday",
            "2020-01-01T10:00",
            "2999-01-01T10:00",
            "0001-01-01T00:00",
            "9999-12-31T23:59",
        ):
            page = await ann.post(
                f"/console/queues/orders/{case.number}/write", mode="reply", text="Soon.", later="at", at=at
            )
            assert (page.status_code, ">Soon.</textarea>" in page.text) == (422, True), at
    assert (await office.service.case_after(case.id)).pending == ()


async def test_what_was_just_sent_is_taken_back_and_written_on(office: Office) -> None:
    office.hold_back(5)
    case = await office.write("a")
    async with office.signed_in("ann") as ann:
        url = f"/console/queues/orders/{case.number}"
        sent = await ann.part(f"{url}/write", mode="reply", text="Dear Mara", then="resolve")
        held = (await office.service.case_after(case.id)).pending
        assert str(held[0].message.message) in sent.text
        assert "Undo" in sent.text
        back = await ann.part(f"{url}/cancel", message=str(held[0].message.message))
    assert ">Dear Mara</textarea>" in back.text
    office.clock.advance(seconds=60)
    await office.settle()
    after = await office.service.case_after(case.id)
    assert (after.state, after.pending, office.relay.sent) == ("open", (), [])


async def test_a_canned_answer_is_filled_for_the_case(office: Office) -> None:
    templates = [
        {
            "name": "thanks",
            "text": {"default": "Dear {{ customer.name }}, thanks for {{ case.number }}. {{ agent.name }}"},
        }
    ]
    with_templates = CONFIGURATION.model_copy(
        update={"templates": tuple(map(Template.model_validate, templates))}
    )
    await office.service.company.publish(with_templates, SYSTEM)
    case = await office.write("a")
    async with office.signed_in("ann") as ann:
        url = f"/console/queues/orders/{case.number}"
        filled = f"Dear Mara Ionescu, thanks for {case.number}. Ann Okafor"
        assert (await ann.get(f"{url}/canned/thanks")).text == filled
        assert (await ann.get(f"{url}/canned/other")).status_code == 404
        assert f">{filled}</textarea>" in (await ann.get(f"{url}?canned=thanks")).text
    async with office.signed_in("lee") as lee:
        assert (await lee.get(f"{url}/canned/thanks")).status_code == 404
