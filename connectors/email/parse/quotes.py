"""What is new in a plain text reply: without what it quotes, without its signature.

One pass over the lines, each classified by comparisons of bounded length, so any text takes linear time; the usual
regular expressions for this need minutes for some 200 KB texts.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from connectors.email.parse.quote_tables import (
    FORWARDED_MESSAGES,
    FROM_LABELS,
    ORIGINAL_MESSAGES,
    SENT_LABELS,
    SUBJECT_LABELS,
    TO_LABELS,
    WROTE_BEGINNINGS,
    WROTE_ENDINGS,
    WROTE_MIDDLES,
)
from connectors.email.parse.signatures import begins_signature, is_sent_from

LONGEST_HEADER = 400  # characters of a "wrote" line, wrapped lines joined
LONGEST_WRAP = 5  # lines that such a line is wrapped into
LONGEST_LABEL = 40
WRAPPED_LINE = 60  # characters from which a quoted line may have been wrapped
BLOCK_LINES = 12  # lines in which the labels of a header block stand
RULE_CHARACTERS = frozenset("-_=*—–―─━~＿－ ")
QUOTE_MARKS = (">", "＞")
PROCESSED_BY = ("original message processed by", "ursprüngliche nachricht verarbeitet")
EMPTY_LINES = re.compile(r"\n{3,}")
EMPHASIS = "*_ \t\u200e\u200f\u202a\u202b\u202c\ufeff\xa0"


@dataclass(frozen=True)
class SplitReply:
    """`new` may be empty. `is_forward` says that what was cut is passed on rather than answered."""

    new: str
    has_quote: bool
    is_forward: bool = False


def split_reply(text: str) -> SplitReply:
    lines = text.split("\n")
    kept: list[str] = []
    has_quote = False
    position = 0
    while position < len(lines):
        line = lines[position]
        stripped = line.strip()
        if not stripped:
            kept.append("")
            position += 1
            continue
        if stripped.startswith(QUOTE_MARKS):
            has_quote = True
            position += 2 if _spills_over(lines, position) else 1
            continue
        if is_separator(stripped, ORIGINAL_MESSAGES):
            return _finish(kept, has_quote=True)
        if is_separator(stripped, FORWARDED_MESSAGES):
            return _finish(kept, has_quote=True, is_forward=True)
        if starts_header_block(lines, position):
            return _finish(kept, has_quote=True)
        header_lines = wrote_lines(lines, position)
        if header_lines:
            has_quote = True
            position += header_lines
            following = _next_filled(lines, position)
            if following is None or not lines[following].strip().startswith(QUOTE_MARKS):
                return _finish(kept, has_quote=True)
            position = following
            continue
        if is_sent_from(stripped) or begins_signature(lines, position):
            position = _after_signature(lines, position)
            continue
        kept.append(line)
        position += 1
    return _finish(kept, has_quote)


def _finish(kept: list[str], has_quote: bool, is_forward: bool = False) -> SplitReply:
    while kept and (not kept[-1].strip() or is_rule(kept[-1].strip())):
        kept.pop()
    lines = [line.rstrip().strip("\u200b\ufeff") for line in kept]
    text = EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip("\n")
    return SplitReply(text, has_quote, is_forward)


def _after_signature(lines: Sequence[str], position: int) -> int:
    """A signature reaches to the next quote or the end; text below a quote was written by the sender again."""
    position += 1
    while position < len(lines):
        stripped = lines[position].strip()
        if stripped.startswith(QUOTE_MARKS):
            return position
        if stripped and (
            is_separator(stripped, ORIGINAL_MESSAGES)
            or is_separator(stripped, FORWARDED_MESSAGES)
            or starts_header_block(lines, position)
            or wrote_lines(lines, position)
        ):
            return position
        position += 1
    return position


def _spills_over(lines: Sequence[str], position: int) -> bool:
    """A quoted line that was wrapped on the way: its rest stands without a mark between quoted lines."""
    line = lines[position].rstrip()
    if len(line) < WRAPPED_LINE or position + 1 >= len(lines):
        return False
    rest = lines[position + 1].strip()
    if not rest or rest.startswith(QUOTE_MARKS):
        return False
    if position + 2 < len(lines) and lines[position + 2].strip():
        return lines[position + 2].strip().startswith(QUOTE_MARKS)
    return not line.endswith((".", "!", "?", ":")) or rest[:1].islower()


def _next_filled(lines: Sequence[str], position: int) -> int | None:
    for index in range(position, len(lines)):
        if lines[index].strip():
            return index
    return None


def is_rule(stripped: str) -> bool:
    """A line of dashes or underscores only."""
    return len(stripped) >= 3 and RULE_CHARACTERS.issuperset(stripped[:500])


def is_separator(stripped: str, wordings: tuple[str, ...]) -> bool:
    """`-----Original Message-----` and its kin: one of the wordings between dashes, or Apple's line that ends in a colon."""
    if len(stripped) > 120:
        return False
    lowered = stripped.lower()
    core = lowered.strip("-_=*—–―─━~＿－> \t:：|<")
    if not core.startswith(wordings):
        return False
    if core.startswith(PROCESSED_BY):
        return True
    is_dashed = lowered[0] in "-_=*—–―─━~＿－" and lowered[:2].strip("-_=*—–―─━~＿－") == ""
    if is_dashed:
        return True
    return core in wordings and stripped.endswith((":", "："))


