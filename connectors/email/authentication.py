"""What our own relay found out about the sender (RFC 8601), and what that proves of the From address."""

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass

from connectors.email.addresses import domain_of, normal_domain
from connectors.email.parse import MailAuthentication
from schemas.interactions import Authentication

COMMENT = re.compile(r"\([^()]*\)")
RESULT = re.compile(r"\s*([a-z][a-z0-9-]{0,30})\s*(?:/\s*\d+\s*)?=\s*([a-z]{1,20})", re.IGNORECASE)
PROPERTY = re.compile(r"\b(header|smtp)\.([a-z-]{1,20})\s*=\s*\"?([^\s\";]{1,320})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Proof:
    """`verified`: the From address is proven. The authentication's `spoof_suspect`: it is contradicted."""

    authentication: Authentication
    verified: bool


@dataclass(frozen=True, slots=True)
class _Result:
    method: str
    word: str
    domains: tuple[str, ...]


def prove(headers: Sequence[MailAuthentication], trusted: Set[str], sender: str | None) -> Proof:
    """What the trusted headers say of the From address `sender`. Headers of anybody else are not looked at."""
    results = [
        result
        for header in headers
        if header.authserv_id.lower() in trusted
        for result in _results(header.results)
    ]
    spf = _first(results, "spf")
    dkim = _first(results, "dkim")
    dmarc = _first(results, "dmarc")
    domain = domain_of(sender) if sender else ""
    if dmarc == "pass" and not _passes_for(results, "dmarc", domain, exact=True):
        dmarc = "none"  # it speaks of another From
    is_aligned = bool(domain) and (
        dmarc == "pass"
        or (dmarc in ("none", "bestguesspass") and _passes_for(results, "dkim", domain))
        or (dmarc in ("none", "bestguesspass") and _passes_for(results, "spf", domain, exact=True))
    )
    has_any_pass = any(result.method == "dkim" and result.word == "pass" for result in results)
    contradicts = dmarc == "fail" or (dmarc != "pass" and spf == "fail" and not has_any_pass)
    found = Authentication(spf=spf, dkim=dkim, dmarc=dmarc, spoof_suspect=contradicts)
    return Proof(found, is_aligned and not contradicts)


def _first(results: Sequence[_Result], method: str) -> str:
    """The result of a method; a pass counts before others, as a mail may carry several signatures."""
    words = [result.word for result in results if result.method == method]
    if method == "dkim" and "pass" in words:
        return "pass"
    return words[0] if words else "none"


def _passes_for(results: Sequence[_Result], method: str, domain: str, *, exact: bool = False) -> bool:
    passing = [result for result in results if result.method == method and result.word == "pass"]
    if method == "dmarc" and any(not result.domains for result in passing):
        return True  # RFC 8601 leaves header.from to the server; without it the result is of the only From
    return any(_is_aligned(domain, signed, exact=exact) for result in passing for signed in result.domains)


def _is_aligned(domain: str, signed: str, *, exact: bool) -> bool:
    """The same domain, or a parent that signs for its subdomain (RFC 7489, 3.1). Never a sibling."""
    return domain == signed or (not exact and "." in signed and domain.endswith(f".{signed}"))


# Which property names the domain that a method speaks of.
DOMAINS = {
    "dmarc": {("header", "from")},
    "dkim": {("header", "d"), ("header", "i")},
    "spf": {("smtp", "mailfrom"), ("smtp", "mail")},
}


def _results(header: str) -> list[_Result]:
    header = COMMENT.sub(" ", header[:8000])
    found: list[_Result] = []
    for statement in header.split(";")[1:50]:
        result = RESULT.match(statement)
        if result is None:
            continue
        method = result.group(1).lower()
        wanted = DOMAINS.get(method)
        if wanted is None:
            continue
        domains = [
            normal_domain(domain_of(value) or value)
            for kind, name, value in PROPERTY.findall(statement)
            if (kind.lower(), name.lower()) in wanted
        ]
        found.append(_Result(method, result.group(2).lower(), tuple(each for each in domains if each)))
    return found
