"""The form of what is noted of persons: a title, a type, and what may be chosen."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import BaseModel

from hub.console.configuring.conditions import Fields
from hub.console.configuring.forms import ItemForm, text
from schemas.configuration import AttributeType, Configuration, PersonAttribute


@dataclass(kw_only=True)
class AttributeForm(ItemForm):
    kind: ClassVar[str] = "person_attributes"
    template: ClassVar[str] = "company/attribute.html"
    model: ClassVar[type[BaseModel]] = PersonAttribute
    typed: ClassVar[tuple[str, ...]] = ("title", "type")

    title: str = ""
    type: str = AttributeType.TEXT.value
    choices: str = ""
    """One a line."""

    @classmethod
    def of(cls, item: Any, configuration: Configuration) -> Self:
        form = super().of(item, configuration)
        if item is not None:
            form.title, form.choices = item.title or item.name, "\n".join(item.choices)
        return form

    @classmethod
    def read(cls, form: Fields, name: str) -> Self:
        given = super().read(form, name)
        given.choices = text(form, "choices")
        return given

    @property
    def is_choice(self) -> bool:
        return self.type == AttributeType.CHOICE.value

    def data(self) -> dict[str, object]:
        return {"name": self.name, "title": self.title.strip(), "type": self.type, "choices": self._choices()}

    def faults(self) -> dict[str, str]:
        return {"choices": "company.choices-missing"} if self.is_choice and not self._choices() else {}

    def _choices(self) -> list[str]:
        lines = (each.strip() for each in self.choices.split("\n"))
        return list(dict.fromkeys(each for each in lines if each)) if self.is_choice else []
