"""The text of cleaned HTML as a person would read it, by block rules of our own. Walks the tree without recursion."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser, LexborNode

LONGEST_LINK = 2_000
DEEPEST_QUOTE = 10
BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "caption",
        "center",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "figcaption",
        "figure",
        "footer",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tr",
        "ul",
        "body",
    ]
)
PARAGRAPHS = frozenset(
    ["p", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "pre", "figure", "hr"]
)
HIDDEN = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
BLANKS = re.compile(r"[ \t\r\n\xa0]+")
INVISIBLE = re.compile("[\u00ad\u034f\u200b\u2060\ufeff]")
EMPTY_LINES = re.compile(r"\n{3,}")


@dataclass
class _Writer:
    """Collects the text; a block asks for line ends before it and after it, and they collapse."""

    lines: list[str] = field(default_factory=list)
    line: list[str] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    owed: int = 0
    bullet: str = ""
    preformatted: int = 0

    def text(self, text: str) -> None:
        text = INVISIBLE.sub("", text)
        if self.preformatted:
            first, *others = text.split("\n")
            self._put(first)
            for other in others:
                self.newline()
                self._put(other)
            return
        text = BLANKS.sub(" ", text)
        if not self.line or self.line[-1].endswith((" ", "\t")):
            text = text.removeprefix(" ")
        self._put(text)

    def _put(self, text: str) -> None:
        if not text:
            return
        if not self.line:
            self._pay()
            if self.bullet:
                self.line.append(self.bullet)
                self.bullet = ""
        self.line.append(text)

    def quote(self) -> None:
        self._pay()
        # Deeper quotes look the same; a mark for each level would make every line as long as the nesting is deep.
        self.prefixes.append("> " if len(self.prefixes) < DEEPEST_QUOTE else "")

    def _pay(self) -> None:
        if self.owed > 1 and self.lines and self.lines[-1].strip("> "):
            self.lines.append("".join(self.prefixes).rstrip())
        self.owed = 0

    def newline(self) -> None:
        if not self.line:
            self.owed = 0
        text = "".join(self.line).rstrip()
        self.lines.append(("".join(self.prefixes) + text).rstrip())
        self.line = []

    def close_line(self, line_ends: int) -> None:
        if any(piece.strip() for piece in self.line):
            self.newline()
        self.line = []
        self.owed = max(self.owed, line_ends)

    def result(self) -> str:
        self.close_line(0)
        return EMPTY_LINES.sub("\n\n", "\n".join(self.lines)).strip("\n")


def html_to_text(html: str) -> str:
    """The text of cleaned HTML: paragraphs, `- ` and numbered lists, tab between cells, `> ` quotes, `text <link>`."""
    root = LexborHTMLParser(html).body
    return node_to_text(root) if root is not None else ""


def node_to_text(root: LexborNode, without: frozenset[int] = frozenset()) -> str:
    """Like `html_to_text` for one node, leaving out the nodes whose `mem_id` is in `without`."""
    writer = _Writer()
    counters: list[int | None] = []
    node: LexborNode | None = root
    while node is not None:
        is_open = node.mem_id not in without and _enter(writer, node, counters)
        if is_open and node.first_child is not None:
            node = node.first_child
            continue
        while node is not None:
            if is_open:
                _leave(writer, node, counters)
            if node.mem_id == root.mem_id:
                return writer.result()
            if node.next is not None:
                node = node.next
                break
            node = node.parent
            is_open = True
    return writer.result()


def _enter(writer: _Writer, node: LexborNode, counters: list[int | None]) -> bool:
    """Writes what stands before the children; False leaves the node out with all of them."""
    tag = node.tag
    if tag == "-text":
        writer.text(node.text_content or "")
        return True
    if tag in (None, "-comment", "head", "-doctype"):
        return False
    attributes: Mapping[str, str | None] = node.attributes
    if "style" in attributes and HIDDEN.search(attributes["style"] or ""):
        return False
    if tag == "br":
        writer.newline()
        return True
    if tag == "img":
        if alt := (attributes.get("alt") or "").strip():
            writer.text(f"[{alt[:200]}]")
        return True
    if tag in BLOCKS:
        writer.close_line(2 if tag in PARAGRAPHS and not _is_nested_list(tag, counters) else 1)
    _begin(writer, tag or "", counters)
    return True


def _begin(writer: _Writer, tag: str, counters: list[int | None]) -> None:
    match tag:
        case "hr":
            writer.text("________________________________")
        case "ul":
            counters.append(None)
        case "ol":
            counters.append(0)
        case "li":
            writer.bullet = _bullet(counters)
        case "pre":
            writer.preformatted += 1
        case "blockquote":
            writer.quote()
        case "td" | "th" if any(piece.strip() for piece in writer.line):
            writer.line.append("\t")


def _is_nested_list(tag: str, counters: list[int | None]) -> bool:
    return tag in ("ul", "ol") and bool(counters)


def _bullet(counters: list[int | None]) -> str:
    indent = "  " * max(0, min(len(counters), DEEPEST_QUOTE) - 1)
    if not counters or counters[-1] is None:
        return indent + "- "
    counters[-1] += 1
    return f"{indent}{counters[-1]}. "


def _leave(writer: _Writer, node: LexborNode, counters: list[int | None]) -> None:
    tag = node.tag
    if tag == "a":
        _link(writer, node)
    if tag not in BLOCKS:
        return
    writer.close_line(2 if tag in PARAGRAPHS and not (tag in ("ul", "ol") and len(counters) > 1) else 1)
    if tag in ("ul", "ol") and counters:
        counters.pop()
    elif tag == "pre":
        writer.preformatted = max(0, writer.preformatted - 1)
    elif tag == "blockquote" and writer.prefixes:
        writer.prefixes.pop()


def _link(writer: _Writer, node: LexborNode) -> None:
    address = (node.attributes.get("href") or "").strip()
    if not address.startswith(("http://", "https://")) or len(address) > LONGEST_LINK:
        return
    shown = node.text(deep=True).strip()
    if not shown or _same(shown, address):
        return
    writer.text(f" <{address}>")


def _same(shown: str, address: str) -> bool:
    plain = address.removeprefix("https://").removeprefix("http://").removeprefix("www.").rstrip("/")
    return shown.removeprefix("https://").removeprefix("http://").removeprefix("www.").rstrip("/") == plain
