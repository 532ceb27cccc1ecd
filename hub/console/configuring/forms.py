"""Forms of queues, rules and automations: what is typed, and the data that the models are asked about."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import ClassVar, Protocol
from unicodedata import normalize

from pydantic import BaseModel

from hub.console.configuring import conditions
from hub.console.configuring.conditions import Fields, Node
from schemas.configuration import Automation, Configuration, Priority, Queue, Rule, Trigger

LONGEST = 20_000
MOST_ROWS = 60
PRIORITIES = tuple(Priority)[::-1]


class ItemForm(Protocol):
    """`places` says which field of the form shows a place of the data; it is filled by `data`."""

    kind: ClassVar[str]
    template: ClassVar[str]
    model: ClassVar[type[BaseModel]]
    name: str
    places: dict[str, str]
    focus: str

    def data(self) -> dict[str, object]: ...

    def act(self, do: str) -> None: ...


def text(form: Fields, name: str) -> str:
    return str(form.get(name, "")).replace("\r\n", "\n")[:LONGEST]


def number(written: str) -> object:
    """A whole number, nothing, or what was typed, so that the model says what is wrong with it."""
    plain = written.strip()
    return None if not plain else int(plain) if re.fullmatch(r"-?\d{1,12}", plain) else plain


def split(written: str) -> list[str]:
    """Tags and the like: between commas."""
    return list(dict.fromkeys(each.strip() for each in written.split(",") if each.strip()))


def named(title: str, taken: Collection[str], otherwise: str) -> str:
    """The name that rules and roles use, made of a title; it never changes again."""
    plain = normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50] or otherwise
    return next(
        each
        for each in (base, *(f"{base}-{count}" for count in range(2, len(taken) + 3)))
        if each not in taken
    )


@dataclass
class QueueForm:
    kind: ClassVar[str] = "queues"
    template: ClassVar[str] = "company/queue.html"
    model: ClassVar[type[BaseModel]] = Queue

    name: str = ""
    title: str = ""
    brand: str = ""
    hours: str = ""
    minutes: str = ""
    days: str = ""
    default: bool = False
    places: dict[str, str] = field(default_factory=dict)
    focus: str = ""

    @classmethod
    def of(cls, item: Queue | None, configuration: Configuration) -> "QueueForm":
        if item is None:
            return cls()
        minutes, days = item.first_response_minutes, item.reopen_days
        return cls(
            item.name,
            item.title,
            item.brand or "",
            item.hours or "",
            "" if minutes is None else str(minutes),
            "" if days is None else str(days),
            item.name == configuration.default_queue,
        )

    @classmethod
    def read(cls, form: Fields, name: str) -> "QueueForm":
        return cls(
            name,
            text(form, "title"),
            text(form, "brand"),
            text(form, "hours"),
            text(form, "first_response_minutes"),
            text(form, "reopen_days"),
            "default" in form,
        )

    def data(self) -> dict[str, object]:
        return {
            "name": self.name,
            "title": self.title.strip(),
            "brand": self.brand or None,
            "hours": self.hours or None,
            "first_response_minutes": number(self.minutes),
            "reopen_days": number(self.days),
        }

    def act(self, do: str) -> None:
        return None


@dataclass
class RuleForm:
    kind: ClassVar[str] = "rules"
    template: ClassVar[str] = "company/rule.html"
    model: ClassVar[type[BaseModel]] = Rule

    name: str = ""
    title: str = ""
    when: Node = field(default_factory=lambda: conditions.numbered(Node("all", children=[Node()])))
    queue: str = ""
    priority: str = ""
    tags: str = ""
    places: dict[str, str] = field(default_factory=dict)
    focus: str = ""

    @classmethod
    def of(cls, item: Rule | None, configuration: Configuration) -> "RuleForm":
        if item is None:
            return cls()
        return cls(
            item.name,
            item.title,
            conditions.node_of(item.when),
            item.queue or "",
            str(item.priority or ""),
            ", ".join(item.tags),
        )

    @classmethod
    def read(cls, form: Fields, name: str) -> "RuleForm":
        return cls(
            name,
            text(form, "title"),
            conditions.read_node(form),
            text(form, "queue"),
            text(form, "priority"),
            text(form, "tags"),
        )

    def data(self) -> dict[str, object]:
        return {
            "name": self.name,
            "title": self.title.strip(),
            "when": conditions.root_written(self.when, self.places) or {"all": []},
            "queue": self.queue or None,
            "priority": self.priority or None,
            "tags": split(self.tags),
        }

    def act(self, do: str) -> None:
        self.focus = conditions.act(self.when, do)


ACTION_FIELDS: dict[str, tuple[str, ...]] = {
    "answer": ("template",),
    "tag": ("add", "remove"),
    "priority": ("priority",),
    "move": ("queue",),
    "webhook": ("endpoint",),
    "mail": ("to", "template"),
    "schedule": ("minutes", "automation"),
}
"""Action -> its fields, in the order in which they are shown."""


@dataclass
class ActionRow:
    action: str = "answer"
    values: dict[str, str] = field(default_factory=dict)

    @property
    def fields(self) -> tuple[str, ...]:
        return ACTION_FIELDS[self.action]

    def data(self) -> dict[str, object]:
        made: dict[str, object] = {"action": self.action}
        for name in self.fields:
            written = self.values.get(name, "").strip()
            if name in {"add", "remove"}:
                made[name] = split(written)
            else:
                made[name] = number(written) if name == "minutes" else written
        return made


@dataclass
class AutomationForm:
    kind: ClassVar[str] = "automations"
    template: ClassVar[str] = "company/automation.html"
    model: ClassVar[type[BaseModel]] = Automation

    name: str = ""
    title: str = ""
    event: str = Trigger.OPENED.value
    when: Node = field(default_factory=lambda: conditions.numbered(Node("all")))
    actions: list[ActionRow] = field(default_factory=lambda: [ActionRow()])
    places: dict[str, str] = field(default_factory=dict)
    focus: str = ""

    @classmethod
    def of(cls, item: Automation | None, configuration: Configuration) -> "AutomationForm":
        if item is None:
            return cls()
        rows = [
            ActionRow(
                each.action,
                {name: _written(getattr(each, name)) for name in type(each).model_fields if name != "action"},
            )
            for each in item.actions
        ]
        return cls(item.name, item.title, str(item.event), conditions.node_of(item.when), rows)

    @classmethod
    def read(cls, form: Fields, name: str) -> "AutomationForm":
        rows: list[ActionRow] = []
        while f"action.{len(rows)}.action" in form and len(rows) < MOST_ROWS:
            start = f"action.{len(rows)}"
            chosen = text(form, f"{start}.action")
            names = {each for fields in ACTION_FIELDS.values() for each in fields}
            values = {each: text(form, f"{start}.{each}") for each in names}
            rows.append(ActionRow(chosen if chosen in ACTION_FIELDS else "answer", values))
        return cls(name, text(form, "title"), text(form, "event"), conditions.read_node(form), rows)

    def data(self) -> dict[str, object]:
        for index, row in enumerate(self.actions):
            self.places[f"actions[{index}]"] = f"action.{index}.action"
            for name in row.fields:
                self.places[f"actions[{index}].{name}"] = f"action.{index}.{name}"
        return {
            "name": self.name,
            "title": self.title.strip(),
            "event": self.event,
            "when": conditions.root_written(self.when, self.places),
            "actions": [each.data() for each in self.actions],
        }

    def act(self, do: str) -> None:
        what, _, index = do.partition(":")
        if what == "action" and len(self.actions) < MOST_ROWS:
            self.actions.append(ActionRow())
            self.focus = f"action.{len(self.actions) - 1}.action"
        elif what == "unaction" and index.isdecimal() and int(index) < len(self.actions):
            del self.actions[int(index)]
        else:
            self.focus = conditions.act(self.when, do)


def _written(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
