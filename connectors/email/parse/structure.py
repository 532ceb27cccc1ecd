"""The tree of a MIME mail (RFC 2046) as offsets into its bytes.

Nothing is copied until a leaf is read, and depth and number of parts are bounded, so 50 MB of boundaries cost no more
than a few searches. Broken boundaries: a declared one that never comes is guessed from the body; a part without an end
reaches to the end of its parent.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from connectors.email.parse.encodings import decode_transfer
from connectors.email.parse.headers import Headers, read_headers
from connectors.email.parse.limits import MailLimits
from connectors.email.parse.parameters import Parameterised, read_parameters

MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,127}/[a-z0-9!#$&^_.+*-]{1,127}")
GUESSED = re.compile(rb"(?m)^--([^\r\n]{1,200}?)[ \t]*\r?\n(?:content-[a-z-]{1,40}:|\r?\n)", re.IGNORECASE)
EMPTY = Parameterised("", {})


@dataclass(frozen=True)
class Part:
    """A node: its headers, where its body lies, and its children if it is a multipart."""

    headers: Headers
    media_type: str
    content_type: Parameterised
    disposition: Parameterised
    start: int
    end: int
    children: Sequence["Part"] = ()
    section: str = "1"

    @property
    def is_multipart(self) -> bool:
        return self.media_type.startswith("multipart/") and bool(self.children)

    @property
    def filename(self) -> str:
        return self.disposition.parameters.get("filename") or self.content_type.parameters.get("name") or ""

    @property
    def content_id(self) -> str | None:
        return self.headers.text("content-id").strip().strip("<>").strip() or None

    def walk(self) -> Iterator["Part"]:
        stack = [self]
        while stack:
            part = stack.pop()
            yield part
            stack.extend(reversed(part.children))

    def content(self, raw: bytes, most: int | None = None) -> tuple[bytes, str | None]:
        """The decoded bytes and what was wrong with their encoding. `most` bounds the bytes that are decoded."""
        end = self.end if most is None else min(self.end, self.start + most)
        encoding = self.headers.raw("content-transfer-encoding").partition(";")[0].partition("(")[0].strip()
        return decode_transfer(raw[self.start : end], encoding.strip("\"'").lower())


@dataclass
class Structure:
    """Reads the tree; `warnings` tells what was wrong with it."""

    raw: bytes
    limits: MailLimits
    warnings: dict[str, None] = field(default_factory=dict)
    parts: int = 0

    def read(self, start: int, end: int) -> Part:
        return self._part(start, end, depth=0, default="text/plain", section="")

    def _part(self, start: int, end: int, depth: int, default: str, section: str) -> Part:
        self.parts += 1
        block = read_headers(self.raw, start, end, self.limits)
        for warning in block.warnings:
            self.warnings[warning] = None
        headers = block.headers
        content_type = read_parameters(headers.raw("content-type")) if "content-type" in headers else EMPTY
        if charset := content_type.parameters.get("charset"):
            headers = replace(headers, charset=charset)
        part = Part(
            headers=headers,
            media_type=_media_type(content_type.value, default, "content-type" in headers),
            content_type=content_type,
            disposition=read_parameters(headers.raw("content-disposition"))
            if "content-disposition" in headers
            else EMPTY,
            start=min(block.body_start, end),
            end=end,
            section=section or "1",
        )
        if not part.media_type.startswith("multipart/"):
            return part
        if depth >= self.limits.depth:
            self.warnings["nesting too deep"] = None
            return replace(part, media_type="application/octet-stream")
        return self._multipart(part, depth, section)

    def _multipart(self, part: Part, depth: int, section: str) -> Part:
        boundary = part.content_type.parameters.get("boundary", "").rstrip().encode("utf-8", "surrogatepass")
        spans = self._spans(boundary, part.start, part.end) if boundary else []
        if not spans:
            guess = GUESSED.search(self.raw, part.start, part.end)
            if guess is not None:
                spans = self._spans(guess.group(1), part.start, part.end)
            self.warnings["boundary guessed" if spans else "multipart without parts"] = None
        if not spans:
            return replace(part, media_type="text/plain")
        default = "message/rfc822" if part.media_type == "multipart/digest" else "text/plain"
        children: list[Part] = []
        for number, (start, end) in enumerate(spans, 1):
            if self.parts >= self.limits.parts:
                self.warnings["too many parts"] = None
                break
            inner = f"{section}.{number}" if section else str(number)
            children.append(self._part(start, end, depth + 1, default, inner))
        return replace(part, children=tuple(children))

    def _spans(self, boundary: bytes, start: int, end: int) -> list[tuple[int, int]]:
        """Where the parts lie: after a delimiter line, up to the line end before the next one (RFC 2046, 5.1.1)."""
        spans: list[tuple[int, int]] = []
        opened: int | None = None
        position = start
        marker = b"--" + boundary
        while len(spans) <= self.limits.parts:
            at = self.raw.find(marker, position, end)
            if at < 0:
                break
            position = at + len(marker)
            if at > start and self.raw[at - 1] not in b"\r\n":
                continue
            newline = self.raw.find(b"\n", position, end)
            rest = self.raw[position : min(end if newline < 0 else newline, position + 200)].strip()
            if rest not in (b"", b"--"):
                continue
            if opened is not None:
                spans.append((opened, max(opened, _before_line_end(self.raw, at, start))))
            position = end if newline < 0 else newline + 1
            opened = position
            if rest == b"--":
                return spans
        if opened is not None and opened < end:
            self.warnings["multipart without an end"] = None
            spans.append((opened, end))
        return spans


def _before_line_end(raw: bytes, at: int, start: int) -> int:
    if at - 2 >= start and raw[at - 2 : at] == b"\r\n":
        return at - 2
    return at - 1 if at - 1 >= start else at


def _media_type(value: str, default: str, is_declared: bool) -> str:
    value = value.replace(" ", "")
    found = MEDIA_TYPE.match(value)
    if found is not None:
        return found.group()
    if value.startswith("multipart"):
        return "multipart/mixed"
    # What cannot be read is plain text (RFC 2045, 5.2).
    return "text/plain" if is_declared else default
