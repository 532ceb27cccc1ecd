"""Each field of a form compiled to one function: from what was sent to the value that is kept, or what is wrong."""

import dataclasses
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

from connectors.webform.parse.decode import NotText, Values
from connectors.webform.parse.text import clean, one_line
from connectors.webform.settings import FieldType, FormField

YES = "yes"
NO_WORDS = frozenset({"", "0", "false", "no", "off"})
LIST_SEPARATOR = ", "
# What nearly everybody has (RFC 5321 dot-string, LDH labels); the rest goes to the validator, which is ten times dearer.
PLAIN_ADDRESS = re.compile(
    r"(?=.{3,254}\Z)(?=[^@]{1,64}@)[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]\Z",
    re.IGNORECASE,
)
PHONE_CHARACTERS = re.compile(r"[\d\s()./+\-–‑]+(?:\s*(?:ext\.?|x|#)\s*\d{1,6})?", re.IGNORECASE)
PHONE_DIGITS = range(5, 16)  # E.164 has at most 15


@dataclass(frozen=True, slots=True)
class Problem:
    """`code` names the text that explains it; `details` fills its gaps."""

    field: str
    code: str
    details: Mapping[str, str] = dataclasses.field(default_factory=dict)


class Faulty(Exception):
    """A value that its field does not take."""

    def __init__(self, field: str, code: str, details: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{field}: {code}")
        self.problem = Problem(field, code, details or {})


Check = Callable[[Values], str]


def compile_check(field: FormField) -> Check:
    """The check of one field. It raises Faulty and returns the empty string for what may be left out."""
    if field.type == FieldType.CHECKBOX:
        return _several(field) if field.options else _ticked(field)
    if field.type == FieldType.SELECT:
        return _chosen(field)
    return _typed(field, FORMS_OF_TEXT.get(field.type, one_line), VERIFIERS.get(field.type))


def normalized_address(text: str) -> str | None:
    """A mail address in lower case with its domain in Unicode, or None."""
    if PLAIN_ADDRESS.match(text) and "xn--" not in text:
        return text.lower()
    try:
        return validate_email(
            text, check_deliverability=False, test_environment=True, strict=True
        ).normalized.lower()
    except EmailNotValidError:
        return None


def normalized_phone(text: str, country_code: str = "") -> str | None:
    """E.164 where the country is known (typed with + or 00, or the form's own), else the digits; None for no number."""
    plain = "".join(str(unicodedata.decimal(each)) if each.isdecimal() else each for each in text).strip()
    if not PHONE_CHARACTERS.fullmatch(plain):
        return None
    plain = re.split(r"(?i)ext|x|#", plain)[0]
    digits = re.sub(r"\D", "", plain.replace("(0)", ""))
    if not digits or len(digits) not in PHONE_DIGITS:
        return None
    if plain.startswith("+"):
        return f"+{digits}"
    if digits.startswith("00"):
        return f"+{digits[2:]}"
    if digits.startswith("0") and country_code:
        return country_code + digits[1:]
    return digits


def _typed(field: FormField, tidy: Callable[[str], str], is_right: Callable[[str], bool] | None) -> Check:
    name, limit, required = field.name, field.limit, field.required

    def check(values: Values) -> str:
        text = _only(name, values, tidy)
        if not text:
            if required:
                raise Faulty(name, "required")
            return ""
        if len(text) > limit:
            raise Faulty(name, "too-long", {"limit": str(limit)})
        if is_right is not None and not is_right(text):
            raise Faulty(name, field.type)
        return text

    return check


def _chosen(field: FormField) -> Check:
    name, required, allowed = field.name, field.required, frozenset(option.value for option in field.options)

    def check(values: Values) -> str:
        value = _only(name, values, one_line)
        if not value and required:
            raise Faulty(name, "choose")
        if value and value not in allowed:
            raise Faulty(name, "option")
        return value

    return check


def _several(field: FormField) -> Check:
    name, required = field.name, field.required
    places = {option.value: place for place, option in enumerate(field.options)}

    def check(values: Values) -> str:
        chosen = {text for text in (_text(name, value, one_line) for value in values) if text}
        if not chosen and required:
            raise Faulty(name, "choose")
        if not chosen <= places.keys():
            raise Faulty(name, "option")
        return LIST_SEPARATOR.join(sorted(chosen, key=places.__getitem__))

    return check


def _ticked(field: FormField) -> Check:
    name, required = field.name, field.required

    def check(values: Values) -> str:
        if is_ticked(values):
            return YES
        if required:
            raise Faulty(name, "required")
        return ""

    return check


def is_ticked(values: Values) -> bool:
    """Whether a box was ticked. The last value counts: a hidden "no" often stands before the box."""
    last = values[-1] if values else ""
    return isinstance(last, str) and last.strip().lower() not in NO_WORDS


def _only(name: str, values: Values, tidy: Callable[[str], str]) -> str:
    if len(values) == 1:
        return _text(name, values[0], tidy)
    texts = {text for text in (_text(name, value, tidy) for value in values) if text}
    if len(texts) > 1:
        raise Faulty(name, "several")
    return texts.pop() if texts else ""


def _text(name: str, value: str | NotText, tidy: Callable[[str], str]) -> str:
    if not isinstance(value, str):
        raise Faulty(name, "not-text")
    return tidy(value)


FORMS_OF_TEXT: Mapping[str, Callable[[str], str]] = {FieldType.TEXTAREA: clean}
VERIFIERS: Mapping[str, Callable[[str], bool]] = {
    FieldType.EMAIL: lambda text: normalized_address(text) is not None,
    FieldType.PHONE: lambda text: normalized_phone(text) is not None,
}
