"""Why a case is where it is, in sentences, from the decision that was stored and the configuration of its version."""

from collections.abc import Mapping
from dataclasses import dataclass

from processors.explaining import because, explain, quoted
from schemas.cases import RoutingDecision, RuleOutcome
from schemas.configuration import Configuration, Rule
from schemas.sentences import both, listed, said


@dataclass(frozen=True, slots=True)
class RuleExplanation:
    """How one rule went. `clauses` has a sentence a clause, `effect` what the rule did or would have done."""

    rule: str
    title: str
    matched: bool
    effect: str
    clauses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """`sentences` say it all to a person: the queue first, then priority and tags. `rules` are in the order they were tried."""

    sentences: tuple[str, ...]
    rules: tuple[RuleExplanation, ...]


def explain_decision(decision: RoutingDecision, configuration: Configuration) -> Explanation:
    """`configuration` must be the version that the decision names; a rule that it lacks is said to be gone."""
    rules = {rule.name: rule for rule in configuration.rules}
    titles = {queue.name: queue.title for queue in configuration.queues}
    sentences = [_queue_sentence(decision, configuration, rules, titles)]
    sentences += _priority_sentences(decision, rules)
    sentences += _tag_sentences(decision, rules)
    return Explanation(
        tuple(sentences), tuple(_rule(each, rules, decision, titles) for each in decision.outcomes)
    )


def _queue_sentence(
    decision: RoutingDecision,
    configuration: Configuration,
    rules: Mapping[str, Rule],
    titles: Mapping[str, str],
) -> str:
    version = said("version {number}", number=decision.configuration)
    if decision.rule is not None:
        rule = rules.get(decision.rule)
        if rule is None or rule.queue is None:
            return said(
                "By the rule {rule}, {version}, which can no longer be shown.",
                rule=decision.rule,
                version=version,
            )
        outcome = next((each for each in decision.outcomes if each.rule == rule.name), None)
        return said(
            "{queue}, because {reason} ({rule}, {version}).",
            queue=titles.get(rule.queue, rule.queue),
            reason=_reason(rule, outcome),
            rule=_named(rule),
            version=version,
        )
    if decision.reason == "hint":
        hinted = str(decision.facts.get("queue_hint", ""))
        return said(
            "{queue}, because the form asks for it and no rule chose a queue ({version}).",
            queue=titles.get(hinted, hinted),
            version=version,
        )
    if decision.reason == "default":
        default = configuration.default_queue
        return said(
            "{queue}, the default queue, because no rule chose another ({version}).",
            queue=titles.get(default, default),
            version=version,
        )
    return said("Put there by an {reason} ({version}).", reason=said(decision.reason), version=version)


def _priority_sentences(decision: RoutingDecision, rules: Mapping[str, Rule]) -> list[str]:
    for outcome in decision.outcomes:
        rule = rules.get(outcome.rule)
        if outcome.matched and rule is not None and rule.priority is not None:
            return [
                said(
                    "Priority {priority}, because {reason} ({rule}).",
                    priority=said(rule.priority),
                    reason=_reason(rule, outcome),
                    rule=_named(rule),
                )
            ]
    return []


def _tag_sentences(decision: RoutingDecision, rules: Mapping[str, Rule]) -> list[str]:
    sentences: list[str] = []
    for outcome in decision.outcomes:
        rule = rules.get(outcome.rule)
        if outcome.matched and rule is not None and rule.tags:
            is_one = len(rule.tags) == 1
            template = (
                "Tag {tags}, because {reason} ({rule})."
                if is_one
                else "Tags {tags}, because {reason} ({rule})."
            )
            sentences.append(
                said(template, tags=quoted(rule.tags), reason=_reason(rule, outcome), rule=_named(rule))
            )
    return sentences


def _reason(rule: Rule, outcome: RuleOutcome | None) -> str:
    phrases = because(rule.when, outcome.clauses) if outcome else []
    return both(phrases) or said("the rule always holds")


def _named(rule: Rule) -> str:
    return said("rule {title}", title=rule.title or rule.name)


def _rule(
    outcome: RuleOutcome, rules: Mapping[str, Rule], decision: RoutingDecision, titles: Mapping[str, str]
) -> RuleExplanation:
    rule = rules.get(outcome.rule)
    if rule is None:
        return RuleExplanation(outcome.rule, outcome.rule, outcome.matched, said("is no longer there"), ())
    sentences = tuple(explain(rule.when, decision.facts, outcome.clauses))
    return RuleExplanation(
        rule.name,
        rule.title or rule.name,
        outcome.matched,
        _effect(rule, outcome, decision, titles),
        sentences,
    )


def _effect(rule: Rule, outcome: RuleOutcome, decision: RoutingDecision, titles: Mapping[str, str]) -> str:
    if not outcome.matched:
        return said("did not match")
    done: list[str] = []
    if rule.queue is not None and rule.name == decision.rule:
        done.append(said("chose {queue}", queue=titles.get(rule.queue, rule.queue)))
    elif rule.queue is not None:
        done.append(said("came too late to choose {queue}", queue=titles.get(rule.queue, rule.queue)))
    if rule.priority is not None:
        done.append(said("asked for priority {priority}", priority=said(rule.priority)))
    if rule.tags:
        done.append(said("added {tags}", tags=quoted(rule.tags)))
    return said("matched: {done}", done=listed(done) or said("nothing to do"))
