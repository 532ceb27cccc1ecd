"""Address headers (RFC 5322, 3.4) in one pass: names, groups, comments, quotes, and what people write instead."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from connectors.email.parse.model import MailAddress
from connectors.email.parse.words import decode_words

BARE = re.compile(r"[^\s<>()\[\],;:\"@]{1,128}@[^\s<>()\[\],;:\"@]{1,255}")
MOST_UNCLOSED = 3  # each search for the end of a comment may read the whole header
COMMENT = re.compile(r"\([^()]{0,200}\)")
SPACE = re.compile(r"\s+")


@dataclass
class _Mailbox:
    phrase: str = ""
    comment: str = ""
    inside: str | None = None


def read_addresses(header: str, most: int = 1_000) -> list[MailAddress]:
    """The mailboxes of a raw header value (encoded words still encoded: they may hold commas), in order.

    Never more than `most`. A group gives its members. What has no address at all is left out.
    """
    addresses: list[MailAddress] = []
    for mailbox in _mailboxes(header):
        if len(addresses) >= most:
            break
        address = _address(mailbox)
        if address is not None:
            addresses.append(address)
    if "=?" in header and not any("@" in address.address for address in addresses):
        # The whole value, address and all, was put into encoded words.
        decoded = decode_words(header)
        found = read_addresses(decoded, most) if "=?" not in decoded else []
        return found or addresses
    return addresses


def _mailboxes(header: str) -> Iterator[_Mailbox]:
    mailbox = _Mailbox()
    plain: list[str] = []
    position = 0
    unclosed = 0
    length = len(header)
    while position < length:
        character = header[position]
        if character == '"':
            text, position = _quoted(header, position)
            plain.append(text)
            continue
        if character == "(" and unclosed < MOST_UNCLOSED:
            text, after = _comment(header, position)
            unclosed += after == position + 1
            mailbox.comment = mailbox.comment or text
            position = after
            continue
        if character == "<":
            end = header.find(">", position)
            end = length if end < 0 else end
            inside = header[position + 1 : end]
            if mailbox.inside is None or "@" not in mailbox.inside:
                mailbox.inside = inside.strip()
            position = end + 1
            continue
        if character in ",;":
            mailbox.phrase = "".join(plain)
            yield mailbox
            mailbox, plain = _Mailbox(), []
        elif character == ":" and mailbox.inside is None and "@" not in "".join(plain[-64:]):
            plain = []  # the name of a group
        else:
            plain.append(character)
        position += 1
    mailbox.phrase = "".join(plain)
    yield mailbox


def _quoted(header: str, position: int) -> tuple[str, int]:
    kept: list[str] = []
    position += 1
    while position < len(header) and header[position] != '"':
        if header[position] == "\\" and position + 1 < len(header):
            position += 1
        kept.append(header[position])
        position += 1
    return "".join(kept), position + 1


def _comment(header: str, position: int) -> tuple[str, int]:
    """Comments nest; a counter stands for recursion."""
    depth = 0
    start = position
    while position < len(header):
        character = header[position]
        if character == "\\":
            position += 1
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
            if depth == 0:
                return header[start + 1 : position].replace("\\", ""), position + 1
        position += 1
    return "", start + 1  # never closed: not a comment


def _address(mailbox: _Mailbox) -> MailAddress | None:
    phrase = mailbox.phrase
    if mailbox.inside is not None:
        address = _clean(mailbox.inside)
        name = _name(phrase) or _name(mailbox.comment)
        if "@" not in address and (found := BARE.search(phrase)):
            address, name = found.group(), ""
        if not address:
            return None
        return MailAddress(address=address, name="" if name == address else name)
    found = BARE.search(phrase)
    if found is None:
        address = _clean(phrase)
        # A local name alone ("root") is an address on the machine that wrote it; a phrase is not.
        return MailAddress(address=address, name=_name(mailbox.comment)) if _is_local(address) else None
    rest = (phrase[: found.start()] + " " + phrase[found.end() :]).strip()
    return MailAddress(address=_clean(found.group()), name=_name(mailbox.comment) or _name(rest))


def _is_local(address: str) -> bool:
    return (
        bool(address)
        and len(address) <= 64
        and address.isascii()
        and " " not in address
        and "=?" not in address
    )


def _clean(address: str) -> str:
    if "(" in address:
        address = COMMENT.sub("", address)
    address = SPACE.sub("", address).strip("<>'\"")
    if address.startswith("@") and ":" in address:
        address = address.partition(":")[2]  # a source route (RFC 5322, 4.4)
    if address.lower().startswith("mailto:"):
        address = address[7:]
    return address[:320]


def _name(phrase: str) -> str:
    name = SPACE.sub(" ", decode_words(phrase)).strip()
    if len(name) > 1 and name[0] == name[-1] and name[0] in "'\"":
        name = name[1:-1].strip()
    return name[:500]
