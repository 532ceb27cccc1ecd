"""What may not be seen does not exist: on no page, in no list, by no action."""

import pytest

from hub.console.router import GUARDED
from schemas.commands import NoteCase
from tests.hub.console.office import Office

WORDS = "xylophone"
FILLED = {
    "{queue}": "orders",
    "{view}": "all",
    "{action}": "claim",
    "{id}": "00000000-0000-0000-0000-000000000000",
}


async def test_an_agent_of_another_queue_sees_nothing_on_any_page(office: Office) -> None:
    case = await office.write("a", f"About my {WORDS}", f"The {WORDS} is broken", sender="secret@example.com")
    await office.do("ann", NoteCase, case, text=f"{WORDS} again")
    secrets = (WORDS, "secret@example.com", "Mara Ionescu", str(case.id), f"Case {case.number}")
    async with office.signed_in("lee") as lee:
        for method, path, _ in GUARDED:
            url = f"/console{path}"
            for name, value in {**FILLED, "{number}": case.number}.items():
                url = url.replace(name, value)
            for query in ("", f"?q={WORDS}", "?part=row", "?part=rows", "?part=timeline", "?part=list"):
                answer = (
                    await lee.get(url + query)
                    if method == "GET"
                    else await lee.post(url, text="x", queue="legal")
                )
                assert answer.status_code < 500, url
                text = answer.text
                for asked in (f'value="{WORDS}"', f"{WORDS} ·", f"q={WORDS}"):  # said back to who asked
                    text = text.replace(asked, "")
                found = [each for each in secrets if each in text]
                assert found == [], (method, url + query)
                if method == "POST":
                    break
    assert (await office.service.case_after(case.id)).revision == case.revision + 1


async def test_a_queue_that_one_does_not_read_is_not_there(office: Office) -> None:
    async with office.signed_in("lee") as lee:
        assert (await lee.get("/console/queues/orders")).status_code == 404
        assert (await lee.get("/console/queues/nonsense")).status_code == 404
        front = (await lee.get("/console")).text
    assert "Legal" in front
    assert "Orders" not in front


@pytest.mark.parametrize("path", ["quarantine", "dead-letters", "health"])
async def test_operations_are_for_supervisors(office: Office, path: str) -> None:
    async with office.signed_in("ann") as ann:
        assert (await ann.get(f"/console/{path}")).status_code == 404
        assert path not in (await ann.get("/console")).text
    async with office.signed_in("eva") as eva:
        assert (await eva.get(f"/console/{path}")).status_code == 200


async def test_only_a_supervisor_gives_a_case_to_somebody_else(office: Office) -> None:
    case = await office.write("a")
    url = f"/console/queues/orders/{case.number}"
    async with office.signed_in("ann") as ann:
        assert "menu-a" not in (await ann.get(url)).text
        assert (await ann.post(f"{url}/assign", assignee="bo")).status_code == 403
    async with office.signed_in("eva") as eva:
        page = (await eva.get(url)).text
        assert "Bo Lindqvist" in page
        assert "Lee Park" not in page  # does not work in this queue
        assert (await eva.post(f"{url}/assign", assignee="bo")).status_code == 303
    assert (await office.service.case_after(case.id)).assignee == "bo"


async def test_a_file_is_had_by_a_signed_address_of_another_origin_only(office: Office) -> None:
    case = await office.write("a", attached={"photo.png": b"\x89PNG"})
    async with office.signed_in("ann") as ann:
        page = (await ann.get(f"/console/queues/orders/{case.number}")).text
        link = page.split('class="attachment" href="')[1].split('"')[0]
        answer = await ann.get(link)
        assert answer.status_code == 303
        signed = answer.headers["location"]
    assert signed.startswith("http://files.test/")
    async with office.client(office.files, "http://files.test") as stranger:
        assert (await stranger.get(signed)).content == b"\x89PNG"
        office.clock.advance(minutes=20)
        assert (await stranger.get(signed)).status_code == 404
    async with office.signed_in("lee") as lee:
        assert (await lee.get(link)).status_code == 404
