"""What an IMAP server says, taken apart (RFC 3501, section 7 and 9). Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TypeAlias

from connectors.email.imap.errors import ConnectionLost
from connectors.email.imap.utf7 import decode

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
STATUSES = frozenset({"OK", "NO", "BAD", "BYE", "PREAUTH"})
STATUS = re.compile(rb"(?:\[([^\] ]{1,100})(?: ([^\]]*))?\])? ?(.*)", re.DOTALL)
TOKEN = re.compile(
    rb"[ \t]*(?:(?P<open>\()|(?P<close>\))"
    rb'|"(?P<quoted>(?:[^"\\]|\\.)*)"'
    rb'|(?P<atom>(?:[^\s()"\[]|\[[^\]]*\])+))',
    re.DOTALL,
)
ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
INTERNALDATE = re.compile(rb" ?(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)\Z")
DEEPEST = 8
LONGEST_TEXT = 300


@dataclass(frozen=True, slots=True)
class Literal:
    """Bytes that the server announced. `size` is what it sent; `content` is shorter where that was over the limit."""

    content: bytes
    size: int

    @property
    def is_cut(self) -> bool:
        return len(self.content) < self.size


Value: TypeAlias = "bytes | Literal | list[Value]"


@dataclass(frozen=True, slots=True)
class Response:
    """One response. `tag` is `*`, `+` or ours; `name` is upper case (OK, FETCH, EXISTS, SEARCH …).

    For a status `code` and `argument` are what stands in brackets; `text` is for people.
    """

    tag: bytes
    name: str = ""
    number: int = 0
    code: str = ""
    argument: bytes = b""
    text: str = ""
    rest: Sequence["bytes | Literal"] = field(default=())

    def values(self) -> "list[Value]":
        """The rest as nested lists."""
        return tokens(self.rest)


def is_status(line: bytes, tag: bytes) -> bool:
    """Whether a line is text for people to its end, in which no literal is announced."""
    first, _, rest = line.partition(b" ")
    if first in (b"+", tag):
        return True
    return rest.partition(b" ")[0].upper().decode("ascii", "replace") in STATUSES


def response_of(segments: "Sequence[bytes | Literal]") -> Response:
    """One response from its lines and literals. Raises ConnectionLost for what is none."""
    line = segments[0]
    if not isinstance(line, bytes):
        raise ConnectionLost("the server sent something that is not IMAP")
    tag, _, rest = line.partition(b" ")
    if tag == b"+":
        return Response(tag, text=_text(rest))
    word, _, after = rest.partition(b" ")
    number = 0
    if word.isdigit() and len(word) <= 10:
        number = int(word)
        word, _, after = after.partition(b" ")
    name = word.upper().decode("ascii", "replace")
    if not tag or not name:
        raise ConnectionLost("the server sent something that is not IMAP")
    if name not in STATUSES:
        return Response(tag, name, number, rest=[after, *segments[1:]])
    match = STATUS.match(after)
    assert match is not None  # every part of it may be empty
    code = (match[1] or b"").upper().decode("ascii", "replace")
    return Response(tag, name, code=code, argument=match[2] or b"", text=_text(match[3]))


def tokens(segments: "Sequence[bytes | Literal]") -> "list[Value]":
    """Nested lists of atoms, strings and literals. Raises ConnectionLost where brackets do not match."""
    lists: list[list[Value]] = [[]]
    for segment in segments:
        if isinstance(segment, Literal):
            lists[-1].append(segment)
        else:
            _take(segment, lists)
    if len(lists) != 1:
        raise ConnectionLost("the server's answer ends too early")
    return lists[0]


def _take(segment: bytes, lists: "list[list[Value]]") -> None:
    position = 0
    end = len(segment.rstrip())
    while position < end:
        match = TOKEN.match(segment, position, end)
        if match is None:
            raise ConnectionLost("the server's answer cannot be read")
        position = match.end()
        if match["open"]:
            inner: list[Value] = []
            lists[-1].append(inner)
            lists.append(inner)
        elif match["close"]:
            lists.pop()
        elif match["quoted"] is not None:
            lists[-1].append(ESCAPED.sub(rb"\1", match["quoted"]))
        else:
            lists[-1].append(match["atom"])
        if not 1 <= len(lists) <= DEEPEST:
            raise ConnectionLost("the server's answer cannot be read")


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a FETCH said of one message; None: not said, or NIL. `body` is whole, its beginning, or its header."""

    uid: int
    size: int | None = None
    arrived_at: datetime | None = None
    body: Literal | None = None


def fetched(response: Response) -> Fetched | None:
    """None for a FETCH that tells of no UID, such as one of flags that nobody asked for."""
    values = response.values()
    items = values[0] if values and isinstance(values[0], list) else []
    found: dict[str, Value] = {
        name.upper().decode("ascii", "replace"): value
        for name, value in zip(items[::2], items[1::2], strict=False)
        if isinstance(name, bytes)
    }
    uid = number_of(found.get("UID"))
    if uid is None:
        return None
    body = next((value for name, value in found.items() if name.startswith("BODY[")), None)
    return Fetched(
        uid, number_of(found.get("RFC822.SIZE")), internal_date(found.get("INTERNALDATE")), _literal(body)
    )


def _literal(value: "Value | None") -> Literal | None:
    """A small body may come as a quoted string; NIL is a message that is gone."""
    if isinstance(value, Literal):
        return value
    return Literal(value, len(value)) if isinstance(value, bytes) and value != b"NIL" else None


def number_of(value: "Value | None") -> int | None:
    return int(value) if isinstance(value, bytes) and value.isdigit() and len(value) <= 19 else None


def internal_date(value: "Value | None") -> datetime | None:
    """When the server got the message, with its zone; None for what is no date."""
    match = INTERNALDATE.match(value) if isinstance(value, bytes) else None
    if match is None:
        return None
    day, month, year, hour, minute, second, sign, hours, minutes = (each.decode() for each in match.groups())
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    try:
        zone = timezone(-offset if sign == "-" else offset)
        number = MONTHS.index(month.title()) + 1
        return datetime(
            int(year), number, int(day), int(hour), int(minute), min(int(second), 59), tzinfo=zone
        )
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder as LIST shows it: `name` as people read it, `encoded` as the server does, attributes in lower case."""

    name: str
    encoded: bytes
    attributes: frozenset[str]

    @property
    def can_be_opened(self) -> bool:
        return not self.attributes & {"\\noselect", "\\nonexistent"}

    @property
    def is_junk(self) -> bool:
        return "\\junk" in self.attributes


def listed(response: Response) -> Folder | None:
    """None for a line that is no LIST response as it should be."""
    match response.values():
        case [list() as attributes, bytes(), (bytes() | Literal()) as name, *_]:
            encoded = name.content if isinstance(name, Literal) else name
            known = {
                each.decode("ascii", "replace").lower() for each in attributes if isinstance(each, bytes)
            }
            return Folder(decode(encoded), encoded, frozenset(known))
    return None


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").strip()[:LONGEST_TEXT]
