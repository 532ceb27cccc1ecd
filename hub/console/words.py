"""Every string of the console comes from a catalogue (messages/**/<language>.toml); here are catalogues, and times and sizes in words.

English has every key; a text that another language lacks is said in English. Plurals, names of days and months, and the direction
of writing are those of Unicode's CLDR, by Babel.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from pathlib import Path

from babel import Locale, negotiate_locale
from babel.dates import get_day_names, get_month_names

from hub.console.saying import Forms, Sayings, sentences_of
from schemas.errors import HubbubError, Invalid

FOLDER = Path(__file__).parent / "messages"
MINUTE, HOUR, DAY = 60, 3600, 86400
KIBI = 1024
ENGLISH = "en"
LANGUAGES = tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))
ACCEPTED_AT_MOST = 20


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as a page shows it: words, and the whole of it on hover."""

    iso: str
    words: str
    absolute: str


class Catalogue:
    """Texts by key. A key that is not there is an error, so that a test finds it before a reader does."""

    def __init__(
        self, texts: Mapping[str, str], language: str = ENGLISH, sentences: Mapping[str, Forms] | None = None
    ) -> None:
        self._texts = texts
        self.language = language
        self.locale = Locale.parse(language)
        self.direction = self.locale.text_direction
        self.said = Sayings(sentences or {}, self.locale.plural_form, self._isolated)
        """A sentence that was made below the console, in this language (`hub.console.saying`)."""

    def __contains__(self, key: str) -> bool:
        return key in self._texts

    def __call__(self, key: str, **values: object) -> str:
        text = self._texts[key]
        return (
            text.format_map({name: self._isolated(value) for name, value in values.items()})
            if values
            else text
        )

    def _isolated(self, value: object) -> object:
        """A name or an address keeps its own direction in a sentence that runs from right to left (UAX 9, FSI and PDI)."""
        return (
            f"\u2068{value}\u2069" if isinstance(value, str) and value and self.direction == "rtl" else value
        )

    def count(self, key: str, number: int, **values: object) -> str:
        """`key.one`, `key.few` … by the language's rule of plurals; `{n}` is the number."""
        wanted = f"{key}.{self.locale.plural_form(number)}"
        return self(wanted if wanted in self._texts else f"{key}.other", n=number, **values)

    def why(self, error: HubbubError) -> str:
        """What a refusal says, and in brackets what is to be changed where it names more than that."""
        reason = self.said(error.sentence)
        problems = error.problems.values() if isinstance(error, Invalid) else ()
        if not problems or "; ".join(problems) in error.sentence:
            return reason
        return f"{reason} ({'; '.join(map(self.said, problems))})"

    def to_change(self, error: HubbubError) -> str:
        """Only what is to be changed, where a refusal says that; else what it says."""
        problems = "; ".join(map(self.said, error.problems.values())) if isinstance(error, Invalid) else ""
        return problems or self.said(error.sentence)

    def plurals(self, key: str) -> dict[str, str]:
        """All forms of a plural, as `data-` attributes for the script that counts on."""
        start = f"{key}."
        return {
            f"data-{each.removeprefix(start)}": text
            for each, text in self._texts.items()
            if each.startswith(start)
        }

    def language_name(self, tag: str) -> str:
        """A language by its tag (BCP 47), in this language; one that nobody knows as its tag."""
        return str(self.locale.languages.get(tag.partition("-")[0].lower(), tag))

    def day_name(self, weekday: int) -> str:
        """0 is Monday."""
        return str(get_day_names("wide", locale=self.locale)[weekday])

    def month_name(self, month: int) -> str:
        """As it stands in a date: the second case, where a language has one."""
        return str(get_month_names("wide", locale=self.locale)[month])

    def either(self, key: str, otherwise: str) -> str:
        """The text, or what a newer hub says that this catalogue does not know."""
        return self._texts.get(key, otherwise)

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(self._texts)


@cache
def texts_of(language: str) -> Mapping[str, str]:
    """What the files of a language say, and nothing else: its own, and one for each part that has a folder."""
    found: dict[str, str] = {}
    for path in (FOLDER / f"{language}.toml", *sorted(FOLDER.glob(f"*/{language}.toml"))):
        with path.open("rb") as file:
            found |= _flat(tomllib.load(file))
    return found


