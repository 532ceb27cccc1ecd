"""Saved views: a filter that is an address, kept under a name, one's own or everybody's, opened by its number."""

import re

import pytest

from hub.saved_views import OWN_AT_MOST
from schemas.accounts import Principal, Role
from schemas.cases import CaseState
from schemas.commands import ClaimCase, PrioritizeCase
from schemas.configuration import Priority
from schemas.errors import Forbidden, Invalid, Unknown
from schemas.saved_views import ViewFilter
from tests.hub.console.office import Office
from tests.hub.console.shop import BOSS

ANN = Principal(kind="agent", id="ann", roles={"orders": Role.AGENT, "billing": Role.AGENT})
LEE = Principal(kind="agent", id="lee", roles={"legal": Role.AGENT})


async def test_a_view_holds_what_its_filter_says_to_whoever_looks(office: Office) -> None:
    urgent = await office.write("a")
    await office.do("ann", PrioritizeCase, urgent, priority=Priority.URGENT)
    mine = await office.write("b", sender="bea@example.com")
    await office.do("ann", ClaimCase, mine)
    views = office.context.saved_views
    hot = await views.save(BOSS, "  Hot \n ones ", ViewFilter(priorities=(Priority.URGENT,)), shared=True)
    own = await views.save(ANN, "Mine", ViewFilter(assignee="me", queues=("orders",)), shared=False)
    free = await views.save(ANN, "Free", ViewFilter(assignee="nobody"), shared=False)
    assert hot.title == "Hot ones"
    assert [each.title for each in await views.seen_by(ANN)] == ["Mine", "Free", "Hot ones"]
    assert list(await views.counts(ANN, [own, free, hot])) == [1, 1, 1]
    assert [each.title for each in await views.seen_by(LEE)] == ["Hot ones"]
    assert list(await views.counts(LEE, [hot])) == [0]  # of a queue that lee does not read
    with pytest.raises(Unknown):
        await views.get(LEE, own.id)


async def test_views_of_everybody_are_for_supervisors_and_there_is_room_for_so_many(office: Office) -> None:
    views = office.context.saved_views
    with pytest.raises(Forbidden):
        await views.save(ANN, "For all", ViewFilter(), shared=True)
    shared = await views.save(BOSS, "For all", ViewFilter(), shared=True)
    for refused in (views.remove(ANN, shared.id), views.change(ANN, shared.id, title="Mine now")):
        with pytest.raises(Forbidden):
            await refused
    for title in ("", "x" * 61):
        with pytest.raises(Invalid):
            await views.save(ANN, title, ViewFilter(), shared=False)
    with pytest.raises(Invalid):
        await views.save(ANN, "x", ViewFilter(sort="colour"), shared=False)
    for number in range(OWN_AT_MOST):
        await views.save(ANN, f"View {number}", ViewFilter(), shared=False)
    with pytest.raises(Invalid, match="not saved"):
        await views.save(ANN, "One more", ViewFilter(), shared=False)


async def test_the_order_is_ones_own(office: Office) -> None:
    views = office.context.saved_views
    made = [await views.save(ANN, title, ViewFilter(), shared=False) for title in "abc"]
    await views.change(ANN, made[2].id, before=made[0].id)
    assert [each.title for each in await views.seen_by(ANN)] == ["c", "a", "b"]
    again = await views.save(ANN, "a", ViewFilter(), shared=False, request="the same request")
    twice = await views.save(ANN, "a", ViewFilter(), shared=False, request="the same request")
    assert again.id == twice.id


async def test_a_list_is_narrowed_by_its_address_and_saved_with_a_number(office: Office) -> None:
    urgent = await office.write("a", subject="Hot")
    await office.do("ann", PrioritizeCase, urgent, priority=Priority.URGENT)
    await office.write("b", subject="Cold", sender="bea@example.com")
    async with office.signed_in("ann") as ann:
        narrowed = (
            await ann.get("/console/views/all?priorities=urgent&states=open&states=waiting&colour=x")
        ).text
        assert "Hot" in narrowed
        assert "Cold" not in narrowed
        saved = await ann.post("/console/saved-views", title="On fire", priorities="urgent", sort="due")
        location = saved.headers["location"]
        assert location.startswith("/console/views/all?sort=due&priorities=urgent&view=")
        page = (await ann.get(location)).text
        assert re.search(r'data-number="1" title="On fire \(1\)"[^>]* aria-current="page"', page)
        assert "<bdi>On fire</bdi></h1>" in page
        case = await ann.get(f"/console/views/all/{urgent.number}?{location.partition('?')[2]}")
        assert case.status_code == 200
        listed = (await ann.get("/console/account/views")).text
        assert "Urgent" in listed
        id = location.rpartition("view=")[2]
        assert (await ann.post(f"/console/account/views/{id}", action="share")).status_code == 422
        await ann.post(f"/console/account/views/{id}", action="remove")
        assert "On fire" not in (await ann.get("/console/account/views")).text
        assert (await ann.get(location)).status_code == 200  # the address goes on
    assert (await office.service.case(BOSS, urgent.id)).state is CaseState.OPEN


async def test_the_same_by_the_api(office: Office) -> None:
    await office.write("a")
    async with office.signed_in("ann") as ann:
        ann.http.headers["X-CSRF-Token"] = ann.csrf
        body = {"title": "Orders", "filter": {"queues": ["orders", "legal"]}}
        made = (await ann.http.post("/api/v1/views", json=body)).json()
        assert made["count"] == 1
        cases = (await ann.get(f"/api/v1/views/{made['id']}/cases")).json()["items"]
        assert len(cases) == 1
        changed = await ann.http.patch(f"/api/v1/views/{made['id']}", json={"filter": {"queues": ["legal"]}})
        assert changed.json()["count"] == 0
        assert (await ann.http.patch(f"/api/v1/views/{made['id']}", json={"shared": True})).status_code == 403
        assert (await ann.http.delete(f"/api/v1/views/{made['id']}")).status_code == 204
        assert (await ann.get("/api/v1/views")).json() == []
