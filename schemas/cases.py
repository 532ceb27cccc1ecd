"""What every change of a case says. A case is exactly the fold of these events (`processors.cases.evolve`), which are declared in
`case_messages` and `case_work`."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from schemas.configuration import Priority
from schemas.enums import Choice
from schemas.events import Actor, Frozen, Payload, Personal
from schemas.topics import Topic


class CaseState(Choice):
    OPEN = "open"
    WAITING = "waiting"  # answered; the customer's turn
    SNOOZED = "snoozed"
    RESOLVED = "resolved"
    SPAM = "spam"
    MERGED = "merged"


class RuleOutcome(Frozen):
    """How one rule went. `clauses` has one letter a clause in reading order: t true, f false, - not looked at."""

    rule: str
    matched: bool
    clauses: str


class RoutingDecision(Frozen):
    """Why the case is where it is: enough to explain it clause by clause, for ever, without asking anything else.

    `facts` holds the value of each field that a clause looked at; with the configuration's version and `outcomes` it
    gives "subject contains 'refund': no, it is 'Order 123'".
    """

    configuration: int
    rule: str | None = Field(
        description="the rule that chose the queue; None: the hint of the form, or the default queue"
    )
    reason: str = Field(default="rule", description="rule, hint, default, agent or automation")
    outcomes: tuple[RuleOutcome, ...] = ()
    facts: dict[str, str | int | bool | list[str]] = Field(
        default_factory=dict, json_schema_extra={"x-personal": True}
    )


class Timer(Frozen):
    """Something due for a case. `name` is unique in the case: snooze, first-response, send:<message>, automation:<name>."""

    name: str
    due_at: datetime
    chain: tuple[str, ...] = Field(
        default=(), description="the automations that led to it: what it brings about follows from them"
    )


class CaseSummary(Frozen):
    """The case after the event, for those who subscribe and keep no state of their own."""

    number: str
    brand: str
    channel: str
    account: str
    state: CaseState
    queue: str
    priority: Priority
    tags: tuple[str, ...]
    assignee: str | None
    subject: Personal
    language: str
    handle: UUID
    waiting_since: datetime | None
    due_at: datetime | None


class CaseEvent(Payload):
    topic: ClassVar[Topic] = Topic.CASES

    case: UUID
    actor: Actor
    after: CaseSummary | None = None
