"""Every change of a case. A case is exactly the fold of these events (`processors.cases.evolve`)."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from schemas.configuration import Priority
from schemas.enums import Choice
from schemas.events import Actor, Frozen, Payload, Personal, event_type
from schemas.interactions import Participant
from schemas.outbound import ChangeKind, DeliveryState, OutboundMessage
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


class MessageEvent(CaseEvent):
    """A case event made by an interaction; its timeline entry is the message itself."""

    interaction: UUID
    handle: UUID = Field(description="who wrote, for ever; the customer is looked up when read")
    participants: tuple[UUID, ...] = Field(
        default=(), description="handles that take part in the conversation by this message"
    )
    external_id: str
    received_at: datetime | None = Field(
        default=None, description="when the message came, which may be long before it is decided"
    )
    reply_recipients: tuple[Participant, ...] = Field(default=(), description="to whom an answer goes now")
    automatic: bool = Field(
        default=False, description="written by a machine: neither reopens nor waits for an answer"
    )


@event_type
class CaseOpened(MessageEvent):
    type: ClassVar[str] = "hubbub.case.opened"

    number: str
    brand: str
    channel: str
    account: str
    conversation: str
    subject: Personal
    language: str
    related: UUID | None = Field(default=None, description="an older case that this one follows up")


@event_type
class CaseStarted(CaseEvent):
    """We wrote first: the message is the `CaseReplied` that follows."""

    type: ClassVar[str] = "hubbub.case.started"

    number: str
    brand: str
    channel: str
    account: str
    conversation: str
    handle: UUID = Field(description="to whom we wrote; the customer is looked up when read")
    queue: str
    subject: Personal
    language: str
    reply_recipients: tuple[Participant, ...] = ()
    related: UUID | None = Field(default=None, description="the case that it was split off from")
    brought: tuple[UUID, ...] = Field(default=(), description="entries of that case which are read here, too")
    waiting_since: datetime | None = None
    due_at: datetime | None = None


@event_type
class CaseReceived(MessageEvent):
    """A message joined the case."""

    type: ClassVar[str] = "hubbub.case.received"

    joined_by: str = Field(
        default="thread", description="token, thread, number: how it was known to belong here"
    )


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
class CaseReplied(CaseEvent):
    """An answer was written. With `send_at` it leaves then, and can be taken back before."""

    type: ClassVar[str] = "hubbub.case.replied"

    message: OutboundMessage
    send_at: datetime | None = None
    template: str | None = None
    participants: tuple[UUID, ...] = Field(
        default=(), description="handles of those it goes to: who of them answers is known to the case"
    )
    interaction: UUID | None = Field(
        default=None, description="the message that an automation answers by it, which need not be the last"
    )


@event_type
class CaseSendReleased(CaseEvent):
    """The time of a scheduled answer came: it goes to outbound now."""

    type: ClassVar[str] = "hubbub.case.send-released"

    message: UUID


@event_type
class CaseReplyCancelled(CaseEvent):
    type: ClassVar[str] = "hubbub.case.reply-cancelled"

    message: UUID


@event_type
class CaseNoted(CaseEvent):
    """A note that only the team sees."""

    type: ClassVar[str] = "hubbub.case.noted"

    text: Personal


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


@event_type
class CaseSpamCleared(CaseEvent):
    type: ClassVar[str] = "hubbub.case.spam-cleared"


@event_type
class CaseOverdue(CaseEvent):
    """The first response did not come in time."""

    type: ClassVar[str] = "hubbub.case.overdue"

    due_at: datetime


@event_type
class CaseChangeAsked(CaseEvent):
    """An answer that was sent is to read otherwise, or to be taken back, or a customer's message is to be hidden
    (`message.change`). The channel has still to do it."""

    type: ClassVar[str] = "hubbub.case.change-asked"

    kind: ChangeKind
    message: OutboundMessage


@event_type
class CaseWentPrivate(CaseEvent):
    """Who wrote in public is answered alone by the message before, and from now on."""

    type: ClassVar[str] = "hubbub.case.went-private"

    message: UUID = Field(description="the private answer")
    account: str
    conversation: str
    public: OutboundMessage | None = Field(
        default=None, description="what is said in public once the private answer was sent; without an id yet"
    )


@event_type
class CaseWentPublic(CaseEvent):
    """The private answer could not be sent: the case is answered in public as before."""

    type: ClassVar[str] = "hubbub.case.went-public"

    account: str
    conversation: str
    reason: Personal = ""


@event_type
class CaseDelivery(CaseEvent):
    """What became of a message of ours."""

    type: ClassVar[str] = "hubbub.case.delivery"

    message: UUID
    state: DeliveryState
    external_id: str = ""
    reason: Personal = ""
    change: ChangeKind | None = Field(
        default=None, description="set where the message changes one that was sent before"
    )


class MessageChanged(CaseEvent):
    """Something happened to a message of the case, outside."""

    external_id: str = Field(description="the channel's name of the message")
    entry: UUID | None = Field(
        default=None, description="the message's entry in the timeline, where it is known"
    )


@event_type
class CaseMessageEdited(MessageChanged):
    type: ClassVar[str] = "hubbub.case.message-edited"

    text: Personal
    subject: Personal = ""


@event_type
class CaseMessageDeleted(MessageChanged):
    """Taken back by its author or by somebody who may."""

    type: ClassVar[str] = "hubbub.case.message-deleted"

    withheld: bool = Field(default=False, description="what it said is shown to nobody any more")


@event_type
class CaseMessageHidden(MessageChanged):
    """One of us hid it from those who read along, where it was written; or shows it again."""

    type: ClassVar[str] = "hubbub.case.message-hidden"

    hidden: bool = True


@event_type
class CaseMessageReacted(MessageChanged):
    type: ClassVar[str] = "hubbub.case.message-reacted"

    emoji: str
    added: bool = True


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


@event_type
class CaseNotified(CaseEvent):
    """An automation told somebody outside the conversation: a webhook endpoint or a mailbox."""

    type: ClassVar[str] = "hubbub.case.notified"

    message: OutboundMessage
