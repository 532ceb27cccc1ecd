"""The topics: a typed table that is the public contract with those who subscribe."""

from dataclasses import dataclass

from schemas.enums import Choice


class Topic(Choice):
    INTERACTIONS = "interactions"
    IDENTITY = "identity"
    COMMANDS = "commands"
    CASES = "cases"
    AUTOMATION = "automation"
    OUTBOUND = "outbound"
    DELIVERIES = "deliveries"
    CONFIGURATION = "configuration"
    AUDIT = "audit"
    QUARANTINE = "quarantine"
    DEAD_LETTERS = "dead-letters"


@dataclass(frozen=True, slots=True)
class TopicContract:
    """`key` says what orders the topic; `retention_days` None keeps its events for ever."""

    key: str
    says: str
    retention_days: int | None = None


TOPICS: dict[Topic, TopicContract] = {
    Topic.INTERACTIONS: TopicContract("conversation", "what the outside world did"),
    Topic.IDENTITY: TopicContract("handle", "handle seen, linked, unlinked (with evidence), consent"),
    Topic.COMMANDS: TopicContract("case", "what policies and timers ask for"),
    Topic.CASES: TopicContract(
        "case", "every change of a case, with the case's sequence; a case is the fold of these"
    ),
    Topic.AUTOMATION: TopicContract("case", "rule fired, rule suppressed", 400),
    Topic.OUTBOUND: TopicContract("conversation", "what is to be sent"),
    Topic.DELIVERIES: TopicContract("conversation", "sent, failed, unknown, settled"),
    Topic.CONFIGURATION: TopicContract("one", "each version of rules, queues, templates, hours"),
    Topic.AUDIT: TopicContract("actor", "sign-ins, exports, permission changes, reads of originals", 400),
    Topic.QUARANTINE: TopicContract("as the source", "what could not be parsed: original, reason, stage"),
    Topic.DEAD_LETTERS: TopicContract(
        "as the source", "what could not be processed: original, reason, attempts"
    ),
}
