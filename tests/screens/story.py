"""What the pictures show: a Monday morning at ten past ten, with enough of everything to look at."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.commands import ClaimCase, NoteCase, ReplyToCase
from schemas.documents import Case
from tests.hub.console.office import Office
from tests.support.clock import MONDAY_MORNING

OTHERS = (
    ("Jürgen Brandt", "Invoice 2026-118 was charged twice", 190),
    ("Layla Haddad", "طلب استرجاع المبلغ", 15),
    ("Olu Adeyemi", "Can I change the size?", 12),
    ("Zoë Smith", "Return of the espresso machine", 170),
    ("Pat Lee", "Do you ship to Norway?", 9),
    ("Sofia Rossi", "A gift voucher, please", 4),
)


@dataclass
class Morning:
    """A clock that goes on by itself only as far as the story needs."""

    at: datetime = MONDAY_MORNING + timedelta(hours=1, minutes=7)

    def now(self) -> datetime:
        return self.at

    def advance(self, **units: float) -> None:
        self.at += timedelta(**units)


async def told(office: Office) -> Case:
    """Lets the morning happen. Returns the case that is looked at."""
    case = await office.write(
        "a",
        "Where is my parcel?",
        'Hello,\n\nmy order 1187 was to come last Friday. The page says "in transit" since then.\n'
        "Could you have a look?\n\nMara",
        ago=timedelta(minutes=47),
        attached={"delivery note.pdf": b"%PDF" * 9000},
    )
    await office.do("ann", ClaimCase, case)
    await office.do("bo", NoteCase, case, text="The carrier says it is in Linz and comes on Tuesday.")
    await office.do(
        "ann",
        ReplyToCase,
        case,
        text="Hello Mara,\n\nit waits in Linz and will be with you on Tuesday. I am sorry for the delay.\n\nAnn",
    )
    office.clock.advance(minutes=3)
    await office.write(
        "b",
        "Re: Where is my parcel?",
        "Thank you! May I change the address?\n\nAnn wrote:\n> it waits in Linz",
        content={"text_new": "Thank you! May I change the address?"},
        conversation="mail:a",
        parents=("mail:a",),
    )
    for number, (name, subject, minutes) in enumerate(OTHERS):
        other = await office.write(
            f"other-{number}",
            subject,
            f"Hello, {subject}",
            sender=f"other-{number}@example.org",
            sender_name=name,
            ago=timedelta(minutes=minutes),
        )
        if name == "Zoë Smith":
            await office.do("bo", ClaimCase, other)
    await office.fill_in(
        "form", {"Subject": "Question about shoes", "Message": "Are they wide?"}, ago=timedelta(minutes=2)
    )
    return case
