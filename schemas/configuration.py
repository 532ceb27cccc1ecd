"""What a company decides: brands, queues, hours, rules, automations, templates. Published as one immutable version."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.conditions import Condition
from schemas.events import Actor, Payload, event_type
from schemas.topics import Topic

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


class Setting(BaseModel):
    """Base of settings: unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Priority(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class Brand(Setting):
    name: Name
    title: str = Field(description="as customers read it")
    signature: str = Field(default="", description="put under answers")


class Period(Setting):
    """One opening period; several a day are allowed. Times are local to the calendar."""

    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...]
    opens: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    closes: str = Field(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")


class BusinessHours(Setting):
    name: Name
    timezone: str = Field(default="UTC", description="IANA name, such as Europe/Berlin")
    periods: tuple[Period, ...] = Field(description="empty: always closed")
    holidays: tuple[date, ...] = ()


class Queue(Setting):
    name: Name
    title: str
    brand: Name | None = None
    hours: Name | None = Field(default=None, description="business hours; none: always open")
    first_response_minutes: int | None = Field(
        default=None, gt=0, description="due time of the first answer, in business minutes"
    )
    reopen_days: int | None = Field(
        default=None,
        ge=0,
        description="a reply this long after resolving opens a new case; none: it always reopens the old one",
    )


class Rule(Setting):
    """Routing rule. Rules are tried in order; the first that matches decides the queue; all that match add tags."""

    name: Name
    title: str = ""
    when: Condition
    queue: Name | None = None
    priority: Priority | None = None
    tags: tuple[str, ...] = ()


class Template(Setting):
    """Jinja2, sandboxed. Variants by language; `default` is taken when there is none for the customer's."""

    name: Name
    subject: dict[str, str] = Field(
        default_factory=dict, description="language -> subject; empty: answers keep the case's subject"
    )
    text: dict[str, str] = Field(description="language -> text; must have `default`")


class Answer(Setting):
    action: Literal["answer"] = "answer"
    template: Name


class Tag(Setting):
    action: Literal["tag"] = "tag"
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


class SetPriority(Setting):
    action: Literal["priority"] = "priority"
    priority: Priority


class Move(Setting):
    action: Literal["move"] = "move"
    queue: Name


class NotifyWebhook(Setting):
    action: Literal["webhook"] = "webhook"
    endpoint: Name


class NotifyMail(Setting):
    action: Literal["mail"] = "mail"
    to: str
    template: Name


class Schedule(Setting):
    """Come back to the case later: after the minutes the automation's `then` runs if its condition still holds."""

    action: Literal["schedule"] = "schedule"
    minutes: int = Field(gt=0)
    automation: Name


Action = Annotated[
    Answer | Tag | SetPriority | Move | NotifyWebhook | NotifyMail | Schedule, Field(discriminator="action")
]


class Trigger(StrEnum):
    OPENED = "opened"
    RECEIVED = "received"
    REOPENED = "reopened"
    REPLIED = "replied"
    ROUTED = "routed"
    CLAIMED = "claimed"
    RESOLVED = "resolved"
    TAGGED = "tagged"
    PRIORITIZED = "prioritized"
    OVERDUE = "overdue"
    BOUNCED = "bounced"
    SCHEDULED = "scheduled"


class Automation(Setting):
    """When EVENT, and CONDITION holds, then ACTIONS."""

    name: Name
    title: str = ""
    event: Trigger
    when: Condition | None = None
    actions: tuple[Action, ...] = Field(min_length=1)


class WebhookEndpoint(Setting):
    """A receiver of Standard Webhooks. The secret stands in the settings of the installation, not here."""

    name: Name
    url: str


class Configuration(Setting):
    """Everything a decision may depend on and that people edit. `version` is given when it is published."""

    brands: tuple[Brand, ...] = (Brand(name="default", title="Our company"),)
    hours: tuple[BusinessHours, ...] = ()
    queues: tuple[Queue, ...] = (Queue(name="inbox", title="Inbox"),)
    default_queue: Name = "inbox"
    rules: tuple[Rule, ...] = ()
    templates: tuple[Template, ...] = ()
    automations: tuple[Automation, ...] = ()
    webhooks: tuple[WebhookEndpoint, ...] = ()
    automatic_answers_per_day: int = Field(
        default=5, ge=0, description="most automatic answers to one sender in a day"
    )


@event_type
class ConfigurationPublished(Payload):
    type: ClassVar[str] = "hubbub.configuration.published"
    topic: ClassVar[Topic] = Topic.CONFIGURATION

    number: int
    configuration: Configuration
    actor: Actor
    published_at: datetime
