"""`mails`: everyday mails parsed in a second by the pure parser, on one core."""

from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from random import Random

from connectors.email.parse import parse_mail
from tests.bench.apply import rates
from tests.bench.measuring import Figure, Timed, settle
from tests.bench.workload import BEGIN, a_text

ATTACHMENTS = 0.2
HTML = 0.7
ATTACHED_BYTES = 40_000


def everyday(count: int, seed: int = 1) -> list[bytes]:
    """Plain and HTML mails, most with a quoted answer, some with a file."""
    random = Random(seed)
    return [_mail(random, number) for number in range(count)]


def _mail(random: Random, number: int) -> bytes:
    mail = EmailMessage()
    mail["From"] = f"Customer {number} <customer-{number}@customer.example>"
    mail["To"] = "support@company.example"
    mail["Subject"] = f"Re: Grüße, order {number}"
    mail["Date"] = format_datetime(BEGIN)
    mail["Message-ID"] = f"<{number}.{random.getrandbits(64):x}@customer.example>"
    mail["References"] = f"<{number - 1}@company.example>"
    text, quoted = a_text(random), a_text(random)
    lines = "\n".join(f"> {quoted[start : start + 70]}" for start in range(0, len(quoted), 70))
    mail.set_content(f"{text}\n\nOn Mon, 2 Mar 2026 at 09:00, Support wrote:\n{lines}\n")
    if random.random() < HTML:
        mail.add_alternative(
            f"<html><body><p>{text}</p><blockquote type='cite'><p>{quoted}</p></blockquote></body></html>",
            subtype="html",
        )
    if random.random() < ATTACHMENTS:
        mail.add_attachment(
            random.randbytes(ATTACHED_BYTES), maintype="application", subtype="pdf", filename="invoice.pdf"
        )
    return mail.as_bytes()


def measure(folder: Path, count: int, runs: int) -> Figure:
    mails = everyday(count)
    timings = []
    for _ in range(runs):
        timed = Timed()
        settle()
        with timed.section():
            for raw in mails:
                parse_mail(raw)
        timings.append((count, timed))
    return {"mails": count, "bytes_a_mail": sum(map(len, mails)) // count, **rates(timings)}
