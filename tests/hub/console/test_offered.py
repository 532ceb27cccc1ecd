"""The composer offers what the channel of the case can do, and nothing else; the API refuses the rest."""

import re
from pathlib import Path

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


async def test_a_picture_is_described_where_its_channel_can_say_so(office: Office) -> None:
    case = await office.write("a")
    address, picture = f"{ADDRESS}/{case.number}", Path(__file__).with_name("pixel.png").read_bytes()
    async with office.signed_in("ann") as ann:

        async def uploaded() -> str:
            files = [
                ("files", ("red.png", picture, "image/png")),
                ("files", ("a.txt", b"Text", "text/plain")),
            ]
            return (await ann.http.post(f"{address}/files", data={"csrf": ann.csrf}, files=files)).text

        offer(office, files=FileLimits())
        assert "<textarea" not in await uploaded()
        offer(office, files=FileLimits(described=True))
        chips = await uploaded()
        (field,) = re.findall(r'<textarea [^>]*name="(alt-[0-9a-f]{64})"', chips)
        form = {"csrf": ann.csrf, "mode": "reply", "text": "Look.", field: " A red\r\n dot"}
        said = form | {"kept": re.findall(r'name="kept" value="([^"]+)"', chips)}
        assert "A red dot" in (await ann.http.post(f"{address}/preview", data=said)).text
        again = await ann.http.post(f"{address}/write", data={**said, "text": ""})
        assert ">A red dot</textarea>" in again.text
        await ann.http.post(f"{address}/write", data=said)
    await office.settle()
    (message,) = office.relay.sent
    assert [each.alt for each in message.attachments] == ["A red dot", ""]


async def test_a_public_answer_says_so_and_a_short_one_says_how_short(office: Office) -> None:
    case = await office.write("a")
    async with office.signed_in("ann") as ann:
        offer(office, visibility=Visibility.PUBLIC, longest=280)
        page = (await ann.get(f"{ADDRESS}/{case.number}")).text
        assert "Everybody can read this answer" in page and "at most 280 characters" in page
        offer(office, longest=280, splits=True)
        page = (await ann.get(f"{ADDRESS}/{case.number}")).text
        assert "Everybody can read" not in page and "at most" not in page
        assert "only once" not in page
        offer(office, repeats=False)
        assert "The same words are taken only once" in (await ann.get(f"{ADDRESS}/{case.number}")).text


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


async def test_who_wrote_in_public_is_answered_alone_in_one_step(office: Office) -> None:
    case = await office.write("a")
    async with office.signed_in("ann") as ann:
        offer(office, visibility=Visibility.PUBLIC, private="contact", longest=60)
        address = f"{ADDRESS}/{case.number}"
        assert "answer-privately" in (await ann.get(address)).text
        long = await ann.post(
            f"{address}/answer-privately", text="x" * 61, public_text="We wrote to you.", request="p"
        )
        assert long.status_code == 422 and "shorten it by 1" in long.text and "x" * 61 in long.text
        await ann.post(
            f"{address}/answer-privately",
            text="What is your number?",
            public_text="We wrote to you.",
            request="p",
        )
        page = (await ann.get(address)).text
        assert "What is your number?" in page and "only the customer reads what follows" in page
        await office.settle()
        assert [(each.account, each.text) for each in office.relay.sent] == [
            ("contact", "What is your number?"),
            ("support", "We wrote to you."),
        ]


async def test_an_answer_says_by_which_channel_it_leaves(office: Office) -> None:
    written = await office.write("a", channel="slack", account="acme", conversation="slack:T1:C1:1")
    filled_in = await office.fill_in("b", {"Subject": "Sizes", "Message": "Wide?"})
    able = Capabilities(reply=True)
    deciding = office.service._deciding
    office.service.capabilities = deciding.capabilities = {
        "slack:acme": able,
        "webform:contact": able.model_copy(update={"reply": False}),
        "email:support": able,
    }
    async with office.signed_in("ann") as ann:
        page = (await ann.get(f"{ADDRESS}/{written.number}")).text
        assert "Slack to Mara Ionescu" in page and "Mail to" not in page
        page = (await ann.get(f"{ADDRESS}/{filled_in.number}")).text
        assert "Mail to Kim" in page  # a form is answered by mail


async def test_the_first_words_of_a_text_are_not_told_as_its_subject_too(office: Office) -> None:
    case = await office.write("a", "Hi there", "Hi there")
    more = await office.write(
        "b", "Same here", "Same here, two of six", conversation="mail:a", parents=("mail:a",)
    )
    other = await office.write(
        "c", "Bill", "About something else", conversation="mail:a", parents=("mail:a",)
    )
    assert case.id == more.id == other.id
    async with office.signed_in("ann") as ann:
        page = (await ann.get(f"{ADDRESS}/{case.number}")).text
    assert "Subject: Bill" in page and "Subject: Same here" not in page
