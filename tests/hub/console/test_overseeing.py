"""What supervisors look at: who is on and with how much, what waits and is stuck, and the trail of a day."""

from datetime import timedelta

from schemas.accounts import Role
from schemas.commands import ClaimCase
from schemas.events import SYSTEM
from tests.hub.console.office import Office
from tests.hub.console.shop import CONFIGURATION


async def test_the_overview_says_who_is_on_at_what_and_what_is_late(office: Office) -> None:
    case = await office.write("a", ago=timedelta(hours=5))
    await office.do("ann", ClaimCase, case)
    async with office.signed_in("ann") as ann, office.signed_in("eva") as eva:
        await ann.http.post(
            f"/console/queues/orders/{case.number}/here", data={"csrf": ann.csrf}, headers={"HX-Request": "true"}
        )  # fmt: skip
        members = {each["user"]: each for each in (await eva.get("/api/v1/team")).json()}
        page = (await eva.get("/console/team")).text
        assert (members["ann"]["is_on"], members["ann"]["open"], members["ann"]["late"]) == (True, 1, 1)
        assert members["ann"]["looks_at"] == [case.number]
        assert (members["bo"]["is_on"], members["bo"]["seen_at"]) == (False, None)
        assert "2 of 4 on" in page
        assert "late in Orders" in page
        office.clock.advance(minutes=30)
        assert not {each["user"]: each for each in (await eva.get("/api/v1/team")).json()}["ann"]["is_on"]
        assert (await ann.get("/console/team")).status_code == 404
        assert (await ann.get("/api/v1/team")).status_code == 403


async def test_the_trail_of_a_day_is_for_administrators(office: Office) -> None:
    await office.context.accounts.users.update("bo", SYSTEM, roles={"*": Role.SUPERVISOR})
    async with office.signed_in("bo") as bo:
        assert "/console/audit" not in (await bo.get("/console/team")).text
        assert (await bo.get("/console/audit")).status_code == 404
        day = office.clock.now().date()
        assert (await bo.get(f"/api/v1/audit/day?day={day}")).status_code == 403
    more = CONFIGURATION.model_copy(update={"automatic_answers_per_day": 1})
    await office.service.company.publish(more, SYSTEM, note="Fewer robots")
    async with office.signed_in("eva") as eva:
        page = (await eva.get("/console/audit")).text
        assert "Fewer robots" in page
        assert "signed in" in page
        only = (await eva.get("/console/audit?who=bo")).text
        assert "Fewer robots" not in only
        assert "Nothing on this day" in (await eva.get("/console/audit?day=2020-01-01")).text
        assert (await eva.get("/console/audit?day=nonsense&who=%00")).status_code == 200
        traces = (await eva.get(f"/api/v1/audit/day?day={day}")).json()["traces"]
        assert traces == sorted(traces, key=lambda each: each["at"], reverse=True)
