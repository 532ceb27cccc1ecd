"""Headers and parts of a mail as bytes, always the same for the same input.

Written by hand because the standard library folds long Message-IDs into encoded words and draws boundaries at random.
Nothing that comes in here can add a header or a part: controls are dropped, boundaries cannot be guessed.
"""

import base64
import quopri
import re
from collections.abc import Sequence
from urllib.parse import quote

from connectors.email.addresses import normal_address

LINE = 76
CONTROLS = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\ud800-\udfff]+")
MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9.+_-]{0,63}/[a-z0-9][a-z0-9.+_-]{0,63}\Z")
MESSAGE_ID = re.compile(r"[!-;=?-~]{3,900}\Z")  # printable ASCII without angle brackets
ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+\Z")
NEW_LINE = re.compile(r"\r\n|\r|\n")
# RFC 2046 lets no encoding stand on these.
NEVER_ENCODED = ("multipart/", "message/")
WORD_BYTES = (
    45  # of UTF-8 in one encoded word: 60 letters of base 64 and 12 around them (RFC 2047, 2: at most 75)
)


def one_line(text: str) -> str:
    """The text without line ends and other controls."""
    return CONTROLS.sub(" ", text).strip()


def header(name: str, value: str) -> bytes:
    """A header whose value is text, encoded where it is not ASCII (RFC 2047), folded at blanks."""
    value = one_line(value)
    if value.isascii() and "=?" not in value and max(map(len, value.split(" "))) < 900:
        return _folded(name, value.split(" "))
    return _folded(name, encoded_words(value))


def encoded_words(text: str) -> list[str]:
    words: list[str] = []
    chunk = b""
    for letter in text:
        encoded = letter.encode("utf-8")
        if len(chunk) + len(encoded) > WORD_BYTES:
            words.append(_word(chunk))
            chunk = b""
        chunk += encoded
    return [*words, _word(chunk)]


def _word(content: bytes) -> str:
    return f"=?utf-8?b?{base64.b64encode(content).decode('ascii')}?="


def address_header(name: str, people: Sequence[tuple[str, str]]) -> bytes:
    """A header of (display name, address) pairs. Raises ValueError for what is not an address."""
    items: list[str] = []
    for index, (display_name, address) in enumerate(people):
        if normal_address(address) != address:
            raise ValueError(f"{name}: not an address")
        comma = "," if index < len(people) - 1 else ""
        items.extend([*_phrase(one_line(display_name)), f"<{address}>{comma}"])
    return _folded(name, items)


def _phrase(name: str) -> list[str]:
    if not name:
        return []
    if not name.isascii() or "=?" in name:
        return encoded_words(name)
    if ATOM.match(name):
        return name.split(" ")
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return [f'"{escaped}"']


def id_header(name: str, identifiers: Sequence[str]) -> bytes:
    """A header of message ids without their brackets; what is no id is left out, and so is a header without any."""
    items = [f"<{each}>" for each in identifiers if MESSAGE_ID.match(each)]
    return _folded(name, items) if items else b""


def _folded(name: str, words: Sequence[str]) -> bytes:
    """Folds between words only, so an id or an encoded word is never broken (RFC 5322, 2.2.3)."""
    lines: list[str] = []
    line = f"{name}:"
    for word in words:
        if len(line) + 1 + len(word) > LINE and line.strip() and line != f"{name}:":
            lines.append(line)
            line = ""
        line = f"{line} {word}"
    return ("\r\n".join([*lines, line]) + "\r\n").encode("utf-8")


def text_part(text: str, subtype: str) -> bytes:
    """A part of text in UTF-8; quoted-printable, as no line may be long and no relay may need to change it."""
    content = NEW_LINE.sub("\r\n", text.replace("\x00", "")).encode("utf-8", "replace")
    lines = content.split(b"\r\n")
    encoded = b"\r\n".join(quopri.encodestring(line).replace(b"=\n", b"=\r\n") for line in lines)
    return (
        f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    ).encode() + _from_quoted(encoded)


def _from_quoted(encoded: bytes) -> bytes:
    """Mailbox files would put a `>` before these lines; as quoted-printable they stay."""
    return re.sub(rb"(?m)^From ", b"=46rom ", encoded)


def attachment_part(
    name: str, media_type: str, content: bytes, *, content_id: str | None = None, inline: bool = False
) -> bytes:
    media_type = media_type.lower()
    if not MEDIA_TYPE.match(media_type) or media_type.startswith(NEVER_ENCODED):
        media_type = "application/octet-stream"
    lines = [
        f"Content-Type: {media_type}",
        "Content-Transfer-Encoding: base64",
        f"Content-Disposition: {'inline' if inline else 'attachment'};{_file_name(one_line(name) or 'attachment')}",
    ]
    if content_id and MESSAGE_ID.match(content_id):
        lines.append(f"Content-ID: <{content_id}>")
    body = base64.encodebytes(content).replace(b"\n", b"\r\n")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii") + body


def _file_name(name: str) -> str:
    """`filename` for old readers and `filename*` for what is not ASCII (RFC 6266, appendix D; RFC 2231)."""
    name = name[:200]
    plain = "".join(letter if letter.isascii() and letter not in '"\\;' else "_" for letter in name)
    if plain == name:
        return f'\r\n filename="{plain}"'
    return f"\r\n filename=\"{plain}\";\r\n filename*=utf-8''{_continued(quote(name, safe=''))}"


def _continued(value: str) -> str:
    # One line of at most 998 octets holds any name of 200 characters in all but the rarest scripts.
    return value if len(value) <= 900 else value[: value.rfind("%", 0, 900)]


def multipart(subtype: str, boundary: str, parts: Sequence[bytes]) -> bytes:
    """The header of a multipart, then its parts. Each part begins with its own header."""
    pieces = [f'Content-Type: multipart/{subtype};\r\n boundary="{boundary}"\r\n\r\n'.encode("ascii")]
    for part in parts:
        pieces.append(f"--{boundary}\r\n".encode("ascii"))
        pieces.append(part if part.endswith(b"\r\n") else part + b"\r\n")
    pieces.append(f"--{boundary}--\r\n".encode("ascii"))
    return b"".join(pieces)
