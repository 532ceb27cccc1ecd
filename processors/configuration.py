"""A configuration as a whole: what is wrong with it before it is published, and how it differs from the one before."""

from collections.abc import Sequence

from processors import automation_problems, condition_problems, hours, template_problems
from processors.contradictions import implies
from processors.problems import Problem, joined, nearest
from schemas.cases import CaseState
from schemas.conditions import Clause, Condition, Operator
from schemas.configuration import Brand, Configuration, Priority, Queue, Rule, Trigger
from schemas.interactions import Kind
from schemas.sentences import said

NAMED = ("brands", "hours", "queues", "rules", "templates", "automations", "webhooks", "person_attributes")
"""Lists whose items have a name that stands once."""

OPENING: tuple[Clause, ...] = (
    Clause(field="event", operator=Operator.IS, value="opened"),
    Clause(field="case.state", operator=Operator.IS, value="open"),
    Clause(field="case.queue", operator=Operator.EXISTS, value=False),
    Clause(field="case.assignee", operator=Operator.EXISTS, value=False),
    Clause(field="case.tags", operator=Operator.EXISTS, value=False),
    Clause(field="case.priority", operator=Operator.IS, value="normal"),
)
"""What is so of every case when routing rules are asked: it is new."""


def choices(configuration: Configuration) -> dict[str, frozenset[str]]:
    """The fields whose values are known, with these values. Tags are free: agents make them."""
    queues = frozenset(queue.name for queue in configuration.queues)
    return {
        "brand": frozenset(brand.name for brand in configuration.brands),
        "case.priority": frozenset(Priority),
        "case.queue": queues,
        "case.state": frozenset(CaseState),
        "event": frozenset(Trigger),
        "kind": frozenset(Kind),
        "queue_hint": queues,
    }


def problems(configuration: Configuration) -> list[Problem]:
    """Everything that is wrong, in the order of the file. A configuration without problems compiles and runs."""
    known = choices(configuration)
    found = _doubled(configuration)
    for index, calendar in enumerate(configuration.hours):
        found += hours.problems(calendar, f"hours[{index}]")
    for index, queue in enumerate(configuration.queues):
        found += _queue_problems(queue, configuration, f"queues[{index}]")
    for index, brand in enumerate(configuration.brands):
        found += _signature_problems(brand, f"brands[{index}]")
    if not configuration.brands:
        found.append(Problem("brands", "there must be at least one"))
    if configuration.default_queue not in known["case.queue"]:
        found.append(_missing("default_queue", "queue", configuration.default_queue, known["case.queue"]))
    for index, rule in enumerate(configuration.rules):
        found += _rule_problems(rule, configuration, known, f"rules[{index}]")
    found += _unreached(configuration.rules)
    for index, template in enumerate(configuration.templates):
        found += template_problems.problems(template, f"templates[{index}]")
    found += automation_problems.problems(configuration, known)
    for index, endpoint in enumerate(configuration.webhooks):
        if not endpoint.url.startswith(("https://", "http://")):
            found.append(Problem(f"webhooks[{index}].url", "must start with https:// (or http://)"))
    return found


def _signature_problems(brand: Brand, path: str) -> list[Problem]:
    sources = {"signature": brand.signature} | {
        f"agent_signatures.{user}": source for user, source in brand.agent_signatures.items()
    }
    return [
        Problem(joined(path, place), said("line {line}: {message}", line=line, message=message))
        for place, source in sources.items()
        if "{" in source
        for line, message in template_problems.signature_faults(source)
    ]


def _doubled(configuration: Configuration) -> list[Problem]:
    found: list[Problem] = []
    for kind in NAMED:
        first: dict[str, int] = {}
        for index, item in enumerate(getattr(configuration, kind)):
            if item.name in first:
                message = said(
                    "{name!r} is the name of {kind}[{index}] already",
                    name=item.name,
                    kind=kind,
                    index=first[item.name],
                )
                found.append(Problem(f"{kind}[{index}].name", message))
            first.setdefault(item.name, index)
    return found


def _missing(path: str, kind: str, name: str, known: frozenset[str]) -> Problem:
    return Problem(
        path,
        said("there is no {kind} {name!r}{meant}", kind=said(kind), name=name, meant=nearest(name, known)),
    )


def _queue_problems(queue: Queue, configuration: Configuration, path: str) -> list[Problem]:
    found: list[Problem] = []
    brands = frozenset(brand.name for brand in configuration.brands)
    calendars = {each.name: each for each in configuration.hours}
    if queue.brand is not None and queue.brand not in brands:
        found.append(_missing(joined(path, "brand"), "brand", queue.brand, brands))
    if queue.hours is not None and queue.hours not in calendars:
        found.append(
            _missing(joined(path, "hours"), "calendar of business hours", queue.hours, frozenset(calendars))
        )
    calendar = calendars.get(queue.hours or "")
    if calendar is not None and not calendar.periods and queue.first_response_minutes is not None:
        message = said("can never be due: the hours {name!r} are always closed", name=calendar.name)
        found.append(Problem(joined(path, "first_response_minutes"), message))
    return found


def _rule_problems(
    rule: Rule, configuration: Configuration, known: condition_problems.Choices, path: str
) -> list[Problem]:
    found = condition_problems.problems(rule.when, known, joined(path, "when"), OPENING)
    queues = frozenset(queue.name for queue in configuration.queues)
    if rule.queue is not None and rule.queue not in queues:
        found.append(_missing(joined(path, "queue"), "queue", rule.queue, queues))
    if rule.queue is None and rule.priority is None and not rule.tags:
        found.append(Problem(path, "does nothing; give it a queue, a priority or tags"))
    return found


_IMPLIED: dict[tuple[str, str], bool] = {}
"""What was found before: who edits one of 200 rules has 200 pairs looked at, and not 20,000 (3 s)."""
MOST_KEPT = 100_000


def _implied(written: str, other: str, condition: Condition, by: Condition) -> bool:
    known = _IMPLIED.get((written, other))
    if known is None:
        if len(_IMPLIED) >= MOST_KEPT:
            _IMPLIED.clear()
        known = _IMPLIED[written, other] = implies(condition, by)
    return known


UNREACHED = {
    "queue": "is never reached: wherever it matches, the earlier rule {name!r} decides the queue",
    "priority": "is never reached: wherever it matches, the earlier rule {name!r} decides the priority",
}


def _unreached(rules: Sequence[Rule]) -> list[Problem]:
    """Rules whose queue or priority never counts, because an earlier rule matches wherever they do and decides first."""
    found: list[Problem] = []
    sound = [not condition_problems.problems(rule.when) for rule in rules]
    written = [rule.when.model_dump_json() for rule in rules]
    for index, rule in enumerate(rules):
        for what, template in UNREACHED.items():
            if getattr(rule, what) is None or not sound[index]:
                continue
            earlier = next(
                (
                    each
                    for place, each in enumerate(rules[:index])
                    if sound[place]
                    and getattr(each, what) is not None
                    and _implied(written[index], written[place], rule.when, each.when)
                ),
                None,
            )
            if earlier is not None:
                message = said(template, name=earlier.name)
                found.append(Problem(f"rules[{index}].{what}", message))
    return found
