"""Mail addresses in one spelling, so that the same mailbox is the same string wherever it comes from."""

import re
import unicodedata

import idna

LONGEST = 254  # RFC 5321, 4.5.3.1.3, without the brackets
LONGEST_LOCAL = 64
# Atoms, and whatever of quoted strings is met in practice, but nothing that could end an SMTP command or a header.
LOCAL = re.compile(r"[^\s\x00-\x1f\x7f<>\"(),:;@\[\]\\]+\Z")
LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)\Z")
LITERAL = re.compile(r"\[(?:\d{1,3}(?:\.\d{1,3}){3}|ipv6:[0-9a-f:.]{2,45})\]\Z")


def normal_address(address: str) -> str | None:
    """Lower case, NFC, the domain in ASCII (IDNA 2008); None for what is not an address.

    Quoted local parts are not taken: nobody has one, and they are the usual way to smuggle a second address.
    """
    address = unicodedata.normalize("NFC", address.strip()).lower()
    local, at, domain = address.rpartition("@")
    if not at or not LOCAL.match(local) or len(local.encode("utf-8", "replace")) > LONGEST_LOCAL:
        return None
    ascii_domain = normal_domain(domain)
    if ascii_domain is None or any("\ud800" <= letter <= "\udfff" for letter in local):
        return None
    normal = f"{local}@{ascii_domain}"
    return normal if len(normal) <= LONGEST else None


def normal_domain(domain: str) -> str | None:
    domain = domain.strip().lower().rstrip(".")
    if LITERAL.match(domain):
        return domain
    if not domain or len(domain) > 253:
        return None
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return None
    return domain if all(LABEL.match(label) for label in domain.split(".")) else None


def domain_of(address: str) -> str:
    return address.rpartition("@")[2]


def without_tag(address: str) -> str:
    """The address without its `+tag` (RFC 5233 calls it detail)."""
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"
