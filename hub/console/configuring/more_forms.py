"""Forms of templates with their languages, and of business hours with their week."""

from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import BaseModel

from hub.console.configuring.conditions import Fields
from hub.console.configuring.forms import MOST_ROWS, text
from hub.console.configuring.saying import DAYS
from processors.templates import DEFAULT
from schemas.configuration import BusinessHours, Configuration, Template

MOST_PERIODS = 8
MOST_HOLIDAYS = 400


@dataclass
class Variant:
    language: str = ""
    subject: str = ""
    text: str = ""


@dataclass
class TemplateForm:
    kind: ClassVar[str] = "templates"
    template: ClassVar[str] = "company/template.html"
    model: ClassVar[type[BaseModel]] = Template

    name: str = ""
    variants: list[Variant] = field(default_factory=lambda: [Variant(DEFAULT)])
    case: str = ""
    places: dict[str, str] = field(default_factory=dict)
    focus: str = ""

    @classmethod
    def of(cls, item: Template | None, configuration: Configuration) -> "TemplateForm":
        if item is None:
            return cls()
        languages = dict.fromkeys((*item.text, *item.subject))
        return cls(
            item.name,
            [Variant(each, item.subject.get(each, ""), item.text.get(each, "")) for each in languages],
        )

    @classmethod
    def read(cls, form: Fields, name: str) -> "TemplateForm":
        rows: list[Variant] = []
        while f"variant.{len(rows)}.text" in form and len(rows) < MOST_ROWS:
            start = f"variant.{len(rows)}"
            rows.append(Variant(*(text(form, f"{start}.{each}") for each in ("language", "subject", "text"))))
        return cls(name or text(form, "name").strip(), rows, text(form, "case"))

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
        what, _, index = do.partition(":")
        if what == "variant" and len(self.variants) < MOST_ROWS:
            self.variants.append(Variant())
            self.focus = f"variant.{len(self.variants) - 1}.language"
        elif what == "unvariant" and index.isdecimal() and int(index) < len(self.variants):
            del self.variants[int(index)]


@dataclass
class Span:
    opens: str = ""
    closes: str = ""


@dataclass
class HoursForm:
    kind: ClassVar[str] = "hours"
    template: ClassVar[str] = "company/hours.html"
    model: ClassVar[type[BaseModel]] = BusinessHours

    name: str = ""
    timezone: str = "UTC"
    week: dict[str, list[Span]] = field(default_factory=lambda: {day: [Span()] for day in DAYS})
    holidays: list[str] = field(default_factory=lambda: [""])
    places: dict[str, str] = field(default_factory=dict)
    focus: str = ""

    @classmethod
    def of(cls, item: BusinessHours | None, configuration: Configuration) -> "HoursForm":
        if item is None:
            usual = {day: [Span("09:00", "17:00")] if day not in {"sat", "sun"} else [Span()] for day in DAYS}
            return cls(week=usual)
        week = {
            day: [Span(each.opens, _midnight(each.closes)) for each in item.periods if day in each.days]
            or [Span()]
            for day in DAYS
        }
        return cls(item.name, item.timezone, week, [*map(str, sorted(item.holidays)), ""])

    @classmethod
    def read(cls, form: Fields, name: str) -> "HoursForm":
        week: dict[str, list[Span]] = {}
        for day in DAYS:
            spans: list[Span] = []
            while f"{day}.{len(spans)}.opens" in form and len(spans) < MOST_PERIODS:
                start = f"{day}.{len(spans)}"
                spans.append(Span(text(form, f"{start}.opens")[:8], text(form, f"{start}.closes")[:8]))
            week[day] = spans or [Span()]
        holidays: list[str] = []
        while f"holiday.{len(holidays)}" in form and len(holidays) < MOST_HOLIDAYS:
            holidays.append(text(form, f"holiday.{len(holidays)}")[:20])
        return cls(name or text(form, "name").strip(), text(form, "timezone").strip(), week, holidays or [""])

    def data(self) -> dict[str, object]:
        """Days that are open alike stand together."""
        together: dict[tuple[str, str], list[str]] = {}
        for day, spans in self.week.items():
            for index, span in enumerate(spans):
                if not span.opens and not span.closes:
                    continue
                # midnight is 00:00 in a field of a time; a period that ends then ends with the day
                key = (span.opens, "24:00" if span.closes == "00:00" and span.opens else span.closes)
                if day in together.setdefault(key, []):
                    continue
                if not together[key]:
                    place = f"periods[{list(together).index(key)}]"
                    self.places |= {
                        place: f"{day}.{index}.opens",
                        f"{place}.opens": f"{day}.{index}.opens",
                        f"{place}.closes": f"{day}.{index}.closes",
                    }
                together[key].append(day)
        dates = [(index, each) for index, each in enumerate(self.holidays) if each.strip()]
        self.places |= {f"holidays[{at}]": f"holiday.{index}" for at, (index, _) in enumerate(dates)}
        return {
            "name": self.name,
            "timezone": self.timezone,
            "periods": [
                {"days": days, "opens": opens, "closes": closes} for (opens, closes), days in together.items()
            ],
            "holidays": [each for _, each in dates],
        }

    def act(self, do: str) -> None:
        what, _, day = do.partition(":")
        if what == "period" and day in self.week and len(self.week[day]) < MOST_PERIODS:
            self.week[day].append(Span())
            self.focus = f"{day}.{len(self.week[day]) - 1}.opens"
        elif what == "copy" and day in self.week:
            for other in DAYS[:5]:
                self.week[other] = [Span(each.opens, each.closes) for each in self.week[day]]
        elif what == "holiday" and len(self.holidays) < MOST_HOLIDAYS:
            self.holidays.append("")
            self.focus = f"holiday.{len(self.holidays) - 1}"


def _midnight(closes: str) -> str:
    """As a field of a time can show it."""
    return "00:00" if closes == "24:00" else closes
