"""Conditions are data: a typed tree of field, operator and value, with all, any and not.

In YAML: `{field: subject, operator: contains, value: invoice}`, `{all: [...]}`, `{any: [...]}`, `{not: {...}}`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag


class FieldType(StrEnum):
    TEXT = "text"
    WORDS = "words"  # a set of short texts, such as tags
    NUMBER = "number"
    BOOLEAN = "boolean"


class Operator(StrEnum):
    IS = "is"
    IS_NOT = "is_not"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    MATCHES = "matches"
    IN = "in"
    HAS_ANY = "has_any"
    HAS_ALL = "has_all"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    EXISTS = "exists"


OPERATORS: dict[FieldType, frozenset[Operator]] = {
    FieldType.TEXT: frozenset(
        {
            Operator.IS,
            Operator.IS_NOT,
            Operator.CONTAINS,
            Operator.STARTS_WITH,
            Operator.ENDS_WITH,
            Operator.MATCHES,
            Operator.IN,
            Operator.EXISTS,
        }
    ),
    FieldType.WORDS: frozenset({Operator.CONTAINS, Operator.HAS_ANY, Operator.HAS_ALL, Operator.EXISTS}),
    FieldType.NUMBER: frozenset(
        {Operator.IS, Operator.IS_NOT, Operator.AT_LEAST, Operator.AT_MOST, Operator.EXISTS}
    ),
    FieldType.BOOLEAN: frozenset({Operator.IS}),
}

FIELDS: dict[str, tuple[FieldType, str]] = {
    "event": (
        FieldType.TEXT,
        "what happened to the case: opened, received, reopened, replied, resolved, overdue …",
    ),
    "channel": (FieldType.TEXT, "email, webform …"),
    "account": (FieldType.TEXT, "the mailbox or form that it came in by"),
    "brand": (FieldType.TEXT, "the brand that was written to"),
    "kind": (FieldType.TEXT, "message, form, auto_reply, calendar"),
    "subject": (FieldType.TEXT, "subject line"),
    "text": (FieldType.TEXT, "what the customer wrote, without quotes and signature"),
    "language": (FieldType.TEXT, "BCP 47, `und` when it cannot be told"),
    "sender.address": (FieldType.TEXT, "the writer's handle"),
    "sender.domain": (FieldType.TEXT, "what follows the @ of the writer's address"),
    "sender.name": (FieldType.TEXT, "the writer's display name"),
    "sender.verified": (FieldType.BOOLEAN, "the channel proved who writes"),
    "recipient": (FieldType.WORDS, "addresses it was written to"),
    "flags": (FieldType.WORDS, "auto, bulk, list, spam, suspect …"),
    "attachments": (FieldType.NUMBER, "how many files came along"),
    "queue_hint": (FieldType.TEXT, "the queue that the form asks for"),
    "customer.tier": (
        FieldType.TEXT,
        "attribute `tier` of the customer; `customer.X` for any other attribute X",
    ),
    "case.state": (FieldType.TEXT, "open, waiting, snoozed, resolved, spam, merged"),
    "case.queue": (FieldType.TEXT, "queue that the case is in"),
    "case.priority": (FieldType.TEXT, "low, normal, high, urgent"),
    "case.assignee": (FieldType.TEXT, "who has the case"),
    "case.tags": (FieldType.WORDS, "tags of the case"),
    "within_hours": (FieldType.BOOLEAN, "the queue's business hours were open"),
}
"""Field -> its type and meaning. `form.X` is field X of the form, `customer.X` attribute X of the customer: both text."""

OPEN_PREFIXES = ("form.", "customer.")


class Node(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Clause(Node):
    field: str
    operator: Operator
    value: str | int | float | bool | tuple[str, ...] = Field(default=True, union_mode="smart")


class All(Node):
    all: tuple[Condition, ...]


class AnyOf(Node):
    any: tuple[Condition, ...]


class Not(Node):
    not_: Condition = Field(alias="not")

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)


def _tag(value: Any) -> str:
    if isinstance(value, dict):
        return next((key for key in ("all", "any", "not") if key in value), "clause")
    if isinstance(value, All):
        return "all"
    if isinstance(value, AnyOf):
        return "any"
    return "not" if isinstance(value, Not) else "clause"


Condition = Annotated[
    Annotated[Clause, Tag("clause")]
    | Annotated[All, Tag("all")]
    | Annotated[AnyOf, Tag("any")]
    | Annotated[Not, Tag("not")],
    Discriminator(_tag),
]

for _model in (All, AnyOf, Not):
    _model.model_rebuild()


def field_type(name: str) -> FieldType | None:
    """The type of a field, or None when there is no such field."""
    if name in FIELDS:
        return FIELDS[name][0]
    if name.startswith(OPEN_PREFIXES) and name.split(".", 1)[1]:
        return FieldType.TEXT
    return None
