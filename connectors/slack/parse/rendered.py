"""A message as text and as HTML, built side by side."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

LINKED = ("https://", "http://", "mailto:", "tel:")
MOST_URL = 2000


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a person reads, and the same as HTML. `is_rich` says that the HTML tells more than the text."""

    text: str = ""
    html: str = ""
    is_rich: bool = False

    def __add__(self, other: "Rendered") -> "Rendered":
        return Rendered(self.text + other.text, self.html + other.html, self.is_rich or other.is_rich)


def plain(text: str) -> Rendered:
    return Rendered(text, escape(text, quote=False).replace("\n", "<br>"))


def link(url: str, label: str = "") -> Rendered:
    """A link; one that a page may not lead to, or that is no link, is its words only."""
    words = label or url.removeprefix("mailto:").removeprefix("tel:")
    if not url.startswith(LINKED) or len(url) > MOST_URL:
        return plain(words)
    says_so = words == url or url.removeprefix("mailto:") == words or url.removeprefix("tel:") == words
    text = words if says_so else f"{words} ({url})"
    return Rendered(text, f'<a href="{escape(url)}">{escape(words, quote=False)}</a>', is_rich=not says_so)


def wrapped(inner: Rendered, *tags: str) -> Rendered:
    """The same within these tags, the first outermost."""
    html = inner.html
    for tag in reversed(tags):
        html = f"<{tag}>{html}</{tag}>"
    return Rendered(inner.text, html, inner.is_rich or bool(tags))


def joined(parts: Iterable[Rendered], text: str = "", html: str = "") -> Rendered:
    """The parts that say something, one after the other."""
    said = [each for each in parts if each.text or each.html]
    return Rendered(
        text.join(each.text for each in said),
        html.join(each.html for each in said),
        any(each.is_rich for each in said),
    )
