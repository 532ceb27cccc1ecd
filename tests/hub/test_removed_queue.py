"""A queue taken out of the configuration is seen for as long as cases wait in it."""

from schemas.commands import ResolveCase
from schemas.configuration import Configuration
from schemas.events import SYSTEM
from tests.hub.test_flow import MIA, OPERATOR, TOM, Flow, flow

__all__ = ["flow"]


async def test_cases_of_a_removed_queue_are_counted_and_found_until_none_waits(flow: Flow) -> None:
    await flow.receive("a")
    await flow.settle()
    (case,) = await flow.cases()
    await flow.company.publish(Configuration(), SYSTEM)
    assert [view.name for view in await flow.service.queues(OPERATOR)] == ["inbox", "billing"]
    assert [view.count.open for view in await flow.service.queues(MIA)] == [1]
    assert [view.name for view in await flow.service.queues(TOM)] == ["inbox"]
    await flow.do(MIA, ResolveCase, case)
    assert [view.name for view in await flow.service.queues(OPERATOR)] == ["inbox"]
