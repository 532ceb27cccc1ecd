"""Content-Type and Content-Disposition with their parameters (RFC 2045, 5.1; RFC 2231), in all their wrong spellings."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from connectors.email.parse.charsets import decode_text
from connectors.email.parse.words import decode_words

MOST_PARAMETERS = 100
SECTION = re.compile(r"([^*]+)\*(\d{1,3})?(\*)?\Z")


@dataclass(frozen=True)
class Parameterised:
    """`value` in lower case; `parameters` by lower-case name, continuations joined and charsets applied."""

    value: str
    parameters: dict[str, str]


def read_parameters(header: str) -> Parameterised:
    value, *fields = list(_split(header))[: MOST_PARAMETERS + 1]
    first, _, rest = value.strip().partition(" ") if "=" in value else (value.strip(), "", "")
    if "=" in first and "/" not in first:
        first, rest = "", value  # the value was left out and the parameters begin at once
    if rest:
        fields.insert(0, rest)  # the semicolon between them was left out
    value = first.lower()
    plain: dict[str, str] = {}
    sections: dict[str, list[tuple[int, bool, str]]] = {}
    for field in fields:
        name, equals, text = field.partition("=")
        name = name.strip().lower()
        if not name or not equals:
            continue
        section = SECTION.match(name)
        if section is None:
            plain.setdefault(name, _unquote(text))
            continue
        number = int(section.group(2) or 0)
        is_encoded = section.group(3) is not None or section.group(2) is None
        sections.setdefault(section.group(1), []).append((number, is_encoded, _unquote(text)))
    parameters = {name: _repair(decode_words(text)) for name, text in plain.items()}
    for name, found in sections.items():
        parameters[name] = _join(sorted(found, key=lambda part: part[0]))
    return Parameterised(value, parameters)


def _split(header: str) -> Iterator[str]:
    """The fields between semicolons that stand outside of quotes."""
    start = 0
    is_quoted = False
    position = 0
    while position < len(header):
        character = header[position]
        if character == "\\" and is_quoted:
            position += 1
        elif character == '"':
            # A quote opens only where a value begins; elsewhere it is a stray character of an unquoted value.
            if is_quoted or header[start:position].rstrip().endswith("="):
                is_quoted = not is_quoted
        elif character == ";" and not is_quoted:
            yield header[start:position]
            start = position + 1
        position += 1
    if is_quoted and ";" in header[start:]:
        # The closing quote is missing: better the fields than one value that swallows them.
        first, *others = header[start:].split(";")
        yield first
        yield from others
        return
    yield header[start:]


def _unquote(text: str) -> str:
    text = text.strip()
    if not text.startswith('"'):
        return text
    end = 1
    kept: list[str] = []
    while end < len(text) and text[end] != '"':
        # Senders write Windows paths between quotes; a backslash escapes only a quote or another backslash.
        if text[end] == "\\" and text[end + 1 : end + 2] in ('"', "\\"):
            end += 1
        kept.append(text[end])
        end += 1
    return "".join(kept)


def _join(sections: list[tuple[int, bool, str]]) -> str:
    label = ""
    content = bytearray()
    for index, (_, is_encoded, text) in enumerate(sections):
        value = text
        if is_encoded and index == 0 and text.count("'") >= 2:
            label, _, value = text.split("'", 2)
        content += unquote_to_bytes(value) if is_encoded else value.encode("utf-8", "surrogatepass")
    decoded = decode_text(bytes(content), label or None).text
    return _repair(decode_words(decoded)) if "=?" in decoded else decoded


def _repair(text: str) -> str:
    """A percent-encoded RFC 2231 value that was sent under the plain name."""
    if not text.lower().startswith(("utf-8''", "iso-8859-1''")):
        return text
    label, _, rest = text.partition("''")
    return decode_text(unquote_to_bytes(rest), label).text
