"""Foreign HTML: made safe to show, and turned into the text that a person would read. Shared by all channels.

Order matters: `tame` bounds what the C and Rust parsers would take seconds for (deep nesting is quadratic in them),
`nh3` cleans, and only the cleaned tree is walked for text. Nothing here recurses.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import nh3
from selectolax.lexbor import LexborHTMLParser, LexborNode

DEEPEST = 200
LONGEST_TAG = 16 * 1024
LONGEST_LINK = 2_000
LOOKS_HARMLESS = 1_500  # tags below this number cannot be nested deep enough to matter

# Marks by which mail programs say what they quote; kept through cleaning for whoever looks for quotes.
MARKER_CLASSES = frozenset(
    {
        "gmail_quote", "gmail_quote_container", "gmail_attr", "gmail_extra", "gmail_signature", "yahoo_quoted",
        "moz-cite-prefix", "moz-signature", "protonmail_quote", "protonmail_signature_block", "zmail_extra",
        "tutanota_quote", "ydp-quote", "airmail_on", "WordSection1", "mailbox_signature", "spark_quote",
        "front-blockquote", "hs_reply", "freshdesk_quote", "zendesk_quote", "moz-forward-container", "cite",
    }
)  # fmt: skip
MARKER_IDS = frozenset(
    {
        "divRplyFwdMsg", "appendonsend", "replySplit", "OLK_SRC_BODY_SECTION", "mail-editor-reference-message-container",
        "reply-intro", "Signature", "AppleMailSignature", "isForwardContent", "isReplyContent", "oriMsgHtmlSeperator",
        "stopSpelling", "isc-quote", "mailcontent", "SkyDrivePlaceholder",
    }
)  # fmt: skip

TAGS = frozenset(
    [
        "a",
        "abbr",
        "address",
        "article",
        "aside",
        "b",
        "bdi",
        "bdo",
        "big",
        "blockquote",
        "br",
        "caption",
        "center",
        "cite",
        "code",
        "col",
        "colgroup",
        "dd",
        "del",
        "details",
        "dfn",
        "div",
        "dl",
        "dt",
        "em",
        "figcaption",
        "figure",
        "font",
        "footer",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "i",
        "img",
        "ins",
        "kbd",
        "li",
        "main",
        "mark",
        "nav",
        "ol",
        "p",
        "pre",
        "q",
        "rp",
        "rt",
        "ruby",
        "s",
        "samp",
        "section",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "summary",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "time",
        "tr",
        "tt",
        "u",
        "ul",
        "var",
        "wbr",
    ]
)
STYLES = frozenset(
    [
        "background-color",
        "border",
        "border-bottom",
        "border-collapse",
        "border-color",
        "border-left",
        "border-radius",
        "border-right",
        "border-spacing",
        "border-style",
        "border-top",
        "border-width",
        "color",
        "direction",
        "display",
        "font",
        "font-family",
        "font-size",
        "font-style",
        "font-variant",
        "font-weight",
        "height",
        "letter-spacing",
        "line-height",
        "list-style",
        "list-style-type",
        "margin",
        "margin-bottom",
        "margin-left",
        "margin-right",
        "margin-top",
        "max-width",
        "min-width",
        "padding",
        "padding-bottom",
        "padding-left",
        "padding-right",
        "padding-top",
        "text-align",
        "text-decoration",
        "text-indent",
        "text-transform",
        "unicode-bidi",
        "vertical-align",
        "visibility",
        "white-space",
        "width",
        "word-break",
        "word-spacing",
    ]
)
ATTRIBUTES = {
    "*": {"class", "id", "dir", "lang", "title", "style", "align"},
    "a": {"href", "name"},
    "img": {"src", "alt", "width", "height"},
    "blockquote": {"cite", "type"},
    "ol": {"start", "type"},
    "table": {"border", "cellpadding", "cellspacing", "width", "bgcolor"},
    "td": {"colspan", "rowspan", "width", "height", "valign", "bgcolor"},
    "th": {"colspan", "rowspan", "width", "height", "valign", "bgcolor"},
    "tr": {"valign", "bgcolor"},
    "font": {"color", "face", "size"},
    "col": {"span", "width"},
}
SCHEMES = {"http", "https", "mailto", "tel", "cid"}
DROPPED_WITH_CONTENT = {
    "script",
    "style",
    "title",
    "noscript",
    "template",
    "xml",
    "svg",
    "math",
    "iframe",
    "object",
}
TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:]{0,30})")
VOID = frozenset(
    {"br", "hr", "img", "wbr", "meta", "link", "input", "col", "area", "base", "source", "embed", "param"}
)
CLOSED_BY_NEXT = frozenset({"p", "li", "td", "th", "tr", "dd", "dt", "option"})


def clean_html(html: str) -> str:
    """HTML that is safe to show: no script, form, style sheet, event handler, or address other than of `SCHEMES`.

    Remote images stay; whoever shows the result decides whether to load them. Marks of quoting (`MARKER_CLASSES`,
    `MARKER_IDS`, `blockquote type`) survive, other classes and ids do not.
    """
    return nh3.clean(
        tame(html),
        tags=set(TAGS),
        clean_content_tags=DROPPED_WITH_CONTENT,
        attributes=ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes=SCHEMES,
        filter_style_properties=set(STYLES),
        link_rel="noopener noreferrer nofollow",
    )


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name == "class":
        return " ".join(word for word in value.split()[:50] if word in MARKER_CLASSES) or None
    if name == "id":
        # Outlook on the web puts x_ before the ids of what it quotes; those are marks of an older reply.
        return value if value in MARKER_IDS else None
    return value


@dataclass
class _Nesting:
    """Counts open elements by name, and refuses those that would stand too deep, with the ends that belong to them."""

    open: dict[str, int] = field(default_factory=dict)
    depth: int = 0

    def admits_start(self, name: str) -> bool:
        if name in CLOSED_BY_NEXT:
            return self.depth < DEEPEST
        if self.depth >= DEEPEST:
            return False
        self.open[name] = self.open.get(name, 0) + 1
        self.depth += 1
        return True

    def admits_end(self, name: str) -> bool:
        if self.open.get(name, 0) == 0:
            return name in CLOSED_BY_NEXT
        self.open[name] -= 1
        self.depth -= 1
        return True


def tame(html: str) -> str:
    """The same HTML without what parsers take quadratic time for: very long tags, very deep nesting."""
    if html.count("<") < LOOKS_HARMLESS and len(html) < LONGEST_TAG:
        return html
    kept: list[str] = []
    nesting = _Nesting()
    position = 0
    while (start := html.find("<", position)) >= 0:
        tag = TAG.match(html, start)
        if tag is None:
            kept.append(html[position : start + 1])
            position = start + 1
            continue
        kept.append(html[position:start])
        end = html.find(">", start, start + LONGEST_TAG)
        text = html[start : end + 1]
        if end < 0:
            # Too long a tag, or one that never ends: the tag without its attributes.
            end = html.find(">", start)
            end = len(html) if end < 0 else end
            text = f"<{tag.group(1)}{tag.group(2)}>"
        position = end + 1
        name = tag.group(2).lower()
        if name in VOID or (nesting.admits_end(name) if tag.group(1) else nesting.admits_start(name)):
            kept.append(text)
    kept.append(html[position:])
    return "".join(kept)


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
        self.prefixes.append("> ")

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
    indent = "  " * max(0, min(len(counters), 20) - 1)
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
