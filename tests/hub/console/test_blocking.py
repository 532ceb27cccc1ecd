"""Blocked senders: kept, routed nowhere, counted as ignored, and heard again when somebody says so."""

import pytest

from hub.http.context import AppContext
from schemas.accounts import Principal, Role
from schemas.blocking import block_id
from schemas.cases import CaseState
from schemas.collections import CASES
from schemas.commands import MarkSpam
from schemas.errors import Forbidden, Invalid
from schemas.steps import START, OutcomeKind, Query
from tests.hub.console.office import Office
from tests.hub.console.shop import BOSS

ANN = Principal(kind="agent", id="ann", roles={"orders": Role.AGENT})


async def cases(context: AppContext) -> int:
    return await context.engine.count(Query(CASES))


async def unheard(office: Office, name: str, subject: str = "Hello", text: str = "Hello") -> None:
    """A message comes in, and no case has it."""
    with pytest.raises(KeyError):
        await office.write(name, subject, text)


async def test_what_a_blocked_sender_writes_is_kept_and_opens_no_case(office: Office) -> None:
    case = await office.write("a")
    block = await office.context.blocks.block_writer(ANN, case)
    await unheard(office, "b", "Buy now", "Cheap pills")
    assert await cases(office.context) == 1
    [held] = (await office.context.blocks.held(block.id)).items
    assert (held.sender, held.subject, held.excerpt) == ("mara@example.com", "Buy now", "Cheap pills")
    [outcome] = [each for each in await ignored(office) if "blocked" in each]
    assert "mara@example.com" in outcome


async def ignored(office: Office) -> list[str]:
    found = await office.engine.outcomes("cases", START, 100)
    return [each.reason for each in found if each.kind is OutcomeKind.IGNORED]


async def test_unblocked_with_what_was_held_it_comes_in_as_if_it_were_new(office: Office) -> None:
    case = await office.write("a")
    blocks = office.context.blocks
    block = await blocks.block_writer(ANN, case)
    await unheard(office, "b", "Sorry", "It was me")
    assert await blocks.unblock(ANN, block.id, release=True) == 1  # who blocked may take it back
    await office.settle()
    assert await cases(office.context) == 2
    assert (await blocks.held(block.id)).items == []
    assert [line async for line in office.context.verifier.verify()][-1]["result"] == "whole"


async def test_a_domain_is_blocked_as_a_whole_by_supervisors_but_none_that_everybody_uses(
    office: Office,
) -> None:
    blocks = office.context.blocks
    with pytest.raises(Forbidden):
        await blocks.block(ANN, "domain", "example.com")
    for value in ("gmail.com", "nothing", "a b.example", ""):
        with pytest.raises(Invalid):
            await blocks.block(BOSS, "domain", value)
    await blocks.block(BOSS, "domain", "@Example.COM")
    await unheard(office, "a")
    assert await cases(office.context) == 0
    await blocks.unblock(BOSS, block_id("domain", "example.com"), release=True)
    await office.settle()
    assert await cases(office.context) == 1


async def test_whose_cases_were_spam_are_suggested_until_they_are_blocked(office: Office) -> None:
    case = await office.write("a")
    assert await office.context.blocks.suggestions() == []
    await office.do("ann", MarkSpam, case)
    [suggested] = await office.context.blocks.suggestions()
    assert (suggested.scheme, suggested.value, suggested.cases) == ("email", "mara@example.com", 1)
    await office.context.blocks.block_writer(ANN, case)
    assert await office.context.blocks.suggestions() == []


async def test_a_supervisor_sees_the_list_and_an_agent_blocks_from_a_case(office: Office) -> None:
    case = await office.write("a")
    url = f"/console/queues/orders/{case.number}"
    async with office.signed_in("ann") as ann, office.signed_in("eva") as eva:
        blocked = await ann.part(f"{url}/block")
        assert "What they write from now on is kept and goes nowhere." in blocked.text
        assert (await ann.get("/console/blocked")).status_code == 404
        await unheard(office, "b", "Buy now")
        page = (await eva.get("/console/blocked")).text
        assert "mara@example.com" in page
        one = await eva.get(f"/console/blocked/{block_id('email', 'mara@example.com')}")
        assert "Buy now" in one.text
        refused = await eva.post("/console/blocked", scheme="domain", value="gmail.com")
        assert refused.status_code == 422
        await eva.post(f"/console/blocked/{block_id('email', 'mara@example.com')}/unblock", release="1")
        await office.settle()
        assert await cases(office.context) == 2
    assert (await office.service.case(BOSS, case.id)).state is CaseState.SPAM
