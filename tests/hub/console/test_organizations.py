"""Organizations: people by the domain of their mail or by hand, the cases that each agent may see, attributes and consents."""

import json

import pytest

from processors.attributes import fits
from schemas.accounts import Principal, Role
from schemas.commands import TransferCase
from schemas.configuration import AttributeType, PersonAttribute
from schemas.documents import Handle
from schemas.errors import Forbidden, Invalid, Unknown
from schemas.events import SYSTEM
from schemas.steps import References
from tests.hub.console.office import Office
from tests.hub.console.shop import BOSS

ANN = Principal(kind="agent", id="ann", roles={"orders": Role.AGENT, "billing": Role.AGENT})


async def test_people_belong_by_domain_or_by_hand_and_by_nothing_that_everybody_has(office: Office) -> None:
    made = office.context.organizations
    mara = await office.write("a", sender="mara@acme.example")
    kim = await office.write("b", sender="kim@gmail.com", sender_name="Kim")
    acme = await made.create(BOSS, " Acme  Ltd ", ["@ACME.example"])
    assert (acme.name, acme.domains) == ("Acme Ltd", ("acme.example",))
    await made.put(ANN, kim.handle, acme.id)
    view = await made.view(BOSS, acme.id)
    assert {each.value for each in view.people} == {"mara@acme.example", "kim@gmail.com"}
    assert view.by_hand == {kim.handle}
    assert {each.number for each in view.cases.items} == {mara.number, kim.number}
    await made.put(ANN, mara.handle, None)  # left the company, kept the address
    assert [each.value for each in (await made.view(BOSS, acme.id)).people] == ["kim@gmail.com"]
    for domain in ("gmail.com", "acme", "a@b.example", "192.0.2.1"):
        with pytest.raises(Invalid):
            await made.create(BOSS, "X", [domain])
    with pytest.raises(Invalid, match="nothing was changed") as taken:
        await made.create(BOSS, "Other", ["acme.example"])
    assert "belongs to another" in taken.value.problems["domains"]
    with pytest.raises(Forbidden):
        await made.create(ANN, "X")


async def test_an_agent_sees_the_people_of_whom_cases_are_theirs(office: Office) -> None:
    made = office.context.organizations
    await office.write("a", sender="mara@acme.example")
    hidden = await office.write("b", sender="eli@acme.example")
    await office.do("eva", TransferCase, hidden, queue="legal")
    acme = await made.create(BOSS, "Acme", ["acme.example"])
    assert [each.value for each in (await made.view(ANN, acme.id)).people] == ["mara@acme.example"]
    assert len((await made.view(BOSS, acme.id)).people) == 2
    with pytest.raises(Unknown):
        await made.put(ANN, hidden.handle, acme.id)


async def test_they_are_found_changed_and_removed(office: Office) -> None:
    made = office.context.organizations
    case = await office.write("a", sender="mara@acme.example")
    acme = await made.create(BOSS, "Acme", ["acme.example"], request="once")
    assert (await made.create(BOSS, "Acme", ["acme.example"], request="once")).id == acme.id
    await made.create(BOSS, "Bolt", ["bolt.example"])
    for words in ("ac", "ACME.example", "@acme.example"):
        assert [each.name for each in (await made.find(words)).items] == ["Acme"]
    assert len((await made.find()).items) == 2
    changed = await made.change(BOSS, acme.id, domains=["acme.test"], attributes={"tier": "gold"})
    assert (changed.domains, changed.attributes) == (("acme.test",), {"tier": "gold"})
    found = await office.engine.load(References(documents={Handle: {case.handle}}))
    handle = found.documents[case.handle]
    assert isinstance(handle, Handle)
    assert await made.of([handle]) is None
    await made.change(BOSS, acme.id, domains=["acme.example"])
    known = await made.of([handle])
    assert known is not None
    assert known.id == acme.id
    await made.remove(BOSS, acme.id)
    assert await made.of([handle]) is None
    await made.create(BOSS, "Acme again", ["acme.example"])  # the domain is free


