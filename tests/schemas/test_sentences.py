"""A sentence is a text that remembers how it was made."""

import json

from pydantic_core import to_json

from schemas.errors import Invalid
from schemas.sentences import Sentence, both, listed, said


def test_a_sentence_is_its_english_text_and_remembers_template_and_values() -> None:
    sentence = said("there is no queue {name!r}", name="billing")
    assert sentence == "there is no queue 'billing'"
    assert (sentence.template, sentence.values) == ("there is no queue {name!r}", {"name": "billing"})
    assert json.loads(to_json({"detail": sentence})) == {"detail": "there is no queue 'billing'"}


def test_braces_in_a_value_are_left_alone() -> None:
    assert said("written: {text}", text="{name} {0}") == "written: {name} {0}"
    assert said("no values {at all}") == "no values {at all}"


def test_an_error_gives_its_sentence_as_it_was_made() -> None:
    found = Invalid(said("at most {n} files", n=10)).sentence
    assert isinstance(found, Sentence)
    assert found.values == {"n": 10}
    assert Invalid("plain").sentence == "plain"
    assert str(Invalid(said("at most {n} files", n=10))) == "at most 10 files"


def test_parts_are_joined_by_sentences_too() -> None:
    joined = both(["a", "b", said("c")])
    assert joined == "a and b and c"
    assert isinstance(joined, Sentence)
    assert listed(["a", "b"]) == "a, b"
    assert (listed([]), both(["a"])) == ("", "a")
