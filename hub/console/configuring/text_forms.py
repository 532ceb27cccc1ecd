"""Forms of texts that customers read: templates in their languages, brands with their signatures."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from pydantic import BaseModel

from hub.console.configuring.conditions import Fields
from hub.console.configuring.forms import ItemForm, rows_in, text
from processors.templates import DEFAULT
from schemas.configuration import Brand, Configuration, Template


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
            if language in texts:  # told as a problem of the second, see `faults`
                continue
            texts[language] = each.text
            if each.subject.strip():
                subjects[language] = each.subject
            for part in ("subject", "text"):
                self.places[f"{part}.{language}"] = f"variant.{index}.{part}"
        self.places |= {"text": "variant.0.language", "subject": "variant.0.subject"}
        return {"name": self.name, "subject": subjects, "text": texts}

    def faults(self) -> dict[str, str]:
        languages = [each.language.strip() or DEFAULT for each in self.variants]
        return {f"variant.{index}.language": "company.language-twice" for index in _again(languages)}

    def act(self, do: str) -> None:
        self.change_rows(do, "variant", self.variants, Variant, "language")


@dataclass
class Signed:
    user: str = ""
    signature: str = ""


@dataclass(kw_only=True)
class BrandForm(ItemForm):
    """Which brands there are says the settings file, whose accounts name them; how they sign is said here."""

    kind: ClassVar[str] = "brands"
    template: ClassVar[str] = "company/brand.html"
    model: ClassVar[type[BaseModel]] = Brand
    typed: ClassVar[tuple[str, ...]] = ("title", "signature")

    title: str = ""
    signature: str = ""
    people: list[Signed] = field(default_factory=list)

    @classmethod
    def of(cls, item: Any, configuration: Configuration) -> Self:
        form = super().of(item, configuration)
        form.people = [Signed(user, signature) for user, signature in item.agent_signatures.items()]
        return form

    @classmethod
    def read(cls, form: Fields, name: str) -> Self:
        given = super().read(form, name)
        given.people = [
            Signed(text(form, f"person.{index}.user").strip(), text(form, f"person.{index}.signature"))
            for index in rows_in(form, "person.{}.user")
        ]
        return given

    def data(self) -> dict[str, object]:
        named = {index: each for index, each in enumerate(self.people) if each.user}
        self.places |= {
            f"agent_signatures.{each.user}": f"person.{index}.signature" for index, each in named.items()
        }
        return {
            "name": self.name,
            "title": self.title.strip(),
            "signature": self.signature,
            "agent_signatures": {each.user: each.signature for each in named.values()},
        }

    def faults(self) -> dict[str, str]:
        users = [each.user for each in self.people]
        unnamed = {
            f"person.{index}.user": "company.person-missing" for index, user in enumerate(users) if not user
        }
        return {f"person.{index}.user": "company.person-twice" for index in _again(users)} | unnamed

    def act(self, do: str) -> None:
        self.change_rows(do, "person", self.people, Signed, "user")


def _again(values: Sequence[str]) -> list[int]:
    """Places of what stands there before already."""
    return [index for index, each in enumerate(values) if each in values[:index]]
