"""A header block to raw values (RFC 5322, 2.2), tolerant and bounded.

The standard library's parser is not used for this: it recurses with nesting, and its address and encoded-word parsers
raise on some real headers and take seconds on hostile ones.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from connectors.email.parse.charsets import decode_text
from connectors.email.parse.limits import MailLimits
from connectors.email.parse.words import decode_words

LONGEST_NAME = 200  # with its colon and blanks
NAME = re.compile(rb"([!-9;-~]{1,128})[ \t]*:")
# A line without a colon inside a block is a folded value whose blank was lost, if one of these follows it.
KNOWN = re.compile(
    rb"(?i)(?:from|to|cc|subject|date|sender|reply-to|message-id|in-reply-to|references|mime-version|received|return-path"
    rb"|delivered-to|content-[a-z-]+|x-[a-z0-9-]+|list-[a-z-]+|dkim-signature|thread-[a-z]+|importance)[ \t]*:"
)


@dataclass(frozen=True)
class Headers:
    """Unfolded raw values by lower-case name, in the order they stand."""

    values: dict[str, list[bytes]]
    charset: str | None = None

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def raw(self, name: str) -> str:
        """The first value as text, encoded words still encoded."""
        found = self.values.get(name)
        return self._text(found[0]) if found else ""

    def raw_all(self, name: str) -> list[str]:
        return [self._text(value) for value in self.values.get(name, ())]

    def text(self, name: str) -> str:
        """The first value as a person reads it."""
        return decode_words(self.raw(name)).replace("\n", " ").strip()

    def text_all(self, name: str) -> list[str]:
        return [decode_words(value).replace("\n", " ").strip() for value in self.raw_all(name)]

    def _text(self, value: bytes) -> str:
        return decode_text(value, None, self.charset or "cp1252").text.strip()


@dataclass(frozen=True)
class HeaderBlock:
    headers: Headers
    body_start: int
    warnings: Sequence[str] = ()


def read_headers(raw: bytes, start: int, end: int, limits: MailLimits) -> HeaderBlock:
    """Reads the block at `start`. The body begins after the empty line, or at the first line that is no header."""
    block = _Block(limits)
    position = start
    while position < end:
        if position - start > limits.header_block_bytes or len(block.entries) >= limits.headers:
            block.warn("header block cut")
            return block.finish(_after_empty_line(raw, position, end))
        newline = raw.find(b"\n", position, end)
        stop, following = (end, end) if newline < 0 else (newline, newline + 1)
        line = raw[position : min(stop, position + limits.header_bytes + LONGEST_NAME)].rstrip(b"\r")
        if not line:
            return block.finish(following)
        if not block.take(line, is_followed=KNOWN.match(raw, following, end) is not None):
            return block.finish(position)
        position = following
    return block.finish(end)


class _Block:
    """The headers read so far."""

    def __init__(self, limits: MailLimits) -> None:
        self.limits = limits
        self.entries: list[tuple[str, list[bytes]]] = []
        self.room = 0
        self.is_open = False
        self.warnings: dict[str, None] = {}

    def warn(self, warning: str) -> None:
        self.warnings[warning] = None

    def take(self, line: bytes, is_followed: bool) -> bool:
        """Adds one line; False says that it belongs to the body. `is_followed`: a known header comes next."""
        if line[0] in b" \t":
            if self.is_open:
                self._append(line)
            return self.is_open or (not self.entries and not line.strip())
        match = NAME.match(line)
        if match is not None:
            self.entries.append((match.group(1).decode("ascii").lower(), []))
            self.room = self.limits.header_bytes
            self.is_open = True
            self._append(line[match.end() :])
            return True
        if line.startswith((b"From ", b">From ")):
            self.is_open = False  # the separator of an mbox file, or one that was quoted on the way
            return True
        if self.is_open and is_followed:
            self.warn("header folded without a blank")
            self._append(b" " + line)
            return True
        if self.entries:
            self.warn("no empty line after the headers")
        return False

    def _append(self, line: bytes) -> None:
        if len(line) > self.room:
            self.warn("header cut")
        self.entries[-1][1].append(line[: self.room])
        self.room = max(0, self.room - len(line))

    def finish(self, body_start: int) -> HeaderBlock:
        values: dict[str, list[bytes]] = {}
        for name, lines in self.entries:
            values.setdefault(name, []).append(b"".join(lines).strip())
        return HeaderBlock(Headers(values), body_start, tuple(self.warnings))


def _after_empty_line(raw: bytes, position: int, end: int) -> int:
    found = [at + len(mark) for mark in (b"\n\n", b"\n\r\n") if (at := raw.find(mark, position, end)) >= 0]
    return min(found, default=end)
