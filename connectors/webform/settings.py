"""What a company says about its forms: fields, texts, limits, and who may embed them."""

import re
from collections.abc import Mapping
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator, model_validator

from connectors.kit.rates import Rate
from connectors.kit.signatures import secret_bytes
from connectors.kit.uploads import UploadLimits
from connectors.webform.strings import LANGUAGES
from schemas.configuration import Name, Setting

ANY_LANGUAGE = ""


def _by_language(value: object) -> object:
    return {ANY_LANGUAGE: value} if isinstance(value, str) else value


Translated = Annotated[
    dict[str, str], BeforeValidator(_by_language, json_schema_input_type=dict[str, str] | str)
]
"""One text for all languages, or language -> text."""


def in_language(texts: Mapping[str, str], *languages: str) -> str:
    """The text in the first of these languages that it has, else any."""
    for language in (*languages, ANY_LANGUAGE):
        if language in texts:
            return texts[language]
    return next(iter(texts.values()), "")


def _origin(value: str) -> str:
    parts = urlsplit(value)
    if (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or value != f"{parts.scheme}://{parts.netloc}"
    ):
        raise ValueError(
            f"{value!r} is no origin; write scheme and host only, such as https://www.example.com"
        )
    return value.lower()


def _url(value: str) -> str:
    if (
        urlsplit(value).scheme not in {"http", "https"}
        or not urlsplit(value).hostname
        or re.search(r"[\s\x00-\x1f]", value)
    ):
        raise ValueError(f"{value!r} is no address of a page; write it whole, with https://")
    return value


Origin = Annotated[str, AfterValidator(_origin)]
Url = Annotated[str, AfterValidator(_url)]


class FieldType:
    """Names of the kinds of field."""

    TEXT = "text"
    TEXTAREA = "textarea"
    EMAIL = "email"
    PHONE = "phone"
    SELECT = "select"
    CHECKBOX = "checkbox"
    FILE = "file"
    HIDDEN = "hidden"


Means = Literal["name", "email", "phone", "subject", "message"]
CHARACTERS = {FieldType.TEXTAREA: 10_000, FieldType.EMAIL: 254, FieldType.PHONE: 40}
AUTOCOMPLETE = {"name": "name", "email": "email", "phone": "tel"}


class Option(Setting):
    value: str = Field(min_length=1, max_length=200)
    label: Translated = Field(description="as visitors read it")


class FormField(Setting):
    name: Name
    type: Literal["text", "textarea", "email", "phone", "select", "checkbox", "file", "hidden"] = "text"
    label: Translated = Field(description="as visitors read it, by language")
    hint: Translated = Field(default_factory=dict, description="help that stands under the label")
    required: bool = False
    maximum_characters: int | None = Field(
        default=None, gt=0, le=65_536, description="none: what fits the type"
    )
    options: tuple[Option, ...] = Field(
        default=(), max_length=200, description="of a select, or several boxes to tick"
    )
    autocomplete: str = Field(
        default="",
        pattern=r"^[a-z -]*$",
        description="token of the HTML standard; empty: what fits the meaning",
    )
    means: Means | None = Field(
        default=None, description="what the hub takes it for; none: by type, or by the name"
    )

    @property
    def limit(self) -> int:
        return self.maximum_characters or CHARACTERS.get(self.type, 500)

    @property
    def meaning(self) -> str | None:
        if self.means is not None:
            return self.means
        if self.type in {FieldType.EMAIL, FieldType.PHONE}:
            return self.type
        text_like = self.type in {FieldType.TEXT, FieldType.TEXTAREA, FieldType.SELECT}
        return self.name if text_like and self.name in {"name", "subject", "message"} else None

    @property
    def autocomplete_token(self) -> str:
        return self.autocomplete or AUTOCOMPLETE.get(self.meaning or "", "")

    @model_validator(mode="after")
    def _fits_together(self) -> "FormField":
        if self.type == FieldType.SELECT and not self.options:
            raise ValueError(f"field {self.name!r} is a select and needs `options`")
        if self.options and self.type not in {FieldType.SELECT, FieldType.CHECKBOX}:
            raise ValueError(f"field {self.name!r} has `options`, which only a select and a checkbox have")
        return self


class Consent(Setting):
    """A text to agree to. Who agreed is recorded with the version of the text that stood there."""

    name: Name
    text: Translated
    version: str = Field(description="changes whenever the text does")
    url: Url | None = Field(default=None, description="where the whole text stands")
    required: bool = True


class RateSettings(Setting):
    per_minute: float = Field(gt=0)
    burst: int = Field(gt=0, description="how many at once")

    def rate(self) -> Rate:
        return Rate(self.per_minute, self.burst)


