"""The tree as HTML, as plain text, and as Slack's mark-up. What is written reads back as the same tree."""

import html
import re
from collections.abc import Callable, Sequence

from processors.formatted.tree import Node

STARS = {"strong": "*", "em": "_"}
"""https://api.slack.com/reference/surfaces/formatting"""
EDGES = re.compile(r"^(\s*)(.*?)(\s*)$", re.DOTALL)
Inline = Callable[[Sequence[Node]], str]


def as_html(root: Node) -> str:
    """A fragment, in lines. Attributes: `href` of links alone."""
    return "".join(f"{_html_block(each)}\n" for each in root.children)


def _html_block(node: Node) -> str:
    if node.tag == "p":
        return f"<p>{_html_words(node.children)}</p>"
    inner = node.children
    if node.tag == "li" and len(inner) == 1 and inner[0].tag == "p":
        return f"<li>{_html_words(inner[0].children)}</li>"
    return f"<{node.tag}>" + "".join(map(_html_block, inner)) + f"</{node.tag}>"


def _html_words(nodes: Sequence[Node]) -> str:
    said: list[str] = []
    for each in nodes:
        if each.tag == "text":
            said.append(html.escape(each.text))
        elif each.tag == "br":
            said.append("<br>")
        elif each.tag == "a":
            said.append(f'<a href="{html.escape(each.href)}">{_html_words(each.children)}</a>')
        else:
            said.append(f"<{each.tag}>{_html_words(each.children)}</{each.tag}>")
    return "".join(said)


def as_text(root: Node) -> str:
    """As one would type it: lists with dashes or numbers, quotes with `>`, links followed by their address."""
    return _blocks(root.children, _text_words, "-")


def as_markdown(root: Node) -> str:
    """With Slack's marks for bold and italic."""
    return _blocks(root.children, _marked_words, "•")


def _blocks(nodes: Sequence[Node], words: Inline, bullet: str) -> str:
    return "\n\n".join(_block(each, words, bullet) for each in nodes)


def _block(node: Node, words: Inline, bullet: str) -> str:
    if node.tag == "p":
        return words(node.children)
    if node.tag == "blockquote":
        return "\n".join(f"> {line}".rstrip() for line in _blocks(node.children, words, bullet).split("\n"))
    items: list[str] = []
    for number, item in enumerate(node.children, 1):
        mark = f"{number}. " if node.tag == "ol" else f"{bullet} "
        lines = "\n".join(_block(each, words, bullet) for each in item.children).split("\n")
        indent = " " * len(mark)
        items.append("\n".join((mark if place == 0 else indent) + line for place, line in enumerate(lines)))
    return "\n".join(items)


def _text_words(nodes: Sequence[Node]) -> str:
    said: list[str] = []
    for each in nodes:
        if each.tag == "text":
            said.append(each.text)
        elif each.tag == "br":
            said.append("\n")
        elif each.tag == "a":
            said.append(_linked(_text_words(each.children), each.href))
        else:
            said.append(_text_words(each.children))
    return "".join(said)


def _marked_words(nodes: Sequence[Node]) -> str:
    said: list[str] = []
    for each in nodes:
        if each.tag in STARS:
            before, inner, after = _edges(_marked_words(each.children))
            mark = STARS[each.tag]
            said.append(f"{before}{mark}{inner}{mark}{after}" if inner else before + after)
        elif each.tag == "a":
            said.append(_linked(_marked_words(each.children), each.href))
        else:
            said.append("\n" if each.tag == "br" else each.text)
    return "".join(said)


def _edges(text: str) -> tuple[str, str, str]:
    """Marks stand at words: spaces are put outside of them."""
    match = EDGES.match(text)
    return (match[1], match[2], match[3]) if match else ("", text, "")


def _linked(words: str, href: str) -> str:
    bare = href.removeprefix("mailto:")
    return words if words.strip() in (href, bare, href.rstrip("/")) else f"{words} ({bare})"


def html_of(text: str) -> str:
    """Plain text as such a fragment: paragraphs and line ends."""
    paragraphs = re.split(r"\n[ \t]*\n\s*", text.strip("\n"))
    return "".join(
        "<p>" + "<br>".join(html.escape(line) for line in each.split("\n")) + "</p>\n"
        for each in paragraphs
        if each.strip()
    )
