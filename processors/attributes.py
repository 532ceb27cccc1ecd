"""Attributes of persons that the configuration knows have a type; others are text, as programs set them."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation

from schemas.configuration import AttributeType, PersonAttribute
from schemas.errors import Invalid
from schemas.sentences import in_a_row, said

YES_NO = ("yes", "no")


def check_attributes(known: Sequence[PersonAttribute], given: Mapping[str, str | None]) -> None:
    """Raises Invalid, naming each value that is not of its type. None, which removes one, always fits."""
    types = {each.name: each for each in known}
    problems = {
        f"attributes.{name}": wanted(types[name])
        for name, value in given.items()
        if name in types and value is not None and not fits(types[name], value)
    }
    if problems:
        named = [
            said("{name}: {problem}", name=at.removeprefix("attributes."), problem=each)
            for at, each in problems.items()
        ]
        raise Invalid(in_a_row(named), problems)


def fits(attribute: PersonAttribute, value: str) -> bool:
    if attribute.type is AttributeType.NUMBER:
        return _is_number(value)
    if attribute.type is AttributeType.DATE:
        return _is_date(value)
    if attribute.type is AttributeType.YES_NO:
        return value in YES_NO
    return attribute.type is AttributeType.TEXT or value in attribute.choices


def wanted(attribute: PersonAttribute) -> str:
    words = {
        AttributeType.NUMBER: "write a number, such as 12.5",
        AttributeType.DATE: "write a date, such as 2026-12-31",
        AttributeType.YES_NO: "write yes or no",
    }
    chosen = said("choose one of {names}", names=", ".join(attribute.choices))
    return words.get(attribute.type, chosen)


def _is_number(value: str) -> bool:
    try:
        return value.isascii() and Decimal(value).is_finite()
    except InvalidOperation:
        return False


def _is_date(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value  # and no week, as in 2026-W53-5
    except ValueError:
        return False
