"""Queues and cases over HTTP, and what is done to them."""

from schemas.accounts import Role, Scope
from schemas.ids import derive
from schemas.topics import Topic
from tests.hub.http.company import House


async def test_an_agent_sees_the_cases_of_the_own_queues_only(home: House) -> None:
    await home.case("ann", "orders")
    await home.case("bob", "billing")
    async with home.signed_in("ines") as client:
        listed = (await client.get("/api/v1/cases")).json()
        queues = (await client.get("/api/v1/queues")).json()
    assert [each["subject"] for each in listed["items"]] == ["Subject ann"]
    assert [each["name"] for each in queues] == ["orders"]
    assert queues[0]["open"] == 1


async def test_a_case_of_another_queue_does_not_exist(home: House) -> None:
    case = await home.case("bob", "billing")
    async with home.signed_in("ines") as client:
        by_id = await client.get(f"/api/v1/cases/{case.id}")
        nowhere = await client.get(f"/api/v1/cases/{derive('nowhere')}")
    assert by_id.status_code == nowhere.status_code == 404
    assert by_id.json()["detail"] == nowhere.json()["detail"]


async def test_a_case_is_found_by_its_number_as_a_person_types_it(home: House) -> None:
    case = await home.case("ann")
    async with home.signed_in("ines") as client:
        answer = await client.get(f"/api/v1/cases/{case.number.lower().replace('-', '')}")
    assert answer.json()["id"] == str(case.id)


async def test_an_unchanged_case_is_not_sent_again(home: House) -> None:
    case = await home.case("ann")
    async with home.signed_in("ines") as client:
        first = await client.get(f"/api/v1/cases/{case.id}")
        again = await client.get(
            f"/api/v1/cases/{case.id}", headers={"If-None-Match": f'"0", {first.headers["etag"]}'}
        )
        await client.post(f"/api/v1/cases/{case.id}/claim")
        changed = await client.get(
            f"/api/v1/cases/{case.id}", headers={"If-None-Match": first.headers["etag"]}
        )
    assert (first.status_code, again.status_code, changed.status_code) == (200, 304, 200)
    assert again.content == b""
    assert changed.headers["etag"] == '"2"'


async def test_who_claims_second_is_told_who_was_first(home: House) -> None:
    case = await home.case("ann")
    await home.add_user("olga", {"orders": Role.AGENT})
    async with home.signed_in("ines") as first, home.signed_in("olga") as second:
        claimed = await first.post(f"/api/v1/cases/{case.id}/claim")
        refused = await second.post(f"/api/v1/cases/{case.id}/claim")
        by_tag = await second.post(
            f"/api/v1/cases/{case.id}/notes", json={"text": "x"}, headers={"If-Match": '"1"'}
        )
    assert claimed.json()["assignee"] == "ines"
    assert refused.status_code == 409
    assert refused.json()["now"]["assignee"] == "ines"
    assert by_tag.status_code == 412
    assert by_tag.json()["now"]["sequence"] == 2


async def test_an_etag_that_is_none_is_refused(home: House) -> None:
    case = await home.case("ann")
    async with home.signed_in("ines") as client:
        answer = await client.post(f"/api/v1/cases/{case.id}/claim", headers={"If-Match": "four"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "header.if-match"


async def test_a_key_that_may_only_read_cannot_write(home: House) -> None:
    case = await home.case("ann")
    key = await home.key({"orders": Role.AGENT}, Scope.READ)
    async with home.client(authorization=f"Bearer {key}") as client:
        read = await client.get(f"/api/v1/cases/{case.id}")
        written = await client.post(f"/api/v1/cases/{case.id}/claim")
    assert (read.status_code, written.status_code) == (200, 403)


async def test_pages_lead_to_each_other_and_a_cursor_fits_its_list_only(home: House) -> None:
    for index in range(5):
        await home.case(f"person{index}")
        home.clock.advance(minutes=1)
    async with home.signed_in("ines") as client:
        seen, address = [], "/api/v1/cases?limit=2"
        while address:
            answer = await client.get(address)
            seen += [each["subject"] for each in answer.json()["items"]]
            link = answer.headers.get("link", "")
            address = link[1 : link.index(">")] if link else ""
        first = (await client.get("/api/v1/cases?limit=2")).json()["next"]
        elsewhere = await client.get("/api/v1/cases", params={"after": first, "sort": "newest"})
        made_up = await client.get("/api/v1/cases?after=1.abc")
    assert seen == [f"Subject person{index}" for index in range(5)]
    assert elsewhere.status_code == made_up.status_code == 422


async def test_a_timeline_holds_no_html(home: House) -> None:
    case = await home.case("ann")
    async with home.signed_in("ines") as client:
        entry = (await client.get(f"/api/v1/cases/{case.id}/timeline")).json()["items"][0]
    assert "html" not in entry
    assert entry["has_html"] is True
    assert entry["attachments"][0]["name"] == 'in"voice\r\n.pdf'


async def test_the_explanation_says_why_in_sentences(home: House) -> None:
    case = await home.case("ann")
    await home.routed(case)
    async with home.signed_in("ines") as client:
        answer = await client.get(f"/api/v1/cases/{case.id}/explanation")
    assert answer.json()["sentences"]


async def test_search_finds_cases_of_the_own_queues(home: House) -> None:
    case = await home.case("invoice one", "orders")
    await home.case("invoice two", "billing")
    async with home.signed_in("ines") as client:
        hits = (await client.get("/api/v1/search", params={"q": "invoice"})).json()["items"]
    assert [each["case"] for each in hits] == [str(case.id)]


async def test_a_command_to_a_hidden_case_is_unknown_and_does_nothing(home: House) -> None:
    case = await home.case("bob", "billing")
    async with home.signed_in("ines") as client:
        answer = await client.post(f"/api/v1/cases/{case.id}/notes", json={"text": "hi"})
    assert answer.status_code == 404
    assert await home.events(Topic.CASES) == []
