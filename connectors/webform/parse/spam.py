"""What speaks against an entry. Each sign has a weight; their sum says whether it is looked at with suspicion."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from connectors.kit.signed_tokens import Issued
from connectors.webform.settings import SpamSettings

SUSPECT = "suspect"
SPAM = "spam"
SUSPECT_FROM = 3
SPAM_FROM = 8
# A post without a token is what a script on the company's own site sends too, so that alone proves nothing.
WEIGHTS = {
    "honeypot-filled": 8,
    "filled-too-fast": 5,
    "token-false": 5,
    "token-used-again": 5,
    "token-too-old": 3,
    "token-missing": 2,
    "work-missing": 4,
    "many-links": 3,
}
LINK = re.compile(r"https?://|\bwww\.|<a\s|\[url", re.IGNORECASE)
LONGEST_SOLUTION = 20


@dataclass(frozen=True, slots=True)
class Signs:
    """What is known of how an entry was made."""

    texts: tuple[str, ...]
    honeypot: str = ""
    token: str = ""
    issued: Issued | None = None
    """What the token says; None where it is missing or not ours."""
    key: str = ""
    solution: str = ""


def judge(signs: Signs, settings: SpamSettings, now: datetime) -> tuple[str, ...]:
    """`spam` or `suspect` with the signs that say so, the heaviest first; empty for an entry like any other."""
    found = sorted(_found(signs, settings, now), key=lambda sign: -WEIGHTS[sign])
    weight = sum(WEIGHTS[sign] for sign in found)
    if weight < SUSPECT_FROM:
        return ()
    return (SPAM if weight >= SPAM_FROM else SUSPECT, *found)


def is_solved(token: str, solution: str, bits: int) -> bool:
    """Whether SHA-256 of `token:solution` begins with that many zero bits (Hashcash, http://www.hashcash.org/hashcash.pdf)."""
    if not solution or len(solution) > LONGEST_SOLUTION or not solution.isascii() or not solution.isdigit():
        return False
    digest = sha256(f"{token}:{solution}".encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:4], "big") >> (32 - bits) == 0


def _found(signs: Signs, settings: SpamSettings, now: datetime) -> Iterable[str]:
    if signs.honeypot.strip():
        yield "honeypot-filled"
    if sum(len(LINK.findall(text)) for text in signs.texts) > settings.maximum_links:
        yield "many-links"
    if settings.proof_of_work_bits is not None and not (
        signs.issued and is_solved(signs.token, signs.solution, settings.proof_of_work_bits)
    ):
        yield "work-missing"
    if signs.issued is None:
        yield "token-false" if signs.token else "token-missing"
        return
    age = (now - signs.issued.at).total_seconds()
    if age < settings.minimum_seconds:
        yield "filled-too-fast"
    if age > settings.maximum_hours * 3600:
        yield "token-too-old"
    if signs.key != str(signs.issued.nonce):
        yield "token-used-again"
