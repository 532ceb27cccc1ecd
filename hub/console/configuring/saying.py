"""Parts of the configuration in the reader's words: conditions, actions, calendars."""

from collections.abc import Iterator

from pydantic import BaseModel

from hub.console.words import Catalogue
from schemas.conditions import All, AnyOf, Clause, Condition, Not, Operator
from schemas.configuration import (
    Action,
    Answer,
    AttributeType,
    Automation,
    Brand,
    BusinessHours,
    Move,
    NotifyMail,
    NotifyWebhook,
    Period,
    PersonAttribute,
    Queue,
    Rule,
    Schedule,
    SetPriority,
    Tag,
    Template,
)

LONGEST = 80
LINES = 12
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def cut(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= LONGEST else flat[: LONGEST - 1] + "…"


def field_words(name: str, t: Catalogue) -> str:
    return t.either(f"company.field.{name}", name)


def clause_words(clause: Clause, t: Catalogue) -> str:
    name = field_words(clause.field, t)
    if clause.operator is Operator.EXISTS:
        return t("company.is-there" if clause.value else "company.is-empty", field=name)
    return t(
        "company.clause",
        field=name,
        operator=t(f"company.operator.{clause.operator}"),
        value=value_words(clause.value, t),
    )


def value_words(value: object, t: Catalogue) -> str:
    if isinstance(value, bool):
        return t("company.yes" if value else "company.no")
    if isinstance(value, tuple | list):
        return ", ".join(f"“{cut(str(each))}”" for each in value)
    return f"“{cut(value)}”" if isinstance(value, str) else str(value)


def condition_lines(condition: Condition | None, t: Catalogue) -> list[str]:
    """A line a clause, indented where it stands in a group."""
    if condition is None:
        return [t("company.always")]
    lines = list(_lines(condition, t, 0, ""))
    return lines if len(lines) <= LINES else [*lines[:LINES], "…"]


def _lines(condition: Condition, t: Catalogue, depth: int, prefix: str) -> Iterator[str]:
    indent = "\u2003" * depth
    if isinstance(condition, Clause):
        yield f"{indent}{prefix}{clause_words(condition, t)}"
    elif isinstance(condition, Not):
        yield from _lines(condition.not_, t, depth, f"{prefix}{t('company.unless')} ")
    else:
        children = condition.all if isinstance(condition, All) else condition.any
        yield f"{indent}{prefix}{t('company.any-of' if isinstance(condition, AnyOf) else 'company.all-of')}"
        for child in children:
            yield from _lines(child, t, depth + 1, "")


def action_words(action: Action, t: Catalogue) -> str:
    values = {name: getattr(action, name) for name in type(action).model_fields if name != "action"}
    if action.action == "tag":
        parts = [*(f"+{each}" for each in action.add), *(f"−{each}" for each in action.remove)]
        return f"{t('company.action.tag')}: {', '.join(parts)}"
    if action.action == "priority":
        return f"{t('company.action.priority')}: {t(f'priority.{action.priority}')}"
    said = ", ".join(str(each) for each in values.values())
    return f"{t(f'company.action.{action.action}')}: {said}"


def period_words(period: Period, t: Catalogue) -> str:
    days = ", ".join(t.day_name(DAYS.index(each)) for each in period.days)
    return f"{days} {period.opens}–{period.closes}"


def words(value: object, t: Catalogue) -> list[str]:
    """Anything of the configuration, in lines."""
    if value is None or value in ((), "", {}):
        return [t("company.nothing")]
    if isinstance(value, dict):
        return [f"{name}: {line}" for name, text in value.items() for line in str(text).split("\n")]
    if isinstance(value, tuple):
        if all(isinstance(each, str) for each in value):
            return [", ".join(value)]
        return [line for each in value for line in words(each, t)]
    return _said(value, t)


def _said(value: object, t: Catalogue) -> list[str]:
    if isinstance(value, Clause | All | AnyOf | Not):
        return condition_lines(value, t)
    if isinstance(value, AttributeType):
        return [t(f"company.type.{value}")]
    if isinstance(value, Period):
        return [period_words(value, t)]
    if isinstance(value, Rule | Automation | Queue | Template | BusinessHours | PersonAttribute | Brand):
        return summary(value, t)
    if isinstance(value, Answer | Tag | SetPriority | Move | NotifyWebhook | NotifyMail | Schedule):
        return [action_words(value, t)]
    if isinstance(value, BaseModel):
        return [str(getattr(value, "title", "") or getattr(value, "name", ""))]
    return str(value).split("\n")


def summary(item: object, t: Catalogue) -> list[str]:
    """What an item of the configuration does, in a few lines."""
    if isinstance(item, Rule):
        does = [t("company.to-queue", queue=item.queue)] if item.queue else []
        does += [f"{t('action.priority')}: {t(f'priority.{item.priority}')}"] if item.priority else []
        does += [f"{t('action.tag')}: {', '.join(item.tags)}"] if item.tags else []
        return [*condition_lines(item.when, t), "→ " + " · ".join(does)]
    if isinstance(item, Automation):
        conditions = [] if item.when is None else condition_lines(item.when, t)
        return [
            t(f"company.event.{item.event}"),
            *conditions,
            *(f"→ {action_words(each, t)}" for each in item.actions),
        ]
    if isinstance(item, Queue):
        minutes = item.first_response_minutes
        return [t.count("company.answer-within", minutes) if minutes else t("company.no-due-time")]
    if isinstance(item, Template):
        return [", ".join(item.text), cut(item.text.get("default", ""))]
    if isinstance(item, BusinessHours):
        periods = [period_words(each, t) for each in item.periods] or [t("company.always-closed")]
        return [item.timezone, *periods]
    if isinstance(item, PersonAttribute):
        return [": ".join(filter(None, (t(f"company.type.{item.type}"), ", ".join(item.choices))))]
    if isinstance(item, Brand):
        return [cut(item.signature)] if item.signature else []
    return [str(getattr(item, "title", ""))]
