"""Persons over HTTP: linked, unlinked, described and exported, each as one fact on the log."""

from uuid import UUID

from schemas.accounts import Role, Scope
from schemas.documents import Handle
from schemas.identity import HandleDescribed, HandlesLinked, HandlesUnlinked
from schemas.ids import derive
from schemas.steps import References, Step
from schemas.topics import Topic
from tests.hub.http.company import House, entry_of

ANN, BOB = derive("handle", "ann"), derive("handle", "bob")


async def links(home: House, handle: UUID) -> list[UUID]:
    found = (await home.engine.load(References(documents={Handle: {handle}}))).documents
    return [link.other for each in found.values() if isinstance(each, Handle) for link in each.links]


async def test_a_person_is_found_by_handle_and_by_address(home: House) -> None:
    case = await home.case("ann")
    async with home.signed_in("ines") as client:
        by_id = await client.get(f"/api/v1/customers/{ANN}")
        by_address = await client.get("/api/v1/customers/ANN@example.net")
    assert by_id.json() == by_address.json()
    assert by_id.json()["name"] == "Ann"
    assert [each["id"] for each in by_id.json()["cases"]] == [str(case.id)]


async def test_a_person_whose_cases_one_does_not_see_does_not_exist(home: House) -> None:
    await home.case("bob", "billing")
    async with home.signed_in("ines") as client:
        for named in (BOB, "bob@example.net", derive("nobody"), "nobody@example.net"):
            assert (await client.get(f"/api/v1/customers/{named}")).status_code == 404


async def test_two_handles_become_one_person_and_two_again(home: House) -> None:
    await home.case("ann")
    await home.case("bob")
    async with home.signed_in("ines") as client:
        linked = await client.post(
            f"/api/v1/customers/{ANN}/links", json={"other": str(BOB), "note": "same phone"}
        )
        again = await client.post(f"/api/v1/customers/{BOB}/links", json={"other": str(ANN)})
        timeline = (await client.get(f"/api/v1/customers/{ANN}/timeline")).json()
        apart = await client.delete(f"/api/v1/customers/{ANN}/links/{BOB}")
        not_linked = await client.delete(f"/api/v1/customers/{ANN}/links/{BOB}")
    assert linked.status_code == again.status_code == apart.status_code == not_linked.status_code == 200
    assert {each["id"] for each in linked.json()["handles"]} == {str(ANN), str(BOB)}
    assert len(linked.json()["cases"]) == 2
    assert {each["text"] for each in timeline["items"]} == {"Message ann", "Message bob"}
    assert [each["id"] for each in apart.json()["handles"]] == [str(ANN)]
    assert not_linked.json() == apart.json()
    told = [each.data for each in await home.events(Topic.IDENTITY)]
    assert [type(each) for each in told] == [HandlesLinked, HandlesUnlinked]
    first = told[0]
    assert isinstance(first, HandlesLinked)
    assert (first.evidence.kind, first.evidence.note, first.actor.id) == ("agent", "same phone", "ines")
    assert await links(home, ANN) == await links(home, BOB) == []


async def test_a_person_is_not_linked_to_one_that_the_agent_does_not_see(home: House) -> None:
    await home.case("ann", "orders")
    await home.case("bob", "billing")
    async with home.signed_in("ines") as client:
        answer = await client.post(f"/api/v1/customers/{ANN}/links", json={"other": str(BOB)})
        itself = await client.post(f"/api/v1/customers/{ANN}/links", json={"other": str(ANN)})
    assert (answer.status_code, itself.status_code) == (404, 422)
    assert await home.events(Topic.IDENTITY) == []


async def test_attributes_are_set_and_removed(home: House) -> None:
    await home.case("ann")
    path = f"/api/v1/customers/{ANN}/attributes"
    async with home.signed_in("ines") as client:
        await client.patch(path, json={"attributes": {"tier": "gold", "shoe": "42"}})
        changed = await client.patch(path, json={"attributes": {"shoe": None}})
        same = await client.patch(path, json={"attributes": {"tier": "gold"}})
        bad = await client.patch(path, json={"attributes": {"No Name": "x"}})
    assert changed.json()["attributes"] == same.json()["attributes"] == {"tier": "gold"}
    assert bad.status_code == 422
    told = await home.events(Topic.IDENTITY)
    assert [type(each.data) for each in told] == [HandleDescribed, HandleDescribed]


async def test_a_key_that_may_only_read_changes_no_person(home: House) -> None:
    await home.case("ann")
    key = await home.key({"*": Role.ADMIN}, Scope.READ)
    async with home.client(authorization=f"Bearer {key}") as client:
        answer = await client.patch(
            f"/api/v1/customers/{ANN}/attributes", json={"attributes": {"tier": "gold"}}
        )
    assert answer.status_code == 403


async def test_an_export_holds_everything_and_is_recorded(home: House) -> None:
    case = await home.case("ann")
    for index in range(250):
        await home.engine.commit(Step(entries=[entry_of(case, derive("more", str(index)), f"more {index}")]))
    async with home.signed_in("ines") as agent, home.signed_in("root") as root:
        refused = await agent.post(f"/api/v1/customers/{ANN}/export")
        exported = await root.post(f"/api/v1/customers/{ANN}/export")
        nobody = await root.post(f"/api/v1/customers/{derive('nobody')}/export")
    assert (refused.status_code, exported.status_code, nobody.status_code) == (403, 200, 404)
    body = exported.json()
    assert body["customer"]["handles"][0]["value"] == "ann@example.net"
    assert len(body["customer"]["cases"]) == 1
    assert len(body["timeline"]) == 251
    assert (await home.audit())[-1] == "customer-exported"
