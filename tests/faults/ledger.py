"""What senders were told: their own record, kept outside the hub. Texts are unique, so that each can be looked for."""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field


@dataclass
class Ledger:
    """Only what was acknowledged stands here; what was tried and not answered is tried again until it is."""

    items: list[str] = field(default_factory=list)
    """Item ids out of 250 answers and answers of forms."""
    threads: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Customer -> texts of the mails, in the order in which they were taken."""
    forms: dict[str, str] = field(default_factory=dict)
    """Text -> number of the case that the customer was told."""
    notes: list[str] = field(default_factory=list)
    replies: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Case number -> texts of the agent's answers, in the order in which they were taken."""
    snoozes: Counter[str] = field(default_factory=Counter)
    """Case number -> how often it was put aside until a time that has come."""

    def to_json(self) -> str:
        return json.dumps(vars(self))

    @classmethod
    def from_json(cls, text: str) -> "Ledger":
        stored = json.loads(text)
        ledger = cls(items=stored["items"], forms=stored["forms"], notes=stored["notes"])
        ledger.threads.update(stored["threads"])
        ledger.replies.update(stored["replies"])
        ledger.snoozes.update(stored["snoozes"])
        return ledger

    def __str__(self) -> str:
        mails = sum(map(len, self.threads.values()))
        replies = sum(map(len, self.replies.values()))
        return (
            f"{mails} mails in {len(self.threads)} threads, {len(self.forms)} forms, {len(self.notes)} notes, "
            f"{replies} answers, {self.snoozes.total()} snoozes"
        )
