"""Where a signature begins: the mark of RFC 3676 (4.3) with what people make of it, and what mobile programs add."""

from connectors.email.parse.quote_tables import SENT_FROM, SENT_FROM_ENDINGS

MARKS = frozenset({"--", "—", "—-", "-—", "――", "––", "__", "___", "- -"})
LONGEST_SENT_FROM = 90


def is_signature_mark(line: str) -> bool:
    return line.strip() in MARKS


def is_sent_from(stripped: str) -> bool:
    """`Sent from my phone` and its kin. A sentence that goes on after a comma is what somebody wrote."""
    if len(stripped) > LONGEST_SENT_FROM:
        return False
    lowered = stripped.lower().strip("*_<>[]() \t")
    if lowered.startswith(SENT_FROM):
        return "," not in lowered and not lowered.endswith(("?", "!"))
    return lowered.endswith(SENT_FROM_ENDINGS) and len(lowered) <= 60
