"""Forms of what decides where a case goes: queues and rules."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from pydantic import BaseModel

from hub.console.configuring import conditions
from hub.console.configuring.conditions import Fields, Node
from hub.console.configuring.forms import ItemForm, number, split
from schemas.configuration import Configuration, Queue, Rule


@dataclass(kw_only=True)
class QueueForm(ItemForm):
    kind: ClassVar[str] = "queues"
    template: ClassVar[str] = "company/queue.html"
    model: ClassVar[type[BaseModel]] = Queue
    typed: ClassVar[tuple[str, ...]] = ("title", "brand", "hours", "first_response_minutes", "reopen_days")

    title: str = ""
    brand: str = ""
    hours: str = ""
    first_response_minutes: str = ""
    reopen_days: str = ""
    default: bool = False

    @classmethod
    def of(cls, item: Any, configuration: Configuration) -> Self:
        form = super().of(item, configuration)
        form.default = form.name == configuration.default_queue
        return form

    @classmethod
    def read(cls, form: Fields, name: str) -> Self:
        given = super().read(form, name)
        given.default = "default" in form
        return given

    def data(self) -> dict[str, object]:
        return {
            "name": self.name,
            "title": self.title.strip(),
            "brand": self.brand or None,
            "hours": self.hours or None,
            "first_response_minutes": number(self.first_response_minutes),
            "reopen_days": number(self.reopen_days),
        }


@dataclass(kw_only=True)
class RuleForm(ItemForm):
    kind: ClassVar[str] = "rules"
    template: ClassVar[str] = "company/rule.html"
    model: ClassVar[type[BaseModel]] = Rule
    typed: ClassVar[tuple[str, ...]] = ("title", "queue", "priority", "tags")

    title: str = ""
    when: Node = field(default_factory=lambda: conditions.numbered(Node("all", children=[Node()])))
    queue: str = ""
    priority: str = ""
    tags: str = ""

    @classmethod
    def of(cls, item: Any, configuration: Configuration) -> Self:
        form = super().of(item, configuration)
        if item is not None:
            form.when = conditions.node_of(item.when)
        return form

    @classmethod
    def read(cls, form: Fields, name: str) -> Self:
        given = super().read(form, name)
        given.when = conditions.read_node(form)
        return given

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
