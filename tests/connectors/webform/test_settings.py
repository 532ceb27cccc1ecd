"""Settings that cannot work are refused with what to change."""

import json
import re
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.webform.settings import Form, WebformSettings, in_language
from connectors.webform.strings import FOLDER, LANGUAGES, strings
from tests.connectors.webform.support import CONTACT, form

EMAIL = {"name": "email", "type": "email", "label": "Email"}


def test_the_smallest_form_is_small() -> None:
    smallest = Form.model_validate({"name": "contact", "title": "Contact", "fields": [EMAIL]})

    assert smallest.offered_languages == ("en",)
    assert smallest.fields[0].autocomplete_token == "email"
    assert smallest.fields[0].limit == 254


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"title": {}}, "title"),
        ({"title": {"en": " "}}, "title"),
        ({"title": {"tlh": "Qapla'"}}, "tlh"),
        ({"fields": []}, "fields"),
        ({"fields": [EMAIL, EMAIL]}, "email"),
        ({"fields": [EMAIL, {**EMAIL, "name": "second"}]}, "mean email"),
        ({"fields": [{**EMAIL, "name": "_key"}]}, "name"),
        ({"fields": [{"name": "topic", "type": "select", "label": "Topic"}]}, "options"),
        ({"fields": [{**EMAIL, "options": [{"value": "a", "label": "A"}]}]}, "options"),
        ({"fields": [EMAIL], "consents": [{"name": "email", "text": "Yes", "version": "1"}]}, "email"),
        ({"allowed_origins": ["*"]}, "origin"),
        ({"allowed_origins": ["https://shop.example.org/"]}, "origin"),
        ({"allowed_origins": ["shop.example.org"]}, "origin"),
        ({"allowed_origins": ["null"]}, "origin"),
        ({"thank_you_urls": ["javascript:alert(1)"]}, "address of a page"),
        ({"thank_you_urls": ["//evil.example"]}, "address of a page"),
        ({"signing_secrets": ["hunter2"]}, "signing secret"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_cannot_work_is_named(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(named)):
        form(**changes)


def test_two_forms_have_two_names() -> None:
    with pytest.raises(ValidationError, match="contact"):
        WebformSettings.model_validate({"forms": [CONTACT, CONTACT]})


def test_secrets_do_not_show() -> None:
    assert "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" not in repr(form()) + form().model_dump_json()


def test_a_text_falls_back_to_the_default_language_and_then_to_any() -> None:
    assert in_language({"de": "Hallo", "en": "Hello"}, "pl", "de") == "Hallo"
    assert in_language({"": "Hi"}, "pl", "de") == "Hi"
    assert in_language({"fa": "سلام"}, "pl", "de") == "سلام"
    assert in_language({}, "pl") == ""


def test_every_language_has_every_text_with_the_same_gaps() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(LANGUAGES)

    def gaps(language: str) -> dict[str, set[str]]:
        return {name: set(re.findall(r"\{\w+\}", text)) for name, text in strings(language).items()}

    for language in LANGUAGES:
        assert gaps(language) == gaps("en"), language
        assert all(text.strip() for text in strings(language).values())


def test_the_schema_for_editors_can_be_made() -> None:
    assert "allowed_origins" in json.dumps(WebformSettings.model_json_schema())
