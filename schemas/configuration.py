"""What a company decides: brands, queues, hours, rules, automations, templates. Published as one immutable version."""

from datetime import date, datetime
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.conditions import Condition
from schemas.enums import Choice
from schemas.events import Actor, Payload, event_type
from schemas.topics import Topic

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


class Setting(BaseModel):
    """Base of settings: unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Priority(Choice):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class Brand(Setting):
    name: Name = Field(description="as accounts, forms, queues and rules name the brand; it never changes")
    title: str = Field(description="as customers read it")
    signature: str = Field(
        default="",
        description="put under answers; a template: {{ agent.name }} is who answers, {{ brand.title }} the brand",
    )
    agent_signatures: dict[str, str] = Field(
        default_factory=dict, description="user -> the signature under that person's answers instead"
    )


class Period(Setting):
    """One opening period; several a day are allowed. Times are local to the calendar."""

    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...]
    opens: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="time of day, such as 09:00")
    closes: str = Field(
        pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$",
        description="time of day, such as 17:30; 24:00 is midnight",
    )


class BusinessHours(Setting):
    name: Name
    timezone: str = Field(default="UTC", description="IANA name, such as Europe/Berlin")
    periods: tuple[Period, ...] = Field(description="empty: always closed")
    holidays: tuple[date, ...] = Field(default=(), description="days that are closed, such as 2026-12-25")


class Queue(Setting):
    name: Name = Field(description="as rules, roles and automations name the queue; it never changes")
    title: str = Field(description="as agents read it")
    brand: Name | None = Field(default=None, description="the brand that it works for; none: all of them")
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
    title: str = Field(default="", description="as explanations call the rule")
    when: Condition = Field(description="what has to hold for the rule to match")
    queue: Name | None = Field(
        default=None, description="where the case goes, unless an earlier rule said so"
    )
    priority: Priority | None = Field(
        default=None, description="how urgent the case is, unless an earlier rule said so"
    )
    tags: tuple[str, ...] = Field(default=(), description="tags that the case gets")


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


class Trigger(Choice):
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
    event: Trigger = Field(description="what happens to the case")
    when: Condition | None = Field(default=None, description="what has to hold besides; none: always")
    actions: tuple[Action, ...] = Field(min_length=1, description="what is done then, in this order")


class WebhookEndpoint(Setting):
    """A receiver of Standard Webhooks. The secret stands in the settings of the installation, not here."""

    name: Name = Field(description="as automations and `webhook_secrets` name it")
    url: str = Field(description="where events are posted to, with https://")


class AttributeType(Choice):
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    YES_NO = "yes-no"
    CHOICE = "choice"


class PersonAttribute(Setting):
    """What is noted of persons, by agents in the console and by programs; routing looks at it as `customer.NAME`."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", description="as the API and conditions name it")
    title: str = Field(default="", description="as agents read it")
    type: AttributeType = Field(
        default=AttributeType.TEXT,
        description="text, number, date (2026-12-31), yes-no (yes or no) or choice",
    )
    choices: tuple[str, ...] = Field(
        default=(), max_length=50, description="what may be chosen, for the type choice"
    )

    @model_validator(mode="after")
    def _choices(self) -> Self:
        if (self.type is AttributeType.CHOICE) != bool(self.choices):
            raise ValueError("give choices for the type choice, and for no other")
        return self


class Configuration(Setting):
    """Everything a decision may depend on and that people edit. `version` is given when it is published."""

    brands: tuple[Brand, ...] = Field(
        default=(Brand(name="default", title="Our company"),),
        description="the names under which the company meets its customers",
    )
    hours: tuple[BusinessHours, ...] = Field(
        default=(), description="calendars of business hours; due times count only open minutes"
    )
    queues: tuple[Queue, ...] = Field(
        default=(Queue(name="inbox", title="Inbox"),),
        description="where cases wait for the people who answer them",
    )
    default_queue: Name = Field(default="inbox", description="the queue of cases that no rule decides")
    rules: tuple[Rule, ...] = Field(
        default=(),
        description="routing: tried in order; the first that matches decides the queue, all that match add tags",
    )
    templates: tuple[Template, ...] = Field(
        default=(), description="texts of answers: Jinja2, sandboxed, with variants by language"
    )
    automations: tuple[Automation, ...] = Field(
        default=(),
        description="what is done by itself: when EVENT happens and the condition holds, then the actions",
    )
    webhooks: tuple[WebhookEndpoint, ...] = Field(
        default=(), description="receivers of Standard Webhooks, for the action `webhook`"
    )
    person_attributes: tuple[PersonAttribute, ...] = Field(
        default=(), max_length=50, description="what is noted of persons, each with its type"
    )
    automatic_answers_per_day: int = Field(
        default=5, ge=0, description="most automatic answers to one sender in a day"
    )


class Origin(Choice):
    """Where a version was written: what people edited in the console is not taken back by an older file."""

    FILE = "file"
    CONSOLE = "console"
    API = "api"


@event_type
class ConfigurationPublished(Payload):
    type: ClassVar[str] = "hubbub.configuration.published"
    topic: ClassVar[Topic] = Topic.CONFIGURATION

    number: int
    configuration: Configuration
    actor: Actor
    published_at: datetime
    note: str = Field(default="", description="why, in the words of who published it")
    origin: Origin = Field(default=Origin.FILE, description="where it was written")
    back_to: int | None = Field(default=None, description="the version that it brings back")
