"""Which conversation a mail belongs to. The key is a pure function of the mail and never changes.

Our reply token or one of our Message-IDs names the case; else the first id of References, else In-Reply-To, else the
mail's own id is the key. Case numbers in the subject are weak and only passed on.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from connectors.email.envelope import Envelope
from connectors.email.parse import ParsedMail
from connectors.email.tokens import Tokens, case_reference, mail_reference
from schemas.ids import parse_case_number

NUMBER = re.compile(r"\[#\s{0,3}([0-9A-Za-z]{5}[- ]?[0-9A-Za-z]{5})\s{0,3}\]")
MOST = 50


@dataclass(frozen=True, slots=True)
class Thread:
    conversation: str
    parents: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()


def thread_of(mail: ParsedMail, envelope: Envelope, message_id: str, tokens: Tokens) -> Thread:
    """`message_id` is the mail's own, or the one derived for it."""
    answered = list(_answered(mail))
    cases = tuple(dict.fromkeys(_cases(mail, envelope, answered, tokens)))
    root = next((each for each in (*mail.references[:1], mail.in_reply_to) if each), message_id)
    return Thread(
        conversation=cases[0] if cases else mail_reference(root),
        parents=tuple(mail_reference(each) for each in answered if each != message_id)[:MOST],
        tokens=cases[:MOST],
        numbers=_numbers(mail.subject),
    )


def _answered(mail: ParsedMail) -> Iterator[str]:
    """Ids of the mails that this one answers, the nearest first, none twice."""
    nearest_first = [mail.in_reply_to, *reversed(mail.references)]
    return iter(dict.fromkeys(each for each in nearest_first if each))


def _cases(mail: ParsedMail, envelope: Envelope, answered: list[str], tokens: Tokens) -> Iterator[str]:
    written = [each.address for each in (*mail.to, *mail.cc)]
    for address in [*written, *mail.delivered_to, *envelope.recipients]:
        case = tokens.case_of_address(address)
        if case is not None:
            yield case_reference(case)
    for identifier in answered:
        own = tokens.own_message(identifier)
        if own is not None and own.case is not None:
            yield case_reference(own.case)


def _numbers(subject: str) -> tuple[str, ...]:
    found = (parse_case_number(text) for text in NUMBER.findall(subject[:2000]))
    return tuple(dict.fromkeys(each for each in found if each))[:5]