@cache
def catalogue(language: str = ENGLISH) -> Catalogue:
    return Catalogue({**texts_of(ENGLISH), **texts_of(language)}, language, sentences_of(language))


def language_of(chosen: str, accepted: str) -> str:
    """The language that was chosen, else the first that the browser accepts (RFC 9110, section 12.5.4), else English."""
    if chosen in LANGUAGES:
        return chosen
    ranges = [each.partition(";q=") for each in accepted[:500].split(",")[:ACCEPTED_AT_MOST]]
    weighed = sorted(ranges, key=lambda each: -_weight(each[2]))
    wanted = [name.strip().replace("-", "_") for name, _, weight in weighed if _weight(weight) > 0]
    return negotiate_locale(wanted, LANGUAGES) or ENGLISH


def _weight(text: str) -> float:
    try:
        return float(text or 1)
    except ValueError:
        return 0.0


def _flat(table: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in table.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict):
            found += _flat(value, f"{key}.")
        else:
            found.append((key, str(value)))
    return found


class Words:
    """Words of one request: its language, its time, its time zone."""

    def __init__(self, texts: Catalogue, now: datetime, zone: tzinfo = UTC) -> None:
        self.t = texts
        self.now = now
        self.zone = zone

    def span(self, length: timedelta) -> str:
        """A length at a glance: `3 min`, `2 h`, `4 d`."""
        seconds = max(0, int(length.total_seconds()))
        if seconds < MINUTE:
            return self.t("time.moment")
        if seconds < HOUR:
            return self.t("time.minutes", n=seconds // MINUTE)
        if seconds < DAY:
            return self.t("time.hours", n=seconds // HOUR)
        return self.t("time.days", n=seconds // DAY)

    def age(self, then: datetime) -> Moment:
        return self._moment(then, self.span(self.now - then))

    def ago(self, then: datetime) -> Moment:
        if self.now - then < timedelta(seconds=MINUTE):
            return self._moment(then, self.t("time.just-now"))
        return self._moment(then, self.t("time.ago", span=self.span(self.now - then)))

    def due(self, at: datetime) -> Moment:
        """`due in 2 h`, or `3 h late`."""
        if at > self.now:
            return self._moment(at, self.t("time.due-in", span=self.span(at - self.now)))
        return self._moment(at, self.t("time.late", span=self.span(self.now - at)))

    def clock(self, at: datetime) -> Moment:
        """The time of day, under a divider that says which day."""
        return self._moment(at, self.local(at).strftime("%H:%M"))

    def when(self, at: datetime) -> Moment:
        """Day and time, for what lies ahead."""
        local = self.local(at)
        return self._moment(at, self.t("time.day-and-time", day=self.day(at), time=local.strftime("%H:%M")))

    def day(self, at: datetime) -> str:
        local, today = self.local(at).date(), self.local(self.now).date()
        apart = (local - today).days
        near = {0: "time.today", -1: "time.yesterday", 1: "time.tomorrow"}.get(apart)
        if near is not None:
            return self.t(near)
        name, month = self.t.day_name(local.weekday()), self.t.month_name(local.month)
        key = "time.day" if local.year == today.year else "time.day-with-year"
        return self.t(key, weekday=name, day=local.day, month=month, year=local.year)

    def size(self, count: int) -> str:
        if count < KIBI:
            return self.t.count("size.bytes", count)
        if count < KIBI * KIBI:
            return self.t("size.kilobytes", n=round(count / KIBI))
        return self.t("size.megabytes", n=f"{count / KIBI / KIBI:.1f}")

    def local(self, at: datetime) -> datetime:
        return at.astimezone(self.zone)

    def _moment(self, at: datetime, words: str) -> Moment:
        local = self.local(at)
        absolute = self.t(
            "time.absolute", day=self.day(at), time=local.strftime("%H:%M:%S"), zone=local.strftime("%Z")
        )
        return Moment(at.isoformat(timespec="seconds").replace("+00:00", "Z"), words, absolute)
