"""The form of an automation: when, only if, and a row for each action."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from pydantic import BaseModel

from hub.console.configuring import conditions
from hub.console.configuring.conditions import Fields, Node
from hub.console.configuring.forms import ItemForm, number, rows_in, split, text, written
from schemas.configuration import Automation, Configuration, Trigger

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
            typed = self.values.get(name, "").strip()
            if name in {"add", "remove"}:
                made[name] = split(typed)
            else:
                made[name] = number(typed) if name == "minutes" else typed
        return made


@dataclass(kw_only=True)
class AutomationForm(ItemForm):
    kind: ClassVar[str] = "automations"
    template: ClassVar[str] = "company/automation.html"
    model: ClassVar[type[BaseModel]] = Automation
    typed: ClassVar[tuple[str, ...]] = ("title", "event")

    title: str = ""
    event: str = Trigger.OPENED.value
    when: Node = field(default_factory=lambda: conditions.numbered(Node("all")))
    actions: list[ActionRow] = field(default_factory=lambda: [ActionRow()])

    @classmethod
    def of(cls, item: Any, configuration: Configuration) -> Self:
        form = super().of(item, configuration)
        if item is not None:
            form.when = conditions.node_of(item.when)
            form.actions = [
                ActionRow(
                    each.action,
                    {
                        name: written(getattr(each, name))
                        for name in type(each).model_fields
                        if name != "action"
                    },
                )
                for each in item.actions
            ]
        return form

    @classmethod
    def read(cls, form: Fields, name: str) -> Self:
        given = super().read(form, name)
        given.when, given.actions = conditions.read_node(form), []
        names = {each for fields in ACTION_FIELDS.values() for each in fields}
        for index in rows_in(form, "action.{}.action"):
            chosen = text(form, f"action.{index}.action")
            values = {each: text(form, f"action.{index}.{each}") for each in names}
            given.actions.append(ActionRow(chosen if chosen in ACTION_FIELDS else "answer", values))
        return given

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
        if not self.change_rows(do, "action", self.actions, ActionRow, "action"):
            self.focus = conditions.act(self.when, do)
