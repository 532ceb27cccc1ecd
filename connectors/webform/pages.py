"""The pages of one form, each in its languages. What is the same for everybody is rendered once, at the start."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from connectors.webform.parse.checks import Problem
from connectors.webform.parse.decode import Posted
from connectors.webform.parse.entry import readable_size
from connectors.webform.settings import FieldType, Form, in_language
from connectors.webform.strings import LANGUAGES, direction, strings

FOLDER = Path(__file__).parent
ASSETS: Mapping[str, str] = {
    "form.css": "text/css",
    "form.js": "text/javascript",
    "hosted.js": "text/javascript",
    "work.js": "text/javascript",
}
"""What pages load, with its media type."""
SCRIPT_TEXTS = ("sending", "retrying", "gave_up", "unavailable", "error_summary", "too_many", "too_large")
PLACE_OF_TOKEN = "token-of-this-page"  # noqa: S105  a mark in a template, no secret
PLACE_OF_KEY = "key-of-this-page"


def asset(name: str) -> bytes:
    return (FOLDER / "assets" / name).read_bytes()


def asset_version() -> str:
    """Changes with any of the files, so that they may be cached for ever under their address."""
    return sha256(b"".join(asset(name) for name in ASSETS)).hexdigest()[:12]


def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"version": asset_version(), "languages": LANGUAGES}
    return made


@dataclass(frozen=True, slots=True)
class Explained:
    """What is wrong with a field, and what the field is called; a consent has no short name."""

    label: str
    message: str

    @property
    def whole(self) -> str:
        return f"{self.label}: {self.message}" if self.label else self.message


@dataclass(frozen=True, slots=True)
class Filled:
    """A form that is shown again, with what was entered, what is wrong with it, and what happened."""

    posted: Posted = field(default_factory=Posted)
    errors: Mapping[str, Explained] = field(default_factory=dict)
    notice: str = ""

    def value(self, name: str) -> str:
        return self.posted.first(name)

    def has(self, name: str, value: str) -> bool:
        return value in self.posted.values.get(name, ())

    def is_ticked(self, name: str) -> bool:
        return bool(self.value(name))


BLANK = Filled()


class FormPages:
    """`language` is always one that the form offers."""

    def __init__(self, form: Form, templates: Environment) -> None:
        self.form = form
        self._templates = templates
        self._blank = {
            each: self._page(each, BLANK, PLACE_OF_TOKEN, PLACE_OF_KEY) for each in form.offered_languages
        }
        self._fragments = {each: self._fragment(each) for each in form.offered_languages}
        self._sent = {each: self.sent(each, PLACE_OF_KEY) for each in form.offered_languages}
        targets = sorted({f"{urlsplit(url).scheme}://{urlsplit(url).netloc}" for url in form.thank_you_urls})
        # A redirect after a post is held against form-action too, at least by Chromium.
        self.form_action = " ".join(["'self'", *targets])

    def blank(self, language: str, token: str, key: str) -> str:
        return self._blank[language].replace(PLACE_OF_TOKEN, token).replace(PLACE_OF_KEY, key)

    def fragment(self, language: str, token: str, key: str) -> str:
        """The form alone, for a page of somebody else."""
        return self._fragments[language].replace(PLACE_OF_TOKEN, token).replace(PLACE_OF_KEY, key)

    def again(self, language: str, filled: Filled, token: str, key: str) -> str:
        return self._page(language, filled, token, key)

    def sent(self, language: str, number: str) -> str:
        return self._templates.get_template("sent.html").render(
            self._context(language, "../../"), number=number
        )

    def sent_at(self, language: str, number: str) -> str:
        return self._sent[language].replace(PLACE_OF_KEY, number)

    def failed(self, language: str, text: str) -> str:
        message = self.message(language, text)
        return self._templates.get_template("failed.html").render(
            self._context(language, "../"), message=message
        )

    def message(self, language: str, name: str, details: Mapping[str, str] | None = None) -> str:
        """A text of ours, its gaps filled."""
        text = strings(language).get(name, strings(language)["unreadable"])
        is_rtl = direction(language) == "rtl"
        for gap, value in (details or {}).items():
            # Isolated, so that `10 MB` within a text from right to left does not become `MB 10`.
            text = text.replace(f"{{{gap}}}", f"\u2068{value}\u2069" if is_rtl else value)
        return text

    def explain(self, language: str, problem: Problem) -> Explained:
        """What is wrong with a field, in the visitor's language."""
        found = next((each for each in self.form.fields if each.name == problem.field), None)
        label = in_language(found.label, language, self.form.default_language) if found else ""
        return Explained(label, self.message(language, f"error.{problem.code}", problem.details))

    def errors(self, language: str, problems: Sequence[Problem]) -> dict[str, Explained]:
        """Field -> what is wrong; the first of several."""
        return {each.field: self.explain(language, each) for each in reversed(problems)}

    def _page(self, language: str, filled: Filled, token: str, key: str) -> str:
        context = self._context(language, "../") | {"filled": filled, "token": token, "key": key}
        return self._templates.get_template("page.html").render(context)

    def _fragment(self, language: str) -> str:
        context = self._context(language, "") | {
            "filled": BLANK,
            "token": PLACE_OF_TOKEN,
            "key": PLACE_OF_KEY,
        }
        return self._templates.get_template("fragment.html").render(context)

    def _context(self, language: str, root: str) -> dict[str, object]:
        form, texts = self.form, strings(language)

        def text(translated: Mapping[str, str]) -> str:
            return in_language(translated, language, form.default_language)

        return {
            "form": form,
            "language": language,
            "direction": direction(language),
            "root": root,
            "text": text,
            "s": texts,
            "t": lambda name, **details: self.message(language, name, details),
            "script_texts": json.dumps({name: texts[name] for name in SCRIPT_TEXTS}, ensure_ascii=False),
            "has_files": any(each.type == FieldType.FILE for each in form.fields),
            "file_size": readable_size(form.uploads.file_bytes),
        }
