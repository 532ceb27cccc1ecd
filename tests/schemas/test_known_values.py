"""Models and ids made without validation are what the validating way makes."""

import copy
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest
from pydantic_core import PydanticSerializationError

from schemas.case_messages import CaseNoted
from schemas.codec import encode
from schemas.events import SYSTEM, Actor
from schemas.identity import HandleDescribed
from schemas.ids import NAMESPACE, SEPARATOR, derive, from_bytes
from schemas.interactions import FormSubmission

CASE = uuid5(NAMESPACE_URL, "case")


def test_a_model_of_known_values_equals_the_validated_one() -> None:
    known = CaseNoted.model_construct(case=CASE, actor=SYSTEM, text="hello")
    validated = CaseNoted(case=CASE, actor=SYSTEM, text="hello")
    assert known == validated
    assert encode(known) == encode(validated)
    assert repr(known) == repr(validated)


def test_defaults_that_could_change_are_not_shared() -> None:
    first = FormSubmission.model_construct(form="contact", version="1", fields={})
    second = FormSubmission.model_construct(form="contact", version="1", fields={})
    assert first.consent == {}
    assert first.consent is not second.consent


def test_a_value_that_was_left_out_is_told_when_it_is_written() -> None:
    known = HandleDescribed.model_construct(handle=CASE, attributes={})  # type: ignore[call-arg]
    with pytest.raises(PydanticSerializationError):
        encode(known)


def test_a_copy_has_the_new_value_and_leaves_the_old_one() -> None:
    before = Actor(kind="agent", id="mia")
    after = before.model_copy(update={"name": "Mia"})
    assert (before.name, after.name) == ("", "Mia")
    assert after == Actor(kind="agent", id="mia", name="Mia")
    assert before.model_copy(update={"name": "Mia"}, deep=True) == after


def test_a_derived_id_is_a_version_5_uuid() -> None:
    derived = derive("case", "abc")
    assert derived == uuid5(NAMESPACE, SEPARATOR.join(("case", "abc")))
    assert (derived.version, derived.variant) == (5, CASE.variant)
    assert copy.deepcopy(derived) == derived
    assert from_bytes(derived.bytes) == UUID(str(derived))
