"""What must hold after any crash, looked up in the store and compared with what senders and receivers know."""

import base64
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from connectors.email.standin.mailbox import StoredMail
from hub.verify import Verification
from schemas.cases import CaseState
from schemas.collections import CASES, DELIVERIES
from schemas.documents import Case, Delivery, Entry, EntryKind
from schemas.outbound import DeliveryState, OutboundQueued
from schemas.ports import Engine
from schemas.steps import START, Query
from schemas.topics import Topic
from tests.faults.ledger import Ledger

PAGE = 500
MESSAGE_LETTERS = 26


@dataclass
class Books:
    """The store, read whole: cases, their entries by sequence, and what is to be sent."""

    cases: dict[UUID, Case] = field(default_factory=dict)
    entries: dict[UUID, list[Entry]] = field(default_factory=dict)
    deliveries: dict[UUID, Delivery] = field(default_factory=dict)
    queued: Counter[UUID] = field(default_factory=Counter)

    @classmethod
    async def of(cls, engine: Engine) -> "Books":
        books = cls()
        for case in await _all(engine, Query(CASES, limit=PAGE)):
            assert isinstance(case, Case)
            books.cases[case.id] = case
            books.entries[case.id] = await _entries(engine, case.id)
        for delivery in await _all(engine, Query(DELIVERIES, limit=PAGE)):
            assert isinstance(delivery, Delivery)
            books.deliveries[delivery.id] = delivery
        after = START
        seen: set[UUID] = set()
        while records := await engine.scan((Topic.OUTBOUND,), after, PAGE):
            after = records[-1].position
            for record in records:
                assert record.event is not None and isinstance(record.event.data, OutboundQueued)
                if record.id in seen and not engine.is_one_order:
                    continue  # such a log may hold an event twice
                seen.add(record.id)
                books.queued[record.event.data.message.message] += 1
        return books

    def of_kind(self, kind: EntryKind) -> list[Entry]:
        return [entry for entries in self.entries.values() for entry in entries if entry.kind is kind]

    def by_number(self, number: str) -> Case | None:
        return next((case for case in self.cases.values() if case.number == number), None)


async def broken(engine: Engine, ledger: Ledger, arrived: Sequence[StoredMail]) -> list[str]:
    """Every promise that does not hold; none when all is well. The hub must not run, or have nothing to do."""
    run = Verification(engine)
    faults = [
        f"verify: {each.promise}: {each.subject} {each.what}"
        async for each in run.faults([UUID(item) for item in ledger.items])
    ]
    books = await Books.of(engine)
    return [
        *faults,
        *_threads(books, ledger),
        *_forms(books, ledger),
        *_commands(books, ledger),
        *_snoozes(books, ledger),
        *_deliveries(books, arrived),
        *_order_of_replies(books, arrived),
    ]


def _threads(books: Books, ledger: Ledger) -> list[str]:
    """Each thread is one case, which holds its mails once each and in the order in which they were acknowledged."""
    faults = []
    messages = books.of_kind(EntryKind.MESSAGE)
    for customer, texts in ledger.threads.items():
        theirs = [entry for entry in messages if entry.actor.name == customer]
        found = [_first_line(entry) for entry in sorted(theirs, key=lambda entry: entry.sequence)]
        cases = {entry.case for entry in theirs}
        if len(cases) != 1:
            faults.append(f"{customer}: the mails lie in {len(cases)} cases")
        elif found != texts:
            faults.append(f"{customer}: acknowledged {texts}, found {found}")
    return faults


def _forms(books: Books, ledger: Ledger) -> list[str]:
    faults = []
    found = Counter(_first_line(entry) for entry in books.of_kind(EntryKind.MESSAGE))
    for text, number in ledger.forms.items():
        case = books.by_number(number)
        texts = [_first_line(entry) for entry in books.entries[case.id]] if case else []
        if found[text] != 1 or text not in texts:
            faults.append(f"form {text!r}: found {found[text]} times; its case {number} holds {texts}")
    return faults


