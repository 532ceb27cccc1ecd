"""The form of business hours: a week, and closed days."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from pydantic import BaseModel

from hub.console.configuring.conditions import Fields
from hub.console.configuring.forms import ItemForm, rows_in, text
from hub.console.configuring.saying import DAYS
from schemas.configuration import BusinessHours, Configuration

MOST_PERIODS = 8
MOST_HOLIDAYS = 400


@dataclass
class Span:
    opens: str = ""
    closes: str = ""


@dataclass(kw_only=True)
class HoursForm(ItemForm):
    kind: ClassVar[str] = "hours"
    template: ClassVar[str] = "company/hours.html"
    model: ClassVar[type[BaseModel]] = BusinessHours

    timezone: str = "UTC"
    week: dict[str, list[Span]] = field(default_factory=lambda: {day: [Span()] for day in DAYS})
    holidays: list[str] = field(default_factory=lambda: [""])

    @classmethod
    def of(cls, item: Any, configuration: Configuration) -> Self:
        if item is None:
            usual = {day: [Span("09:00", "17:00")] if day not in {"sat", "sun"} else [Span()] for day in DAYS}
            return cls(week=usual)
        week = {
            day: [Span(each.opens, _midnight(each.closes)) for each in item.periods if day in each.days]
            or [Span()]
            for day in DAYS
        }
        holidays = [*map(str, sorted(item.holidays)), ""]
        return cls(name=item.name, timezone=item.timezone, week=week, holidays=holidays)

    @classmethod
    def read(cls, form: Fields, name: str) -> Self:
        week = {
            day: [
                Span(text(form, f"{day}.{index}.opens")[:8], text(form, f"{day}.{index}.closes")[:8])
                for index in rows_in(form, day + ".{}.opens", MOST_PERIODS)
            ]
            or [Span()]
            for day in DAYS
        }
        rows = rows_in(form, "holiday.{}", MOST_HOLIDAYS)
        holidays = [text(form, f"holiday.{index}")[:20] for index in rows] or [""]
        return cls(
            name=name or text(form, "name").strip(),
            timezone=text(form, "timezone").strip(),
            week=week,
            holidays=holidays,
        )

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