class SpamSettings(Setting):
    """Suspects are taken and flagged, never told. Only the rates refuse, with 429."""

    minimum_seconds: float = Field(
        default=2.5, ge=0, description="who is faster than this from page to post is no person"
    )
    maximum_hours: float = Field(default=24, gt=0, description="how long an open page stays good")
    maximum_links: int = Field(default=3, ge=0)
    proof_of_work_bits: int | None = Field(
        default=None,
        ge=8,
        le=22,
        description="work that the visitor's browser does before it sends; 16 takes about half a second",
    )
    per_address: RateSettings | None = Field(
        default=RateSettings(per_minute=6, burst=10), description="none: no limit"
    )
    per_form: RateSettings | None = Field(
        default=RateSettings(per_minute=600, burst=300), description="none: no limit"
    )


class Form(Setting):
    name: Name
    brand: Name = "default"
    title: Translated
    intro: Translated = Field(default_factory=dict)
    languages: tuple[str, ...] = Field(
        default=(), description="the first is the default; empty: those of the title"
    )
    fields: tuple[FormField, ...] = Field(min_length=1, max_length=100)
    consents: tuple[Consent, ...] = ()
    uploads: UploadLimits = UploadLimits()
    queue: Name | None = Field(default=None, description="hint for the routing")
    sent_text: Translated = Field(
        default_factory=dict, description="under the thanks, such as when an answer can be expected"
    )
    thank_you_urls: tuple[Url, ...] = Field(
        default=(), description="pages that a form may name in `_next`; where it names none, ours is shown"
    )
    allowed_origins: tuple[Origin, ...] = Field(
        default=(), description="sites that may embed the form or post to it"
    )
    spam: SpamSettings = SpamSettings()
    signing_secrets: tuple[SecretStr, ...] = Field(
        default=(),
        max_length=5,
        description="`whsec_…` of servers that post for known customers; several during a rotation",
    )
    country_code: str = Field(
        default="",
        pattern=r"^(\+[1-9]\d{0,2})?$",
        description="of telephone numbers typed with a leading 0, such as +49",
    )
    version: str = Field(default="1", description="kept with each entry; change it with the fields")

    @property
    def offered_languages(self) -> tuple[str, ...]:
        return self.languages or tuple(each for each in self.title if each != ANY_LANGUAGE) or ("en",)

    @property
    def default_language(self) -> str:
        return self.offered_languages[0]

    def field_that_means(self, meaning: Means) -> FormField | None:
        return self._by_meaning.get(meaning)

    @cached_property
    def _by_meaning(self) -> Mapping[str, FormField]:
        return {each.meaning: each for each in self.fields if each.meaning}

    @field_validator("title")
    @classmethod
    def _title_says_something(cls, title: dict[str, str]) -> dict[str, str]:
        if not title or not all(text.strip() for text in title.values()):
            raise ValueError("a form needs a title, in at least one language")
        return title

    @field_validator("signing_secrets")
    @classmethod
    def _secrets_are_readable(cls, secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for secret in secrets:
            secret_bytes(secret.get_secret_value())
        return secrets

    @model_validator(mode="after")
    def _fits_together(self) -> "Form":
        names = [*(each.name for each in self.fields), *(each.name for each in self.consents)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"form {self.name!r} has two fields or consents named {', '.join(twice)}")
        meanings = [each.meaning for each in self.fields if each.meaning]
        doubled = sorted({meaning for meaning in meanings if meanings.count(meaning) > 1})
        if doubled:
            raise ValueError(
                f"form {self.name!r} has two fields that mean {', '.join(doubled)}; set `means` on one"
            )
        foreign = sorted(set(self.offered_languages) - set(LANGUAGES))
        if foreign:
            raise ValueError(
                f"form {self.name!r}: no page texts in {', '.join(foreign)}; there are {', '.join(LANGUAGES)}"
            )
        return self


class WebformSettings(Setting):
    forms: tuple[Form, ...] = ()
    public_url: Url | None = Field(
        default=None, description="how visitors reach us, where a proxy changes the Host header"
    )
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = Field(
        default=(), description="networks of our own proxies; only they are believed in X-Forwarded-For"
    )
    body_seconds: float = Field(default=30, gt=0, description="how long a visitor may take to send an entry")
    upload_seconds: float = Field(default=300, gt=0, description="the same for a form with files")
    bytes_in_flight: int = Field(
        default=256 << 20, gt=0, description="most bytes of unfinished posts in memory"
    )

    @model_validator(mode="after")
    def _names_are_unique(self) -> "WebformSettings":
        names = [form.name for form in self.forms]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two forms are named {', '.join(twice)}")
        return self
