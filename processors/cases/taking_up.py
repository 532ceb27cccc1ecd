"""What is the same whenever somebody answers a case: whether it may be, and whose it is from then on."""

from datetime import datetime

from processors.cases.work import MOST_PENDING, Work
from schemas.case_work import CaseClaimed, CaseReopened
from schemas.cases import CaseState
from schemas.documents import Case
from schemas.errors import Invalid
from schemas.events import Actor
from schemas.sentences import said

AGENT = "agent"


def must_be_answerable(case: Case) -> None:
    """Raises Invalid."""
    if case.state is CaseState.SPAM:
        raise Invalid(
            said("case {number} is marked as spam", number=case.number),
            {"case": "clear the mark before you answer"},
        )


def must_have_room(case: Case, send_at: datetime | None) -> None:
    """Raises Invalid where one more that leaves later would be too many."""
    if send_at is not None and len(case.pending) >= MOST_PENDING:
        raise Invalid(
            said("case {number} has {n} answers that leave later", number=case.number, n=MOST_PENDING),
            {"send_at": "cancel one first"},
        )


def taken(work: Work, case: Case, by: Actor) -> Case:
    """A case that nobody has is the agent's who answers it."""
    if case.assignee is not None or by.kind != AGENT:
        return case
    return work.emit(case, CaseClaimed(case=case.id, actor=by, assignee=by.id))


def taken_up(work: Work, case: Case, by: Actor) -> Case:
    """The same, and opened again where nobody was to look at it."""
    case = taken(work, case, by)
    if case.state not in (CaseState.RESOLVED, CaseState.SNOOZED):
        return case
    return work.emit(case, CaseReopened(case=case.id, actor=by, reason="answered again"))
