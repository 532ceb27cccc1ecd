"""Where a signature begins: the mark of RFC 3676 (4.3) with what people make of it, and what mobile programs add."""

from collections.abc import Sequence

from connectors.email.parse.quote_tables import SENT_FROM, SENT_FROM_ENDINGS

DRAWN = (frozenset("_"), frozenset("—–―"))
MOST_LINES = 12
LONGEST_LINE = 100
MARKS = frozenset({"--", "—", "—-", "-—", "――", "––", "__", "___", "- -"})
LONGEST_SENT_FROM = 90
ARMOR_BEGIN = "-----BEGIN PGP SIGNED MESSAGE-----"
ARMOR_SIGNATURE = "-----BEGIN PGP SIGNATURE-----"


def begins_signature(lines: Sequence[str], position: int) -> bool:
    """A mark of its own, or a drawn line with only a few short lines below it, down to the end or to a quote."""
    stripped = lines[position].strip()
    if stripped in MARKS:
        return True
    if (
        len(stripped) < 3
        or not any(mark.issuperset(stripped) for mark in DRAWN)
        or len(stripped) > LONGEST_LINE
    ):
        return False
    filled = 0
    for line in lines[position + 1 : position + 1 + 2 * MOST_LINES]:
        text = line.strip()
        if text.startswith(">"):
            break
        filled += bool(text)
        if len(text) > LONGEST_LINE or filled > MOST_LINES:
            return False
    return filled > 0


def is_sent_from(stripped: str) -> bool:
    """`Sent from my phone` and its kin. A sentence that goes on after a comma is what somebody wrote."""
    if len(stripped) > LONGEST_SENT_FROM:
        return False
    lowered = stripped.lower().strip("*_<>[]() \t")
    if lowered.startswith(SENT_FROM):
        is_sentence = lowered.endswith(".") and len(lowered.split()) > 6
        return "," not in lowered and not is_sentence and not lowered.endswith(("?", "!"))
    return lowered.endswith(SENT_FROM_ENDINGS) and len(lowered) <= 60


def without_armor(text: str) -> str:
    """The signed text of a clear-signed mail (RFC 9580, 7), without the lines that PGP puts around it."""
    begin = text.find(ARMOR_BEGIN)
    if begin < 0:
        return text
    start = text.find("\n\n", begin)
    end = text.find(ARMOR_SIGNATURE, begin)
    if start < 0 or end < start:
        return text
    signed = "\n".join(line.removeprefix("- ") for line in text[start + 2 : end].split("\n"))
    return text[:begin] + signed
