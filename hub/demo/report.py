"""What happened, as a table: message, case, queue and why, answer."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from hub.case_lists import CaseFilter
from hub.wiring import Hub
from schemas.accounts import ANY_QUEUE, Principal, Role
from schemas.documents import Case, Entry, EntryKind

OPERATOR = Principal(kind="operator", id="demo", roles={ANY_QUEUE: Role.ADMIN})
COLUMNS = ("message", "case", "queue and why", "answer")
WIDTHS = (44, 11, 48, 30)


@dataclass(frozen=True, slots=True)
class Row:
    message: str
    case: str
    why: str
    answer: str


async def rows(hub: Hub) -> list[Row]:
    """One row a message, in the order of arrival."""
    found: list[tuple[Entry, Row]] = []
    after: str | None = None
    while True:
        page = await hub.service.cases(OPERATOR, CaseFilter(states=(), sort="newest"), 200, after)
        for case in page.items:
            found += await _rows_of(hub, case)
        if page.next is None:
            break
        after = page.next
    return [row for _, row in sorted(found, key=lambda each: each[0].received_at)]


async def _rows_of(hub: Hub, case: Case) -> list[tuple[Entry, Row]]:
    page = await hub.service.timeline(OPERATOR, case, limit=200)
    entries = sorted(page.items, key=lambda entry: entry.sequence)
    explanation = await hub.service.explain(OPERATOR, case)
    result = []
    for index, entry in enumerate(entries):
        if entry.kind is not EntryKind.MESSAGE:
            continue
        sender = entry.actor.name
        why = explanation.sentences[0] if entry.step == "opened" else f"{case.queue}: it belongs to the case"
        message = f"{entry.channel}: {sender}: {entry.subject or entry.text[:40]}"
        result.append((entry, Row(message, case.number, why, _answer(entries[index + 1 :]))))
    return result


def _answer(later: Sequence[Entry]) -> str:
    for entry in later:
        if entry.kind is EntryKind.MESSAGE:
            break
        if entry.kind is EntryKind.REPLY:
            names = (
                each.value if "@" in each.value else each.name or each.value for each in entry.participants
            )
            return f"{entry.delivery or 'queued'} to {', '.join(names)}"
    return "none"


def table(found: Sequence[Row]) -> str:
    lines = ["  ".join(name.ljust(width) for name, width in zip(COLUMNS, WIDTHS, strict=True)).rstrip()]
    lines.append("  ".join("-" * width for width in WIDTHS))
    for row in found:
        cells = [
            textwrap.wrap(text, width, break_long_words=True) or [""]
            for text, width in zip((row.message, row.case, row.why, row.answer), WIDTHS, strict=True)
        ]
        for index in range(max(map(len, cells))):
            parts = [cell[index] if index < len(cell) else "" for cell in cells]
            lines.append(
                "  ".join(part.ljust(width) for part, width in zip(parts, WIDTHS, strict=True)).rstrip()
            )
    return "\n".join(lines)
