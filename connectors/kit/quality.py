"""The quality scale: named rules in tiers, each of which a channel states as done, or exempt with a reason.

What is not stated is open. A table of all channels is generated into docs/connectors.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Tier(IntEnum):
    """Each tier includes the ones before it."""

    SAFE = 1
    WHOLE = 2
    EASY = 3


class Rule(StrEnum):
    VERIFIES_RAW_BYTES = "verifies-raw-bytes"
    ACKNOWLEDGES_AFTER_LOG = "acknowledges-after-log"
    KEEPS_ORIGINALS = "keeps-originals"
    QUARANTINES_MALFORMED = "quarantines-malformed"
    BOUNDS_INPUT = "bounds-input"
    HIDES_SECRETS = "hides-secrets"
    ENDS_EVERY_SEND = "ends-every-send"
    PASSES_CONTRACT = "passes-contract"
    RESUMES_WITHOUT_GAP = "resumes-without-gap"
    RECOGNISES_OWN_ECHO = "recognises-own-echo"
    ROTATES_SECRETS = "rotates-secrets"
    FOLLOWS_EDITS_AND_DELETIONS = "follows-edits-and-deletions"
    OBEYS_RATE_LIMITS = "obeys-rate-limits"
    FETCHES_FILES_SAFELY = "fetches-files-safely"
    SETTLES_UNKNOWN_SENDS = "settles-unknown-sends"
    HAS_STANDIN = "has-standin"
    TESTED_WITH_REAL_PEER = "tested-with-real-peer"
    CHECKS_CREDENTIALS = "checks-credentials"
    TRIES_PAYLOADS = "tries-payloads"
    HAS_FIXTURES = "has-fixtures"
    HAS_OPERATOR_PAGE = "has-operator-page"
    REPORTS_HEALTH = "reports-health"


RULES: Mapping[Rule, tuple[Tier, str]] = {
    Rule.VERIFIES_RAW_BYTES: (Tier.SAFE, "Who sent it is proven on the raw bytes, before anything is parsed"),
    Rule.ACKNOWLEDGES_AFTER_LOG: (Tier.SAFE, "The source is told `done` only when the log has it durably"),
    Rule.KEEPS_ORIGINALS: (Tier.SAFE, "The original is kept with its event, and can be read again"),
    Rule.QUARANTINES_MALFORMED: (Tier.SAFE, "What cannot be read is kept, and never makes the source drop or repeat it for ever"),
    Rule.BOUNDS_INPUT: (Tier.SAFE, "Size, time and count of everything from outside are limited"),
    Rule.HIDES_SECRETS: (Tier.SAFE, "No secret in logs, addresses, metrics, errors or events"),
    Rule.ENDS_EVERY_SEND: (Tier.SAFE, "Every send ends in sent, failed or unknown; what may have arrived is not sent again"),
    Rule.PASSES_CONTRACT: (Tier.SAFE, "The contract suite passes"),
    Rule.RESUMES_WITHOUT_GAP: (Tier.WHOLE, "After an outage of either side nothing is missing"),
    Rule.RECOGNISES_OWN_ECHO: (Tier.WHOLE, "What we sent is no message of a customer when it comes back"),
    Rule.ROTATES_SECRETS: (Tier.WHOLE, "Two secrets are valid at once, so that changing one loses nothing"),
    Rule.FOLLOWS_EDITS_AND_DELETIONS: (Tier.WHOLE, "What customers change or take back is told, by whoever does it"),
    Rule.OBEYS_RATE_LIMITS: (Tier.WHOLE, "The channel's limits are learned from its answers, and kept"),
    Rule.FETCHES_FILES_SAFELY: (Tier.WHOLE, "Files come by the guarded downloader, or with the message itself"),
    Rule.SETTLES_UNKNOWN_SENDS: (Tier.WHOLE, "An unknown send is settled by the channel's own means"),
    Rule.HAS_STANDIN: (Tier.EASY, "The other side, played by us, ships in the folder"),
    Rule.TESTED_WITH_REAL_PEER: (Tier.EASY, "A real server or the vendor's own client takes part in the tests"),
    Rule.CHECKS_CREDENTIALS: (Tier.EASY, "`hubbub connectors check` tries credentials and permissions, and says where to click"),
    Rule.TRIES_PAYLOADS: (Tier.EASY, "`hubbub connectors try` shows what a payload becomes"),
    Rule.HAS_FIXTURES: (Tier.EASY, "Payloads are files beside the parser"),
    Rule.HAS_OPERATOR_PAGE: (Tier.EASY, "A page says how to create the app, scopes, addresses, limits and costs"),
    Rule.REPORTS_HEALTH: (Tier.EASY, "Last success, oldest unfetched and next retry are told"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quality:
    """What a channel says of itself."""

    done: frozenset[Rule]
    exempt: Mapping[Rule, str]

    @property
    def open(self) -> tuple[Rule, ...]:
        return tuple(rule for rule in RULES if rule not in self.done and rule not in self.exempt)

    @property
    def tier(self) -> Tier | None:
        """The highest tier of which, and of those before, no rule is open; None while the first has one."""
        missing = [RULES[rule][0] for rule in self.open]
        reached = [tier for tier in Tier if not any(each <= tier for each in missing)]
        return max(reached, default=None)


def quality(*done: Rule, exempt: Mapping[Rule, str] | None = None) -> Quality:
    """Raises ValueError where a rule is stated twice, or exempt without a reason."""
    exempt = dict(exempt or {})
    twice = [rule for rule in done if rule in exempt]
    if twice or len(set(done)) != len(done):
        raise ValueError(f"stated twice: {', '.join(twice) or 'a rule that is done'}")
    silent = [rule for rule, reason in exempt.items() if len(reason) < 10]
    if silent:
        raise ValueError(f"exempt without a reason: {', '.join(silent)}")
    return Quality(frozenset(done), exempt)
