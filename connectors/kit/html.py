"""Foreign HTML made safe to show. Shared by all channels; `html_to_text` reads what comes out of it.

Order matters: `tame` bounds what the C and Rust parsers would take seconds for (deep nesting is quadratic in them),
`nh3` cleans, and only the cleaned tree is walked for text. Nothing here recurses.
"""

import re
from dataclasses import dataclass, field

import nh3

from connectors.kit.html_policy import (
    ATTRIBUTES,
    DROPPED_WITH_CONTENT,
    MARKER_CLASSES,
    MARKER_IDS,
    SCHEMES,
    STYLES,
    TAGS,
)
from connectors.kit.html_text import html_to_text, node_to_text

__all__ = ["clean_html", "html_to_text", "node_to_text", "tame"]

DEEPEST = 200
LONGEST_TAG = 16 * 1024
# Below both, the worst nesting and the longest tag cost some 50 ms; taming every newsletter would cost more.
HARMLESS_TAGS = 5_000
HARMLESS_LENGTH = 128 * 1024

TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:]{0,30})")
VOID = frozenset(
    ["br", "hr", "img", "wbr", "meta", "link", "input", "col", "area", "base", "source", "embed", "param"]
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
    if len(html) < HARMLESS_LENGTH and html.count("<") < HARMLESS_TAGS:
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
