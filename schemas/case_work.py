"""Changes of a case by those who work on it: where it belongs, who has it, when it is due, and what it becomes."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from schemas.cases import CaseEvent, RoutingDecision
from schemas.configuration import Priority
from schemas.events import event_type


@event_type
class CaseRouted(CaseEvent):
    type: ClassVar[str] = "hubbub.case.routed"

    queue: str
    priority: Priority
    tags: tuple[str, ...] = ()
    due_at: datetime | None = Field(
        default=None, description="first response due, in the queue's business hours"
    )
    decision: RoutingDecision


@event_type
class CaseReopened(CaseEvent):
    type: ClassVar[str] = "hubbub.case.reopened"

    reason: str
    waits_again: bool = Field(
        default=False, description="it was resolved without an answer: the customer waits as before"
    )
    waits_from: datetime | None = Field(
        default=None, description="the answer did not arrive: the customer waits again, from then on"
    )


@event_type
class CaseClaimed(CaseEvent):
    type: ClassVar[str] = "hubbub.case.claimed"

    assignee: str


@event_type
class CaseAssigned(CaseEvent):
    """Given to somebody by somebody, or to nobody (None)."""

    type: ClassVar[str] = "hubbub.case.assigned"

    assignee: str | None


@event_type
class CaseSnoozed(CaseEvent):
    type: ClassVar[str] = "hubbub.case.snoozed"

    until: datetime


@event_type
class CaseWoken(CaseEvent):
    type: ClassVar[str] = "hubbub.case.woken"

    reason: str = "time"


@event_type
class CaseResolved(CaseEvent):
    type: ClassVar[str] = "hubbub.case.resolved"


@event_type
class CaseTagged(CaseEvent):
    type: ClassVar[str] = "hubbub.case.tagged"

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@event_type
class CasePrioritized(CaseEvent):
    type: ClassVar[str] = "hubbub.case.prioritized"

    priority: Priority


@event_type
class CaseTransferred(CaseEvent):
    type: ClassVar[str] = "hubbub.case.transferred"

    queue: str
    due_at: datetime | None = None


@event_type
class CaseMerged(CaseEvent):
    """This case is read and answered in another one from now on; its messages follow there."""

    type: ClassVar[str] = "hubbub.case.merged"

    into: UUID


@event_type
class CaseAbsorbed(CaseEvent):
    """Another case was merged into this one."""

    type: ClassVar[str] = "hubbub.case.absorbed"

    absorbed: UUID
    participants: tuple[UUID, ...] = ()
    brought: tuple[UUID, ...] = Field(default=(), description="entries of others that the absorbed one had")
    earlier: tuple[UUID, ...] = Field(
        default=(), description="cases that had been merged into the absorbed one before"
    )
    steps: int = Field(
        default=0, description="how far the absorbed case had counted the changes of its entries"
    )
    waiting_since: datetime | None = Field(
        default=None, description="since when the absorbed case's customer waits for an answer"
    )
    due_at: datetime | None = Field(default=None, description="when the absorbed case's first answer is due")


@event_type
class CaseSplit(CaseEvent):
    """Messages of this case go on in another one; they stay where they were written."""

    type: ClassVar[str] = "hubbub.case.split"

    into: UUID
    number: str
    entries: tuple[UUID, ...]


@event_type
class CaseSpamMarked(CaseEvent):
    type: ClassVar[str] = "hubbub.case.spam-marked"

    keeps_wait: bool = Field(
        default=False, description="how the customer waits is kept for when the mark is taken back"
    )


@event_type
class CaseSpamCleared(CaseEvent):
    type: ClassVar[str] = "hubbub.case.spam-cleared"

    waits_again: bool = Field(default=False, description="the customer waits as before the mark")


@event_type
class CaseOverdue(CaseEvent):
    """The first response did not come in time."""

    type: ClassVar[str] = "hubbub.case.overdue"

    due_at: datetime


@event_type
class CaseScheduled(CaseEvent):
    """An automation comes back to this case later."""

    type: ClassVar[str] = "hubbub.case.scheduled"

    automation: str
    due_at: datetime


@event_type
class CaseScheduleReached(CaseEvent):
    type: ClassVar[str] = "hubbub.case.schedule-reached"

    automation: str
