"""An answer of a person that did not reach the customer brings its case back: who believes to be done would never look again."""

from uuid import UUID

from processors.cases.work import Work
from schemas.case_work import CaseReopened, CaseWoken
from schemas.cases import CaseState
from schemas.documents import Case, Delivery
from schemas.events import SYSTEM
from schemas.outbound import DeliveryState

REASONS = {
    DeliveryState.FAILED: "an answer did not leave",
    DeliveryState.UNKNOWN: "nobody knows whether an answer left",
    DeliveryState.BOUNCED: "an answer came back",
}


def told(work: Work, case: Case, message: UUID, state: DeliveryState) -> Case:
    """The case, opened again or woken. Automatic answers bring nobody back: nobody counts on them."""
    reason = REASONS.get(state)
    delivery = work.get(Delivery, message)
    if reason is None or delivery is None or delivery.message.automatic:
        return case
    if case.state in (CaseState.RESOLVED, CaseState.WAITING):
        event = CaseReopened(case=case.id, actor=SYSTEM, reason=reason, waits_from=work.facts.now)
        return work.emit(case, event)
    if case.state is CaseState.SNOOZED:
        return work.emit(case, CaseWoken(case=case.id, actor=SYSTEM, reason=reason))
    return case
