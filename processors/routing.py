"""Routing: the rules of one version of the configuration, compiled once, decide where a new case goes, and say why.

Rules are tried in order and all are tried, because every rule that matches adds its tags. The first that matches and names a
queue decides the queue; the first that matches and names a priority decides the priority (another rule, perhaps). With no
queue from a rule the form's hint decides, where there is such a queue and it is of the same brand or of none; else the
default queue.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from processors import hours
from processors.conditions import (
    FALSE,
    PLACES,
    TRUE,
    UNSEEN,
    Compiled,
    compile_condition,
    match_span,
    needed_text,
)
from processors.looking import EXCERPT_LENGTH, MAX_WORDS, Facts, Looked, excerpt
from schemas.cases import RoutingDecision, RuleOutcome
from schemas.conditions import Clause, Operator
from schemas.configuration import BusinessHours, Configuration, Priority, Queue, Rule

OUTCOMES_KEPT = 64
"""Outcomes of one rule that are kept to be used again; a rule has few ways to go."""

RecordedFact = str | int | bool | list[str]


@dataclass(frozen=True, slots=True)
class Routed:
    queue: str
    priority: Priority
    tags: tuple[str, ...]
    decision: RoutingDecision


@dataclass(frozen=True, slots=True)
class CompiledRule:
    rule: Rule
    condition: Compiled
    outcomes: dict[tuple[bool, str], RuleOutcome] = field(default_factory=dict)

    @property
    def rejected(self) -> RuleOutcome:
        """What it comes to where the first clause decides that it does not match."""
        return self.outcome(False, FALSE + UNSEEN * (len(self.condition.clauses) - 1))

    def outcome(self, matched: bool, letters: str) -> RuleOutcome:
        known = self.outcomes.get((matched, letters))
        if known is not None:
            return known
        made = RuleOutcome(rule=self.rule.name, matched=matched, clauses=letters)
        if len(self.outcomes) < OUTCOMES_KEPT:
            self.outcomes[matched, letters] = made
        return made


class Router:
    """Raises ValueError for a configuration in which `configuration.problems` finds a fault."""

    def __init__(self, configuration: Configuration, version: int) -> None:
        self.version = version
        self.default_queue = configuration.default_queue
        self.queues: Mapping[str, Queue] = {queue.name: queue for queue in configuration.queues}
        self.hours: Mapping[str, BusinessHours] = {each.name: each for each in configuration.hours}
        self.rules = tuple(CompiledRule(rule, compile_condition(rule.when)) for rule in configuration.rules)
        same: dict[Clause, Clause] = {}
        self._seekers = tuple([_seekers(each, same) for each in self.rules])
        self._steps = tuple([(each, needed_text(each.rule.when), each.rejected) for each in self.rules])

    def route(self, facts: Facts, hint: str | None = None, brand: str | None = None) -> Routed:
        """Where the case goes. The same facts give the same decision, always; only facts that a rule looked at are kept."""
        looked = Looked(facts)
        queue: str | None = None
        decided_by: str | None = None
        priority: Priority | None = None
        tags: dict[str, None] = {}
        outcomes: list[RuleOutcome] = []
        for each, needed, outcome in self._steps:
            if needed is not None and needed[1] not in looked[needed[0]]:
                outcomes.append(outcome)
                continue
            matched, letters = each.condition.traced(looked)
            outcomes.append(each.outcome(matched, letters))
            if not matched:
                continue
            rule = each.rule
            if queue is None and rule.queue is not None:
                queue, decided_by = rule.queue, rule.name
            if priority is None:
                priority = rule.priority
            tags.update(dict.fromkeys(rule.tags))
        reason = "rule"
        if queue is None:
            queue, reason = self._without_rule(hint, brand)
        recorded = self._record(looked, outcomes)
        if reason == "hint":
            recorded["queue_hint"] = queue
        decision = RoutingDecision.model_construct(
            configuration=self.version,
            rule=decided_by,
            reason=reason,
            outcomes=tuple(outcomes),
            facts=recorded,
        )
        return Routed(queue, priority or Priority.NORMAL, tuple(tags), decision)

    def hours_of(self, queue: str | None) -> BusinessHours | None:
        """The calendar of a queue; None: always open, or no such queue."""
        known = self.queues.get(queue or "")
        return self.hours.get(known.hours) if known is not None and known.hours else None

    def within_hours(self, at: datetime, brand: str, hint: str | None = None) -> bool:
        """The fact `within_hours` of a new case: whether the queue that it goes to without any rule is open then."""
        queue, _ = self._without_rule(hint, brand)
        return hours.is_open(self.hours_of(queue), at)

    def _without_rule(self, hint: str | None, brand: str | None) -> tuple[str, str]:
        hinted = self.queues.get(hint) if hint else None
        if hinted is not None and hinted.brand in {None, brand}:
            return hinted.name, "hint"
        return self.default_queue, "default"

    def _record(self, looked: Looked, outcomes: Sequence[RuleOutcome]) -> dict[str, RecordedFact]:
        recorded: dict[str, RecordedFact] = {}
        for name in looked:
            fact = looked.facts.get(name)
            if isinstance(fact, str):
                recorded[name] = (
                    fact if len(fact) <= EXCERPT_LENGTH else self._cut(name, fact, looked[name], outcomes)
                )
            elif isinstance(fact, bool | int):
                recorded[name] = fact
            elif fact is not None and not isinstance(fact, float):
                recorded[name] = list(fact[:MAX_WORDS])
        return recorded

    def _cut(self, name: str, text: str, folded_text: str, outcomes: Sequence[RuleOutcome]) -> str:
        """A long text is cut to the places where clauses found what they look for."""
        found: dict[Clause, None] = {}
        for outcome, seekers in zip(outcomes, self._seekers, strict=True):
            if TRUE in outcome.clauses:
                for clause, place in seekers.get(name, ()):
                    if outcome.clauses[place] == TRUE:
                        found[clause] = None
        spans = [match_span(clause, text, folded_text) for clause in found]
        return excerpt(text, [span for span in spans if span is not None])


def _seekers(rule: CompiledRule, same: dict[Clause, Clause]) -> dict[str, list[tuple[Clause, int]]]:
    """Field -> the rule's clauses that find something at a place in a text, with where they stand. Of equal ones one is taken."""
    by_field: dict[str, list[tuple[Clause, int]]] = {}
    for place, clause in enumerate(rule.condition.clauses):
        if clause.operator is Operator.MATCHES or clause.operator in PLACES:
            by_field.setdefault(clause.field, []).append((same.setdefault(clause, clause), place))
    return by_field