async def test_the_same_by_the_api(office: Office) -> None:
    case = await office.write("a", sender="mara@acme.example")
    async with office.signed_in("eva") as eva, office.signed_in("ann") as ann:
        for each in (eva, ann):
            each.http.headers["X-CSRF-Token"] = each.csrf
        body = {"name": "Acme", "domains": ["acme.example"]}
        assert (await ann.http.post("/api/v1/organizations", json=body)).status_code == 403
        made = (await eva.http.post("/api/v1/organizations", json=body)).json()
        shown = (await ann.get(f"/api/v1/organizations/{made['id']}")).json()
        assert [each["value"] for each in shown["people"]] == ["mara@acme.example"]
        assert [each["number"] for each in shown["cases"]] == [case.number]
        out = await ann.http.put(f"/api/v1/customers/{case.handle}/organization", json={"organization": None})
        assert out.status_code == 204
        assert (await ann.get(f"/api/v1/organizations/{made['id']}")).json()["people"] == []
        assert len((await ann.get("/api/v1/organizations?q=acm")).json()["items"]) == 1
        assert (await eva.http.delete(f"/api/v1/organizations/{made['id']}")).status_code == 204
        assert json.loads((await ann.get("/api/v1/organizations")).text)["items"] == []


async def test_beside_a_case_stand_the_organization_what_is_noted_and_what_was_agreed(office: Office) -> None:
    case = await office.write("a", sender="mara@acme.example")
    wanted = office.service.company.current.configuration.model_copy(update={"person_attributes": ATTRIBUTES})
    await office.service.company.publish(wanted, SYSTEM)
    url = f"/console/queues/orders/{case.number}"
    async with office.signed_in("ann") as ann, office.signed_in("eva") as eva:
        assert "/console/organizations?domain=acme.example" in (await eva.get(url)).text
        made = await eva.post("/console/organizations", name="Acme", domains="acme.example")
        page = (await ann.get(url)).text
        assert f'<a href="{made.headers["location"]}"><bdi>Acme</bdi></a>' in page
        assert "Export everything" not in page
        noted = await ann.part(f"{url}/describe", **{"attribute-seats": "12.5", "attribute-tier": "gold"})
        assert "Noted." in noted.text
        wrong = await ann.post(f"{url}/describe", **{"attribute-seats": "many", "attribute-tier": "gold"})
        assert (wrong.status_code, "write a number" in wrong.text) == (422, True)
        nowhere = await ann.part(f"{url}/belong", organization="")
        assert ">Acme<" not in nowhere.text
        unknown = await ann.post(f"{url}/belong", organization="Nobody Ltd")
        assert unknown.status_code == 422
        await ann.part(f"{url}/belong", organization="acm")
        one = (await ann.get(made.headers["location"])).text
        assert "mara@acme.example" in one
        assert case.number in one
        found = (await ann.get("/console/search?q=acme")).text
        assert made.headers["location"] in found
        refused = await ann.post("/console/organizations", name="Other")
        assert refused.status_code == 404
        everything = await eva.post(f"{url}/export")
        assert everything.headers["content-disposition"].startswith("attachment")
        assert json.loads(everything.text)["customer"]["attributes"] == {"seats": "12.5", "tier": "gold"}


ATTRIBUTES = (
    PersonAttribute(name="seats", title="Seats", type=AttributeType.NUMBER),
    PersonAttribute(name="tier", title="Tier", type=AttributeType.CHOICE, choices=("gold", "silver")),
)


@pytest.mark.parametrize(
    ("type", "right", "wrong"),
    [
        ("number", ("1", "-2.5", "1e3"), ("", "x", "nan", "inf", "１")),
        ("date", ("2026-12-31",), ("2026-13-01", "20261231", "soon")),
        ("yes-no", ("yes", "no"), ("maybe", "Yes")),
        ("text", ("anything", ""), ()),
    ],
)
def test_what_is_noted_is_of_its_type(type: str, right: tuple[str, ...], wrong: tuple[str, ...]) -> None:
    attribute = PersonAttribute(name="x", type=AttributeType(type))
    assert [each for each in right if not fits(attribute, each)] == []
    assert [each for each in wrong if fits(attribute, each)] == []
