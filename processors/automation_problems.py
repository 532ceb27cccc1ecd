"""What is wrong with automations: names that lead nowhere, and runs that would always be held back or never end."""

from collections.abc import Iterator, Sequence

from processors.automation import AUTOMATIC_FLAGS
from processors.condition_problems import Choices
from processors.condition_problems import problems as condition_problems
from processors.contradictions import never_holds
from processors.problems import Problem, joined, nearest
from schemas.conditions import All, Clause, Not, Operator
from schemas.configuration import (
    Action,
    Answer,
    Automation,
    Configuration,
    Move,
    NotifyMail,
    NotifyWebhook,
    Schedule,
    SetPriority,
    Tag,
    Trigger,
)
from schemas.sentences import said

CAUSES: dict[type[Action], Trigger] = {
    Answer: Trigger.REPLIED,
    Tag: Trigger.TAGGED,
    SetPriority: Trigger.PRIORITIZED,
    Move: Trigger.ROUTED,
}
"""The trigger that the effect of an action pulls."""

BY_A_MACHINE = Clause(field="flags", operator=Operator.HAS_ANY, value=tuple(sorted(AUTOMATIC_FLAGS)))


def problems(configuration: Configuration, choices: Choices, path: str = "automations") -> list[Problem]:
    found: list[Problem] = []
    known = _Names(configuration)
    for index, automation in enumerate(configuration.automations):
        place = f"{path}[{index}]"
        for position, action in enumerate(automation.actions):
            found += _action_problems(action, known, joined(place, f"actions[{position}]"))
        if automation.when is not None:
            given = (Clause(field="event", operator=Operator.IS, value=automation.event.value),)
            wrong = condition_problems(automation.when, choices, joined(place, "when"), given)
            found += wrong or _always_silent(automation, given, place)
        else:
            found += _answers_itself(automation, place)
        if automation.event is Trigger.SCHEDULED and automation.name not in known.scheduled:
            found.append(
                Problem(
                    joined(place, "event"), "nothing schedules it; add an action `schedule` that names it"
                )
            )
    return found + _endless(configuration, path)


class _Names:
    def __init__(self, configuration: Configuration) -> None:
        self.templates = {each.name for each in configuration.templates}
        self.queues = {each.name for each in configuration.queues}
        self.endpoints = {each.name for each in configuration.webhooks}
        self.automations = {each.name: each for each in configuration.automations}
        self.scheduled = {
            action.automation
            for each in configuration.automations
            for action in each.actions
            if isinstance(action, Schedule)
        }


def _action_problems(action: Action, known: _Names, path: str) -> list[Problem]:
    if isinstance(action, Answer):
        return _missing("template", action.template, known.templates, path)
    if isinstance(action, Move):
        return _missing("queue", action.queue, known.queues, path)
    if isinstance(action, NotifyWebhook):
        return _missing("endpoint", action.endpoint, known.endpoints, path)
    if isinstance(action, NotifyMail):
        name, _, domain = action.to.rpartition("@")
        wrong = not name or not domain or any(letter.isspace() for letter in action.to)
        address = (
            [Problem(joined(path, "to"), said("{to!r} is no mail address", to=action.to))] if wrong else []
        )
        return address + _missing("template", action.template, known.templates, path)
    if isinstance(action, Tag):
        empty = not action.add and not action.remove
        return [Problem(path, "adds and removes nothing; name tags in `add` or `remove`")] if empty else []
    if isinstance(action, Schedule):
        return _schedule_problems(action, known, path)
    return []


def _missing(kind: str, name: str, known: set[str], path: str) -> list[Problem]:
    if name in known:
        return []
    return [
        Problem(
            joined(path, kind),
            said(
                "there is no {kind} {name!r}{meant}", kind=said(kind), name=name, meant=nearest(name, known)
            ),
        )
    ]


def _schedule_problems(action: Schedule, known: _Names, path: str) -> list[Problem]:
    target = known.automations.get(action.automation)
    if target is None:
        return _missing("automation", action.automation, set(known.automations), path)
    if target.event is not Trigger.SCHEDULED:
        return [
            Problem(
                joined(path, "automation"),
                said(
                    "{name!r} runs on {event}; only one on `scheduled` can be scheduled",
                    name=target.name,
                    event=target.event,
                ),
            )
        ]
    return []


def _always_silent(automation: Automation, given: Sequence[Clause], path: str) -> list[Problem]:
    """Answers only to mail that a machine wrote: each run would be held back."""
    if automation.when is None or not any(isinstance(action, Answer) for action in automation.actions):
        return []
    by_a_person = All(all=(automation.when, Not(not_=BY_A_MACHINE)))
    if not never_holds(by_a_person, given):
        return []
    return [
        Problem(joined(path, "when"), "holds for automatic mail only, which never gets an automatic answer")
    ]


def _answers_itself(automation: Automation, path: str) -> list[Problem]:
    """No condition, and an effect that pulls its own trigger: each run is followed by one that is held back."""
    return [
        Problem(
            joined(path, f"actions[{index}]"),
            said(
                "pulls the automation's own trigger `{event}`, and that run is always held back; add a condition (`when`) that no longer holds afterwards",
                event=automation.event,
            ),
        )
        for index, action in enumerate(automation.actions)
        if CAUSES.get(type(action)) is automation.event
    ]


def _endless(configuration: Configuration, path: str) -> list[Problem]:
    """Circles of schedules without any condition: time breaks the chain of causes, so nothing else would end them."""
    free = {
        each.name: (index, [action.automation for action in each.actions if isinstance(action, Schedule)])
        for index, each in enumerate(configuration.automations)
        if each.when is None and each.event is Trigger.SCHEDULED
    }
    return [
        Problem(f"{path}[{index}]", "schedules itself again for ever; add a condition (`when`) to end it")
        for name, (index, targets) in free.items()
        if name in set(_reached(targets, free))
    ]


def _reached(start: Sequence[str], free: dict[str, tuple[int, list[str]]]) -> Iterator[str]:
    seen: set[str] = set()
    waiting = list(start)
    while waiting:
        name = waiting.pop()
        if name in seen or name not in free:
            continue
        seen.add(name)
        yield name
        waiting += free[name][1]