def wrote_lines(lines: Sequence[str], position: int) -> int:
    """How many lines from `position` announce a quote ("On … X wrote:"); 0 if none does."""
    first = lines[position].strip(EMPHASIS + "-")
    if len(first) > LONGEST_HEADER or not _may_begin(first):
        return 0
    joined = ""
    for count in range(LONGEST_WRAP):
        if position + count >= len(lines):
            return 0
        line = lines[position + count].strip(EMPHASIS + "-")
        if not line or len(joined) + len(line) > LONGEST_HEADER:
            return 0
        joined = f"{joined} {line}" if joined else line
        if _announces(joined) or _stands_above_quote(lines, position + count + 1, joined):
            return count + 1
    return 0


def _stands_above_quote(lines: Sequence[str], position: int, joined: str) -> bool:
    """Wordings that no table has: a date and an address right above a quote say enough."""
    if "@" not in joined or not _is_dated(joined) or not joined.lower().startswith(WROTE_BEGINNINGS):
        return False
    following = position
    while following < len(lines) and following < position + 2 and not lines[following].strip():
        following += 1
    return following < len(lines) and lines[following].strip().startswith(QUOTE_MARKS)


def _may_begin(line: str) -> bool:
    lowered = line[:40].lower()
    return (
        lowered.startswith(WROTE_BEGINNINGS)
        or "@" in line
        or '"' in line
        or line.endswith((":", "：", "<"))
        or _has_digits(line)
    )


def _has_digits(line: str) -> bool:
    return sum(character.isdigit() for character in line[:200]) >= 3


def _announces(line: str) -> bool:
    lowered = line.lower().strip(EMPHASIS)
    ends_in_colon = lowered.endswith((":", "："))
    core = lowered.rstrip(":： " + EMPHASIS)
    has_evidence = _has_digits(line) or "@" in line
    if not has_evidence:
        return False
    if core.endswith(WROTE_ENDINGS):
        return ends_in_colon or (_is_dated(core) and (core.startswith(WROTE_BEGINNINGS) or "@" in core))
    if not ends_in_colon:
        return False
    if _is_dated(core) and any(verb in lowered for verb in WROTE_MIDDLES):
        return True
    # "2017-11-24 16:32 GMT+01:00 Name <address>:" and its kin: a date, an address, a colon.
    return _is_dated(core) and core.endswith((">", ")")) and "@" in core


def _is_dated(lowered: str) -> bool:
    """A clock time or a year with a day; cheap, because the wordings of dates are endless."""
    digits = sum(character.isdigit() for character in lowered)
    return digits >= 5 or (digits >= 3 and any(mark in lowered for mark in (":", "/", "-", ".")))


def label_of(line: str) -> str:
    """The lower-case label of a `Label: value` line, empty if there is none."""
    text = line[:200].strip(EMPHASIS + "|")
    for mark in (":", "："):
        label, colon, _ = text.partition(mark)
        if colon and len(label) <= LONGEST_LABEL:
            return label.strip(EMPHASIS).lower()
    return ""


def starts_header_block(lines: Sequence[str], position: int) -> bool:
    """`From:` with at least two of sent, to and subject in the next lines, in any language; order does not matter."""
    first = label_of(lines[position])
    if not first or not _kinds(first):
        return False
    found: set[str] = set()
    filled = 0
    for line in lines[position : position + BLOCK_LINES]:
        if not line.strip():
            continue
        filled += 1
        kinds = _kinds(label_of(line))
        if kinds:
            found.add(next(iter(kinds - found), next(iter(kinds))))
        elif filled > 1 and not line[:1].isspace() and "@" not in line and len(found) < 2:
            return False
    return "from" in found and len(found) >= 3


def _kinds(label: str) -> set[str]:
    kinds = set()
    if label in FROM_LABELS:
        kinds.add("from")
    if label in SENT_LABELS:
        kinds.add("sent")
    if label in TO_LABELS:
        kinds.add("to")
    if label in SUBJECT_LABELS:
        kinds.add("subject")
    return kinds
