"""From the bytes of a body to named values: JSON, urlencoded, multipart; whatever a client makes of them.

Unreadable
├── TooLarge       more fields, files or bytes than anybody needs
└── Unsupported    a media type that no form sends
"""

import codecs
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from python_multipart.multipart import parse_options_header

from connectors.kit.uploads import Upload
from connectors.webform.parse.multipart import Part, split

FIELDS_AT_MOST = 200
FILES_AT_MOST = 20
FIELD_BYTES_AT_MOST = 64 << 10
NAME_CHARACTERS_AT_MOST = 100
CHARSET_FIELD = "_charset_"  # https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#attr-fe-name-charset
CHARSETS = frozenset({"utf-8", "iso8859-1", "iso8859-2", "iso8859-15", "cp1250", "cp1251", "cp1252", "ascii"})


class Unreadable(Exception):
    """The body is not what its type says. The message tells a developer what to change."""


class TooLarge(Unreadable):
    pass


class Unsupported(Unreadable):
    pass


@dataclass(frozen=True, slots=True)
class NotText:
    """A value that JSON allows and a form has no use for: an object, a list in a list."""


NOT_TEXT = NotText()
Values = list[str | NotText]


@dataclass(slots=True)
class Posted:
    """What was sent. Several values of one name stand in their order; names have no `[]` at the end."""

    values: dict[str, Values] = field(default_factory=dict)
    uploads: list[Upload] = field(default_factory=list)

    def add(self, name: str, value: str | NotText) -> None:
        self.values.setdefault(_plain_name(name), []).append(value)

    def first(self, name: str) -> str:
        """The first text under a name of ours, empty when there is none."""
        return next((value for value in self.values.get(name, ()) if isinstance(value, str)), "")


def media_type_of(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def decode(content_type: str, body: bytes) -> Posted:
    """The values and files of a body. Raises Unreadable (with its kinds) and nothing else."""
    decoder = DECODERS.get(media_type_of(content_type))
    if decoder is None:
        raise Unsupported("send application/json, application/x-www-form-urlencoded or multipart/form-data")
    return decoder(content_type, body)


def _json(content_type: str, body: bytes) -> Posted:
    # Numbers stay text: a million digits would take seconds to become one. RFC 8259: JSON is UTF-8.
    try:
        parsed = json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_unrepeated,
            parse_int=str,
            parse_float=str,
            parse_constant=_no_constant,
        )
    except RecursionError:
        raise Unreadable("the JSON is nested too deeply") from None
    except UnicodeDecodeError:
        raise Unreadable("JSON is sent in UTF-8") from None
    except ValueError as error:
        raise Unreadable(f"the body is not JSON: {str(error)[:200]}") from None
    if not isinstance(parsed, dict):
        raise Unreadable("the JSON body is an object of field names and values")
    posted = Posted()
    count = 0
    for name, value in parsed.items():
        values = value if isinstance(value, list) else [value]
        count += max(1, len(values))
        if count > FIELDS_AT_MOST:
            raise TooLarge(f"at most {FIELDS_AT_MOST} values are read")
        for each in values:
            posted.add(name, _json_text(name, each))
    return posted


def _unrepeated(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):  # which of the two would count differs from parser to parser
        raise ValueError("a name stands twice in one object")
    return result


def _no_constant(name: str) -> str:
    raise ValueError(f"{name} is no JSON")


def _json_text(name: str, value: object) -> str | NotText:
    if isinstance(value, str):
        if len(value) > FIELD_BYTES_AT_MOST:
            raise TooLarge(f"field {name[:40]!r} is longer than {FIELD_BYTES_AT_MOST} bytes")
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else ""
    return NOT_TEXT


def _urlencoded(content_type: str, body: bytes) -> Posted:
    pieces = body.split(b"&", FIELDS_AT_MOST)
    if len(pieces) > FIELDS_AT_MOST:
        raise TooLarge(f"at most {FIELDS_AT_MOST} values are read")
    raw: list[tuple[bytes, bytes]] = []
    for piece in pieces:
        if not piece:
            continue
        name, _, value = piece.replace(b"+", b" ").partition(b"=")
        raw.append((unquote_to_bytes(name), _bounded(unquote_to_bytes(value), name)))
    return Posted(_decoded(raw, content_type))


def _multipart(content_type: str, body: bytes) -> Posted:
    _, parameters = parse_options_header(content_type)
    parts = split(parameters.get(b"boundary", b""), body, FIELDS_AT_MOST + FILES_AT_MOST)
    if isinstance(parts, str):
        raise Unreadable(parts)
    raw = [(part.name, _bounded(part.content, part.name)) for part in parts if part.file_name is None]
    files = [part for part in parts if part.file_name is not None and (part.file_name or part.content)]
    if len(raw) > FIELDS_AT_MOST or len(files) > FILES_AT_MOST:
        raise TooLarge(f"at most {FIELDS_AT_MOST} values and {FILES_AT_MOST} files are read")
    return Posted(_decoded(raw, content_type), [_upload(part) for part in files])


def _upload(part: Part) -> Upload:
    name = (part.file_name or b"").decode("utf-8", "replace")
    return Upload(_plain_name(_text(part.name, "")), name, part.media_type, part.content)


def _bounded(value: bytes, name: bytes) -> bytes:
    if len(value) > FIELD_BYTES_AT_MOST:
        shown = name[:40].decode("ascii", "replace")
        raise TooLarge(f"field {shown!r} is longer than {FIELD_BYTES_AT_MOST} bytes")
    return value


def _decoded(raw: list[tuple[bytes, bytes]], content_type: str) -> dict[str, Values]:
    stated = next((value for name, value in raw if name == CHARSET_FIELD.encode()), b"")
    charset = _charset(stated.decode("ascii", "replace")) or _charset(_parameter(content_type, b"charset"))
    posted = Posted()
    for name, value in raw:
        posted.add(_text(name, charset), _text(value, charset))
    return posted.values


def _text(value: bytes, charset: str) -> str:
    """UTF-8 where it is; else what the sender names, else what pages of old were written in."""
    for each in ("utf-8", charset or "cp1252"):
        try:
            return value.decode(each)
        except UnicodeDecodeError:
            continue
    return value.decode("latin-1")


def _charset(name: str) -> str:
    try:
        canonical = codecs.lookup(name.strip()).name if name else ""
    except (LookupError, ValueError):
        return ""
    return canonical if canonical in CHARSETS else ""


def _parameter(content_type: str, name: bytes) -> str:
    _, parameters = parse_options_header(content_type)
    return parameters.get(name, b"").decode("ascii", "replace")


def _plain_name(name: str) -> str:
    return name[:NAME_CHARACTERS_AT_MOST].removesuffix("[]")


DECODERS: Mapping[str, Callable[[str, bytes], Posted]] = {
    "application/json": _json,
    "application/x-www-form-urlencoded": _urlencoded,
    "multipart/form-data": _multipart,
}
