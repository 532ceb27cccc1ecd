"""Which parts a person reads and which are attached: one walk over the tree (RFC 2046, 5.1; RFC 2387)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from connectors.email.parse.charsets import DecodedText, decode_text
from connectors.email.parse.encodings import UU_BEGIN, decode_uu
from connectors.email.parse.flowed import unflow
from connectors.email.parse.limits import MailLimits
from connectors.email.parse.structure import Part
from connectors.kit.html import clean_html, html_to_text

PLAIN = frozenset({"text/plain", "text/markdown", "text/x-markdown", "text/enriched", "text/richtext"})
READABLE = PLAIN | {"text/html", "application/xhtml+xml"}
# Alternatives that say the same again for one reader, and the control part of multipart/encrypted.
IGNORED = frozenset({"text/x-amp-html", "text/watch-html", "application/pgp-encrypted"})
SIGNATURES = frozenset(
    {"application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature"}
)
META_CHARSET = re.compile(
    rb"<meta[^>]{0,200}charset\s{0,5}=\s{0,5}[\"']?\s{0,5}([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE
)
MARKUP = re.compile(r"<(?:[^<>]{1,100})>")
MOST_UUENCODED = 10
STUB = re.compile(
    r"(?i)(?:html (?:version|e-?mail|message|format)|does ?n[o']t support html|view (?:this|it|the) .{0,30}browser"
    r"|html-?(?:version|ansicht|f.hig)|au format html)"
)


@dataclass(frozen=True)
class Segment:
    """One readable stretch. `html` is cleaned; `text` is empty where only HTML was sent."""

    text: str = ""
    html: str = ""

    @property
    def readable(self) -> str:
        return self.text if self.text.strip() else html_to_text(self.html) if self.html else ""


@dataclass(frozen=True)
class Attached:
    part: Part
    is_inline: bool = False
    content: bytes | None = None  # where the bytes are not simply the part's
    name: str = ""


@dataclass
class BodyReader:
    """Reads a tree; collects attachments and what was noticed on the way."""

    raw: bytes
    limits: MailLimits
    attached: list[Attached] = field(default_factory=list)
    warnings: dict[str, None] = field(default_factory=dict)
    is_exact: bool = True
    is_truncated: bool = False
    has_text: bool = False
    read_characters: int = 0  # of all parts together: the limits are those of the mail

    def read(self, root: Part) -> Segment:
        segments = self._read(root, is_related=False, is_alternative=False)
        return Segment(text=_join_text(segments), html=_join_html(segments))

    def _read(self, part: Part, is_related: bool, is_alternative: bool) -> list[Segment]:
        if not part.is_multipart:
            return self._leaf(part, is_related, is_alternative)
        match part.media_type:
            case "multipart/alternative":
                return self._alternative(part)
            case "multipart/related":
                return self._related(part)
            case _:
                return [
                    segment for child in part.children for segment in self._read(child, is_related, False)
                ]

    def _alternative(self, part: Part) -> list[Segment]:
        """Text from the first plain alternative that says something, HTML from the last one that has any."""
        plain = rich = ""
        for child in part.children:
            segments = self._read(child, is_related=False, is_alternative=True)
            html = _join_html(segments)
            if html:
                rich = html
                if not plain.strip():
                    plain = _join_text([segment for segment in segments if segment.text and not segment.html])
            elif not plain.strip():
                plain = _join_text(segments)
        if rich and STUB.search(plain[:1000]) and len(plain) < 400:
            plain = ""
        return [Segment(plain, rich)]

    def _related(self, part: Part) -> list[Segment]:
        """The root is named by `start` or comes first; the rest belongs to it (RFC 2387, 3.2)."""
        start = part.content_type.parameters.get("start", "").strip("<> ")
        root = next(
            (child for child in part.children if start and child.content_id == start), part.children[0]
        )
        segments = self._read(root, is_related=False, is_alternative=False)
        for child in part.children:
            if child is not root:
                segments.extend(self._read(child, is_related=True, is_alternative=False))
        return segments

    def _leaf(self, part: Part, is_related: bool, is_alternative: bool) -> list[Segment]:
        if part.media_type in IGNORED or part.media_type in SIGNATURES:
            return []
        if not self._is_body(part, is_alternative):
            disposition = part.disposition.value
            is_inline = disposition != "attachment" and (
                (disposition == "inline" and part.content_id is not None) or is_related
            )
            self.attached.append(Attached(part, is_inline or (is_related and part.content_id is not None)))
            return []
        most = self.limits.text_characters if part.media_type in PLAIN else self.limits.html_characters
        most -= self.read_characters
        if most <= 0:
            self.is_truncated = True
            return []
        content, fault = part.content(self.raw, most * 4)
        if fault:
            self.warnings[fault] = None
        if part.media_type not in PLAIN:
            return self._html(part, content, most)
        if b"begin " in content and UU_BEGIN.search(content):
            content = self._take_uuencoded(part, content)
        decoded = self._decode(part, content)
        text = decoded.text
        if len(text) > most:
            self.is_truncated = True
            text = text[:most]
        self.read_characters += len(text)
        parameters = part.content_type.parameters
        if parameters.get("format", "").lower() == "flowed":
            text = unflow(text, parameters.get("delsp", "").lower() == "yes")
        if part.media_type in ("text/enriched", "text/richtext"):
            text = MARKUP.sub("", text.replace("<<", "<"))
        self.has_text = self.has_text or bool(text.strip())
        return [Segment(text=text)] if text.strip() else []

    def _html(self, part: Part, content: bytes, most: int) -> list[Segment]:
        text = self._decode(part, content).text
        if len(text) > most:
            self.is_truncated = True
            text = text[:most]
        self.read_characters += len(text)
        html = clean_html(text)
        self.has_text = self.has_text or bool(html.strip())
        return [Segment(html=html)] if html.strip() else []

    def _is_body(self, part: Part, is_alternative: bool) -> bool:
        if part.media_type not in READABLE or part.disposition.value == "attachment":
            return False
        if part.disposition.parameters.get("filename"):
            return is_alternative
        # A name on the first text is what some programs put on every body; on a later one it is a file.
        return is_alternative or not part.content_type.parameters.get("name") or not self.has_text

    def _decode(self, part: Part, content: bytes) -> DecodedText:
        label = part.content_type.parameters.get("charset")
        if label is None and part.media_type not in PLAIN and (meta := META_CHARSET.search(content[:4096])):
            label = meta.group(1).decode("ascii")
        decoded = decode_text(content, label)
        self.is_exact = self.is_exact and decoded.is_exact
        return decoded

    def _take_uuencoded(self, part: Part, content: bytes) -> bytes:
        """Files that were put into the text itself before MIME, and still are by some gateways."""
        kept: list[bytes] = []
        position = 0
        for _ in range(MOST_UUENCODED):
            begin = UU_BEGIN.search(content, position)
            if begin is None:
                break
            end = content.find(b"\nend", begin.end())
            decoded = decode_uu(content[begin.start() : end + 4]) if end >= 0 else None
            if decoded is None or not decoded:
                kept.append(content[position : begin.end()])
                position = begin.end()
                if end < 0:
                    break
                continue
            kept.append(content[position : begin.start()])
            name = decode_text(begin.group(1)).text
            self.attached.append(Attached(part, content=decoded, name=name))
            position = end + 4
        kept.append(content[position:])
        return b"".join(kept)


def _join_text(segments: Sequence[Segment]) -> str:
    return "\n\n".join(text for segment in segments if (text := segment.readable.strip("\n")).strip())


def _join_html(segments: Sequence[Segment]) -> str:
    if not any(segment.html for segment in segments):
        return ""
    return "\n".join(segment.html or text_as_html(segment.text) for segment in segments)


def text_as_html(text: str) -> str:
    return "<p>" + escape(text.strip("\n"), quote=False).replace("\n", "<br>\n") + "</p>"
