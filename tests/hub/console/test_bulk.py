"""Many cases at once: each is done by itself, and what is not possible is said by its number."""

from schemas.cases import CaseState
from schemas.commands import ClaimCase, TransferCase
from schemas.documents import Case
from tests.hub.console.office import Office, Visitor


async def bulk(visitor: Visitor, action: str, *cases: Case, place: str = "queues/orders", **more: str) -> str:
    headers = {"HX-Request": "true"}
    data = {"csrf": visitor.csrf, "action": action, "cases": [each.number for each in cases], **more}
    answer = await visitor.http.post(f"/console/{place}/bulk", data=data, headers=headers)
    return answer.text


async def three(office: Office) -> tuple[Case, Case, Case]:
    return (
        await office.write("a"),
        await office.write("b", sender="kim@example.com"),
        await office.write("c", sender="lou@example.com"),
    )


async def states(office: Office, *cases: Case) -> list[CaseState]:
    return [(await office.service.case_after(each.id)).state for each in cases]


async def test_the_chosen_ones_are_resolved_and_taken_back_together(office: Office) -> None:
    first, second, third = await three(office)
    async with office.signed_in("ann") as ann:
        page = await bulk(ann, "resolve", first, second)
        assert "Done to 2 cases." in page
        assert await states(office, first, second, third) == ["resolved", "resolved", "open"]
        assert f'name="cases" value="{second.number}"' in page  # in the form that takes it back
        await bulk(ann, "reopen", first, second)
    assert await states(office, first, second, third) == ["open"] * 3


async def test_who_was_first_is_told_and_the_others_are_taken(office: Office) -> None:
    first, second, _ = await three(office)
    await office.do("bo", ClaimCase, first)
    async with office.signed_in("ann") as ann:
        page = await bulk(ann, "claim", first, second)
    assert f"Done to 1 case. Not to 1: #{first.number}: Bo Lindqvist took this case" in page
    assert (await office.service.case_after(second.id)).assignee == "ann"


async def test_an_action_says_what_it_takes(office: Office) -> None:
    first, second, third = await three(office)
    async with office.signed_in("ann") as ann:
        await bulk(ann, "snooze:tomorrow", first)
        await bulk(ann, "prioritize:urgent", second)
        await bulk(ann, "tag", second, add="vip")
        await bulk(ann, "move:billing", third, place="views/all")
        assert "Not to 1" in await bulk(ann, "move:nowhere", second)
        assert "Not to 1" in await bulk(ann, "snooze:never", second)
    after = [await office.service.case_after(each.id) for each in (first, second, third)]
    assert (after[0].state, after[1].priority, after[1].tags, after[2].queue) == (
        "snoozed",
        "urgent",
        ("vip",),
        "billing",
    )


async def test_cases_of_other_queues_and_other_actions_are_not_there(office: Office) -> None:
    case = await office.write("a")
    await office.do("eva", TransferCase, case, queue="legal")
    async with office.signed_in("ann") as ann:
        assert "there is no such case" in await bulk(ann, "resolve", case)
        assert await states(office, case) == ["open"]
        data = {"csrf": ann.csrf, "action": "settle:sent", "cases": case.number}
        assert (await ann.http.post("/console/queues/orders/bulk", data=data)).status_code == 404
        nothing = await ann.http.post(
            "/console/queues/orders/bulk", data={"csrf": ann.csrf, "action": "resolve"}
        )
        assert nothing.status_code == 422