def _commands(books: Books, ledger: Ledger) -> list[str]:
    notes = Counter(entry.text for entry in books.of_kind(EntryKind.NOTE))
    replies = Counter(entry.text for entry in books.of_kind(EntryKind.REPLY))
    faults = [f"note {text!r}: found {notes[text]} times" for text in ledger.notes if notes[text] != 1]
    for number, texts in ledger.replies.items():
        case = books.by_number(number)
        ours = [entry for entry in books.entries[case.id] if entry.kind is EntryKind.REPLY] if case else []
        found = [entry.text for entry in ours if entry.text in texts]
        if found != texts:
            faults.append(f"case {number}: answers {texts} were taken, {found} are there")
        faults += [f"answer {text!r}: found {replies[text]} times" for text in texts if replies[text] != 1]
    return faults


def _snoozes(books: Books, ledger: Ledger) -> list[str]:
    """Each time a case was put aside it came back once, by its timer."""
    faults = []
    for number, times in ledger.snoozes.items():
        case = books.by_number(number)
        if case is None:
            faults.append(f"case {number} was put aside and is not there")
            continue
        steps = [entry.step for entry in books.entries[case.id] if entry.step in ("snoozed", "woken")]
        if steps != ["snoozed", "woken"] * times or case.state is CaseState.SNOOZED:
            faults.append(f"case {number} was put aside {times} times: {steps}, and is {case.state}")
    return faults


def _deliveries(books: Books, arrived: Sequence[StoredMail]) -> list[str]:
    """Queued = arrived + failed + unknown + waiting, and no Message-ID came twice."""
    arrivals = Counter(message_of(mail.message_id) for mail in arrived)
    faults = [f"mail {message} arrived {times} times" for message, times in arrivals.items() if times != 1]
    faults += [
        f"mail {message} was queued {times} times" for message, times in books.queued.items() if times != 1
    ]
    faults += [
        f"mail {message} arrived and was never queued" for message in arrivals.keys() - books.queued.keys()
    ]
    if books.deliveries.keys() != books.queued.keys():
        faults.append("the sending queue and the log tell of different messages")
    for id, delivery in books.deliveries.items():
        allowed = ARRIVALS.get(delivery.state, (0,))
        if arrivals[id] not in allowed:
            faults.append(
                f"mail {id} is {delivery.state} and arrived {arrivals[id]} times ({delivery.reason})"
            )
    return faults


ARRIVALS = {DeliveryState.SENT: (1,), DeliveryState.UNKNOWN: (0, 1)}
"""How often a message may have arrived, by its state; else never."""


def _order_of_replies(books: Books, arrived: Sequence[StoredMail]) -> list[str]:
    """What arrived of a case's answers arrived in the order in which they were given."""
    place = {message_of(mail.message_id): mail.number for mail in arrived}
    faults = []
    for case in books.cases.values():
        replies = [
            entry
            for entry in books.entries[case.id]
            if entry.kind is EntryKind.REPLY and "send_at" not in entry.detail
        ]
        places = [place[each.message] for each in replies if each.message in place]
        if places != sorted(places):
            faults.append(f"case {case.number}: answers arrived in the order {places}")
    return faults


def message_of(message_id: str) -> UUID | None:
    """The outbound message that a Message-ID of ours names: base 32, the MAC not looked at."""
    try:
        return UUID(bytes=base64.b32decode(message_id[:MESSAGE_LETTERS].upper() + "=" * 6))
    except ValueError:
        return None


def _first_line(entry: Entry) -> str:
    """What the customer wrote, without what other fields say."""
    text = entry.form.fields["message"] if entry.form else entry.text
    lines = text.strip().splitlines()
    return lines[0] if lines else ""


async def _all(engine: Engine, query: Query) -> list[object]:
    found: list[object] = []
    while True:
        page = await engine.find(query)
        found += page.items
        if page.next is None:
            return found
        query = Query(query.collection, query.where, query.order, query.limit, page.next)


async def _entries(engine: Engine, case: UUID) -> list[Entry]:
    found: list[Entry] = []
    after: str | None = None
    while True:
        page = await engine.timeline(cases=[case], limit=PAGE, after=after)
        found += page.items
        if (after := page.next) is None:
            return sorted(found, key=lambda entry: entry.sequence)
