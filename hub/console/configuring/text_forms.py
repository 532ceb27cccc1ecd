"""Forms of texts that customers read: templates in their languages."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from pydantic import BaseModel

from hub.console.configuring.conditions import Fields
from hub.console.configuring.forms import ItemForm, rows_in, text
from processors.templates import DEFAULT
from schemas.configuration import Configuration, Template


@dataclass
class Variant:
    language: str = ""
    subject: str = ""
    text: str = ""


@dataclass(kw_only=True)
class TemplateForm(ItemForm):
    kind: ClassVar[str] = "templates"
    template: ClassVar[str] = "company/template.html"
    model: ClassVar[type[BaseModel]] = Template

    variants: list[Variant] = field(default_factory=lambda: [Variant(DEFAULT)])
    case: str = ""

    @classmethod
    def of(cls, item: Any, configuration: Configuration) -> Self:
        form = super().of(item, configuration)
        if item is not None:
            languages = dict.fromkeys((*item.text, *item.subject))
            form.variants = [
                Variant(each, item.subject.get(each, ""), item.text.get(each, "")) for each in languages
            ]
        return form

    @classmethod
    def read(cls, form: Fields, name: str) -> Self:
        rows = [
            Variant(*(text(form, f"variant.{index}.{each}") for each in ("language", "subject", "text")))
            for index in rows_in(form, "variant.{}.text")
        ]
        return cls(name=name or text(form, "name").strip(), variants=rows, case=text(form, "case"))

    def data(self) -> dict[str, object]:
        texts: dict[str, str] = {}
        subjects: dict[str, str] = {}
        for index, each in enumerate(self.variants):
            language = each.language.strip() or DEFAULT
            if language in texts:  # told as a problem of the second, see `doubled`
                continue
            texts[language] = each.text
            if each.subject.strip():
                subjects[language] = each.subject
            for part in ("subject", "text"):
                self.places[f"{part}.{language}"] = f"variant.{index}.{part}"
        self.places |= {"text": "variant.0.language", "subject": "variant.0.subject"}
        return {"name": self.name, "subject": subjects, "text": texts}

    def doubled(self) -> list[str]:
        """Fields of languages that stand there already."""
        seen: set[str] = set()
        found: list[str] = []
        for index, each in enumerate(self.variants):
            language = each.language.strip() or DEFAULT
            if language in seen:
                found.append(f"variant.{index}.language")
            seen.add(language)
        return found

    def act(self, do: str) -> None:
        self.change_rows(do, "variant", self.variants, Variant, "language")
