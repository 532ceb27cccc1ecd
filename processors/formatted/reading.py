"""HTML, however foreign, into the tree. Bounded in length, depth and number; never fails; keeps the words of what it drops."""

import re
import unicodedata
from collections import Counter
from urllib.parse import urlsplit

from processors.formatted.tidying import tidied
from processors.formatted.tokens import Token, tokens
from processors.formatted.tree import Node

DEEPEST = 12
MOST_NODES = 20_000
LONGEST_HREF = 2_000
SCHEMES = frozenset({"http", "https", "mailto"})

MEANS = {
    "b": "strong",
    "strong": "strong",
    "i": "em",
    "em": "em",
    "a": "a",
    "ul": "ul",
    "ol": "ol",
    "li": "li",
    "blockquote": "blockquote",
}
"""What these say is kept; what all others say is their text."""
PARAGRAPHS = frozenset(
    [
        "p",
        "div",
        "section",
        "article",
        "header",
        "footer",
        "main",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "pre",
        "table",
        "tr",
        "dl",
        "dt",
        "dd",
        "figure",
        "figcaption",
        "address",
    ]
)
CELLS = frozenset({"td", "th"})
SILENT = frozenset(
    [
        "script",
        "style",
        "head",
        "title",
        "template",
        "noscript",
        "iframe",
        "object",
        "svg",
        "math",
        "textarea",
        "select",
        "option",
        "audio",
        "video",
        "canvas",
    ]
)
"""Dropped with all that is in them."""
VOID = frozenset(
    {"img", "wbr", "input", "meta", "link", "col", "area", "base", "source", "embed", "param", "track"}
)
BOLD = re.compile(r"font-weight\s*:\s*(?:bold|bolder|[6-9]00)", re.IGNORECASE)
ITALIC = re.compile(r"font-style\s*:\s*(?:italic|oblique)", re.IGNORECASE)
NOT_BOLD = re.compile(r"font-weight\s*:\s*(?:normal|lighter|[1-5]00)", re.IGNORECASE)
SPACES = re.compile(r"[ \t\r\n\f]+")


def formatted(html: str) -> Node:
    """The tree of an HTML text. What is too long or too deep is cut or flattened."""
    reader = _Reader()
    for token in tokens(html):
        reader.take(token)
    return tidied(reader.root)


def address(href: str) -> str:
    """The address as it may stand in a link; empty for any other scheme, and for what cannot be read."""
    plain = "".join(each for each in href.strip() if unicodedata.category(each) not in ("Cc", "Cf", "Cs"))
    try:
        parts = urlsplit(plain)
    except ValueError:
        return ""
    if parts.scheme.lower() not in SCHEMES or len(plain) > LONGEST_HREF or " " in plain:
        return ""
    return plain if parts.netloc or parts.scheme.lower() == "mailto" else ""


class _Reader:
    """Keeps a stack of what is open; an element that does not count stands on it as nothing, so that its end is known."""

    def __init__(self) -> None:
        self.root = Node("root")
        self._open: list[tuple[str, list[Node]]] = []
        """Source tag, and the nodes that it opened."""
        self._opened: Counter[str] = Counter()
        self._place: list[Node] = [self.root]
        self._silent = 0
        self._count = 0

    def take(self, token: Token) -> None:
        tag = token.tag
        if not tag:
            self._say(token.text)
        elif token.is_end:
            self._end(tag)
        elif tag in SILENT:
            self._silent += 1
            self._push(tag, [])
        elif self._silent or tag in VOID:
            return
        elif tag in ("br", "hr"):
            self._add(Node("br" if tag == "br" else "p"))
        else:
            self._begin(tag, token.attributes)

    def _push(self, tag: str, nodes: list[Node]) -> None:
        self._open.append((tag, nodes))
        self._opened[tag] += 1

    def _begin(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "li":
            self._end_open_item()
        elif tag == "p" and any(each == "p" for each, _ in self._open[-3:]):
            self._end("p")
        nodes = _nodes_of(tag, attributes) if len(self._place) < DEEPEST else []
        for node in nodes:
            self._add(node)
            self._place.append(node)
        if tag in CELLS:
            self._say(" ")
        self._push(tag, nodes)

    def _end_open_item(self) -> None:
        """A list's next item ends the one before."""
        for tag, _ in reversed(self._open[-DEEPEST:]):
            if tag == "li":
                self._end("li")
                return
            if tag in ("ul", "ol"):
                return

    def _end(self, tag: str) -> None:
        if not self._opened[tag]:
            return
        while self._open:
            ended, nodes = self._open.pop()
            self._opened[ended] -= 1
            if ended in SILENT:
                self._silent -= 1
            for _ in nodes:
                self._place.pop()
            if ended == tag:
                return

    def _say(self, text: str) -> None:
        if text and not self._silent:
            self._add(Node("text", SPACES.sub(" ", text)))

    def _add(self, node: Node) -> None:
        self._count += 1
        if self._count <= MOST_NODES:
            self._place[-1].children.append(node)


def _nodes_of(tag: str, attributes: dict[str, str]) -> list[Node]:
    style = attributes.get("style", "")
    if tag == "a":
        href = address(attributes.get("href", ""))
        return [Node("a", href=href)] if href else []
    if tag in PARAGRAPHS:
        return [Node("p"), *([Node("strong")] if tag[0] == "h" and tag[1:].isdigit() else [])]
    if tag in MEANS:
        # Some editors wrap all that is copied from them in a `b` that is not bold.
        return [] if tag == "b" and NOT_BOLD.search(style) else [Node(MEANS[tag])]
    said = [Node("strong")] if BOLD.search(style) else []
    return [*said, Node("em")] if ITALIC.search(style) else said
