"""HTML as a run of starts, ends and words. Linear in time on any input: what is not understood at once is words.

It need not read HTML as browsers do, since nothing of it is ever handed on: what comes out is written from a tree of ours.
"""

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

LONGEST = 400_000
LONGEST_TAG = 4_096
MOST_TAGS = 10_000
TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:-]{0,30})((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>")
ATTRIBUTE = re.compile(r"([a-zA-Z-]{1,30})\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
RAW = frozenset({"script", "style", "title", "textarea", "noscript", "iframe", "xmp"})
"""What is in them is no HTML."""


@dataclass(frozen=True, slots=True)
class Token:
    """`tag` is empty for words."""

    text: str = ""
    tag: str = ""
    is_end: bool = False
    attributes: dict[str, str] = field(default_factory=dict)


def tokens(source: str) -> Iterator[Token]:
    source = source[:LONGEST]
    place, tags = 0, 0
    while place < len(source):
        begin = source.find("<", place)
        if begin < 0 or tags >= MOST_TAGS:
            yield Token(words(source[place:]))
            return
        if begin > place:
            yield Token(words(source[place:begin]))
        tags += 1
        match = TAG.match(source, begin, begin + LONGEST_TAG)
        if match is not None:
            tag = match[2].lower()
            yield Token(tag=tag, is_end=bool(match[1]), attributes=_attributes(match[3]))
            place = _after_raw(source, match.end(), tag) if tag in RAW and not match[1] else match.end()
        elif source.startswith("<!--", begin):
            place = _after(source, "-->", begin + 4)
        elif source.startswith(("<!", "<?"), begin):
            place = _after(source, ">", begin + 2)
        else:
            yield Token("<")
            place = begin + 1


def words(text: str) -> str:
    """What the text says, without what cannot be seen and could not be sent."""
    said = html.unescape(text)
    return "".join(
        [each for each in said if each in "\n\t\r\f" or unicodedata.category(each) not in ("Cc", "Cs")]
    )


def _attributes(source: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for match in ATTRIBUTE.finditer(source):
        found.setdefault(match[1].lower(), html.unescape(match[2] or match[3] or match[4] or ""))
    return found


def _after(source: str, end: str, place: int) -> int:
    found = source.find(end, place)
    return len(source) if found < 0 else found + len(end)


def _after_raw(source: str, place: int, tag: str) -> int:
    """Where its end begins; what has none goes on to the end of all."""
    found = re.compile(f"</{tag}", re.IGNORECASE).search(source, place)
    return len(source) if found is None else found.start()
