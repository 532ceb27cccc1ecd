"""What others' new cases cost a stream: nothing but reading that they are not for it."""

from types import SimpleNamespace
from typing import cast

from hub.http.context import AppContext
from hub.http.live import _shown
from schemas.accounts import Principal, Role
from schemas.case_work import CaseRouted, CaseTransferred
from schemas.cases import CaseState, CaseSummary
from schemas.configuration import Priority
from schemas.events import SYSTEM, Event
from schemas.ids import derive
from schemas.steps import Record
from schemas.topics import Topic
from tests.hub.http.company import NO_DECISION
from tests.support.clock import MONDAY_MORNING

READER = Principal(kind="agent", id="lee", roles={"legal": Role.AGENT})
CASE = derive("case")
AFTER = CaseSummary(
    number="7K3M9-Q2XAB",
    brand="default",
    channel="email",
    account="support",
    state=CaseState.OPEN,
    queue="orders",
    priority=Priority.NORMAL,
    tags=(),
    assignee=None,
    subject="Where is it?",
    language="en",
    handle=derive("handle"),
    waiting_since=None,
    due_at=None,
)


class Looking:
    """An engine that counts how often the history of a case is read."""

    def __init__(self) -> None:
        self.scans = 0

    async def scan(self, *_: object) -> list[Record]:
        self.scans += 1
        return []


def record(data: CaseRouted | CaseTransferred, sequence: int) -> Record:
    event = Event(
        derive("event"), str(CASE), MONDAY_MORNING, data, "/hub/cases", derive("cause"), sequence=sequence
    )
    return Record("9", event, event.id, event.type, event.key, Topic.CASES, b"")


async def test_a_new_case_of_another_queue_is_not_looked_up() -> None:
    engine = Looking()
    context = cast(AppContext, SimpleNamespace(engine=engine))
    routed = CaseRouted(
        case=CASE, actor=SYSTEM, after=AFTER, queue="orders", priority=Priority.NORMAL, decision=NO_DECISION
    )
    assert await _shown(context, READER, record(routed, 2)) is None
    assert engine.scans == 0
    moved = CaseTransferred(case=CASE, actor=SYSTEM, after=AFTER, queue="orders")
    assert await _shown(context, READER, record(moved, 3)) is None
    assert engine.scans == 1
