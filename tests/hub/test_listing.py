"""Lists begin with who waits longest; those who wait for nothing come last."""

from datetime import timedelta

import pytest

from hub.case_lists import CaseFilter
from schemas.commands import ReplyToCase
from tests.hub.test_flow import MIA, OPERATOR, Flow, flow

__all__ = ["flow"]


@pytest.mark.parametrize("sort", ["waiting", "priority"])
async def test_an_answered_case_stands_behind_those_who_wait(flow: Flow, sort: str) -> None:
    for name in ("answered", "older", "newer"):
        await flow.receive(name)
        await flow.settle()
        flow.clock.time += timedelta(minutes=1)
    by_name = {case.conversation: case for case in await flow.cases()}
    await flow.do(MIA, ReplyToCase, by_name["mail:answered"], text="Here it is.")
    found = []
    after = None
    while True:
        page = await flow.service.cases(OPERATOR, CaseFilter(sort=sort), limit=1, after=after)
        found += [case.conversation for case in page.items]
        if (after := page.next) is None:
            break
    assert found == ["mail:older", "mail:newer", "mail:answered"]
