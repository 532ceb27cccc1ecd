"""Messages that go on in a case of their own: read in both, answered there, and merged back."""

from typing import Any

import httpx

from schemas.commands import MergeCase
from schemas.documents import Case, EntryKind
from schemas.interactions import Participant, Role
from tests.hub.console.office import Office, Visitor
from tests.hub.console.shop import BOSS
from tests.hub.console.test_correspondence import ask

KIM = Participant(role=Role.FROM, scheme="email", value="kim@example.net", name="Kim")


async def texts(office: Office, case: Case) -> list[str]:
    page = await office.service.timeline(
        BOSS, case, 50, kinds=(EntryKind.MESSAGE, EntryKind.REPLY, EntryKind.NOTE)
    )
    return [each.text for each in reversed(page.items)]


async def written(office: Office) -> tuple[Case, list[str]]:
    """A case of three messages, the last by somebody else about something else."""
    case = await office.write("a", text="Where is it?")
    await office.write("b", text="Hello?", parents=("mail:a",))
    case = await office.write(
        "c", "An invoice", "And my invoice?", participants=(KIM,), tokens=(f"case:{case.id}",)
    )
    page = await office.service.timeline(BOSS, case, 50, kinds=(EntryKind.MESSAGE,))
    return case, [str(each.id) for each in reversed(page.items)]


async def split(visitor: Visitor, case: Case, *entries: str, **more: Any) -> httpx.Response:
    return await ask(visitor, f"cases/{case.number}/split", "once", entries=list(entries), **more)


async def test_a_message_goes_on_in_a_case_of_its_own_and_is_merged_back(office: Office) -> None:
    case, ids = await written(office)
    async with office.signed_in("ann") as ann:
        made = await split(ann, case, ids[2], queue="billing")
        assert made.status_code == 201, made.text
        assert (await split(ann, case, ids[2], queue="billing")).json()["id"] == made.json()["id"]
        told = made.json()
        assert (told["queue"], told["subject"], told["state"], told["related"]) == (
            "billing", "An invoice", "open", str(case.id),
        )  # fmt: skip
        assert [each["value"] for each in told["reply_recipients"]] == ["kim@example.net"]
        new = await office.service.case(BOSS, told["number"])
        assert new.waiting_since is not None and new.due_at is not None
        page = (await ann.get(f"/console/queues/billing/{new.number}")).text
        assert "And my invoice?" in page and "Where is it?" not in page
        await ask(ann, f"cases/{new.number}/replies", text="Here it is.")
        assert (await ann.get(f"/api/v1/cases/{new.number}/entries/{ids[2]}")).status_code == 200
        assert (await ann.get(f"/api/v1/cases/{new.number}/entries/{ids[0]}")).status_code == 404
    await office.settle()
    assert [each.value for each in office.relay.sent[0].recipients] == ["kim@example.net"]
    assert await texts(office, new) == ["And my invoice?", "Here it is."]
    old = await office.service.case_after(case.id)
    assert await texts(office, old) == ["Where is it?", "Hello?", "And my invoice?"]
    joined = await office.write("d", text="Thanks.", participants=(KIM,), tokens=(f"case:{new.id}",))
    assert joined.id == new.id
    await office.do("eva", MergeCase, joined, into=old.id)
    merged = await office.service.case_after(case.id)
    assert sorted(await texts(office, merged)) == sorted(
        ["Where is it?", "Hello?", "And my invoice?", "Here it is.", "Thanks."]
    )
    lines = [line async for line in office.context.verifier.verify()]
    assert lines[-1]["result"] == "whole", lines


async def test_what_was_split_off_is_read_where_its_case_was_merged_to(office: Office) -> None:
    case, ids = await written(office)
    other = await office.write("z", "Else", "Something else", sender="zoe@example.com")
    async with office.signed_in("ann") as ann:
        new = await office.service.case(BOSS, (await split(ann, case, ids[2])).json()["number"])
    await office.do("eva", MergeCase, new, into=other.id)
    merged = await office.service.case_after(other.id)
    assert sorted(await texts(office, merged)) == ["And my invoice?", "Something else"]


async def test_what_cannot_be_split_off_is_refused(office: Office) -> None:
    case, ids = await written(office)
    foreign = await office.write("z", "Else", "Something else", sender="zoe@example.com")
    other = (await office.service.timeline(BOSS, foreign, 1, kinds=(EntryKind.MESSAGE,))).items[0]
    async with office.signed_in("ann") as ann, office.signed_in("lee") as lee:
        assert (await split(lee, case, ids[2])).status_code == 404
        for entries, more in ((ids, {}), ([str(other.id)], {}), ([ids[0]], {"queue": "nowhere"})):
            answer = await ask(ann, f"cases/{case.number}/split", entries=entries, **more)
            assert answer.status_code == 422, answer.text


async def test_an_agent_splits_a_case_by_its_page(office: Office) -> None:
    case, ids = await written(office)
    url = f"/console/queues/orders/{case.number}"
    async with office.signed_in("ann") as ann:
        assert f"/split?with={ids[2]}" in (await ann.get(url)).text
        page = (await ann.get(f"{url}/split?with={ids[2]}")).text
        assert f'value="{ids[2]}" checked' in page and f'value="{ids[0]}" checked' not in page
        none = await ann.post(f"{url}/split", queue="orders", subject="")
        assert (none.status_code, "choose" in none.text) == (422, True)
        made = await ann.post(
            f"{url}/split", queue="orders", subject="Invoice", entries=ids[2], request="one"
        )
        again = await ann.post(
            f"{url}/split", queue="orders", subject="Invoice", entries=ids[2], request="one"
        )
        assert (made.status_code, made.headers["location"]) == (303, again.headers["location"])
        assert "And my invoice?" in (await ann.get(made.headers["location"])).text
        assert made.headers["location"].split("/")[-1].split("?")[0] in (await ann.get(url)).text
