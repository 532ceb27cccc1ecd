"""A language whose every text is marked: what a page says without a mark comes from no catalogue.

`⟦…⟧` stands around what a catalogue says, `⟨…⟩` around a value in it. A letter counts as marked when the innermost of these around it
is `⟦`.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache

from selectolax.lexbor import LexborHTMLParser, LexborNode

from hub.console.saying import Forms, sentences_of
from hub.console.words import ENGLISH, Catalogue, texts_of

NAMED = ("title", "aria-label", "placeholder", "alt")
"""Attributes that are read out or shown."""
UNSAID = "script, style, code, kbd, pre, textarea, title"
"""What is written for machines, keys, or typed by people. The title of a page repeats its heading."""
WORD = re.compile(r"[^\W\d_]{2,}")


class Pseudo(Catalogue):
    def _isolated(self, value: object) -> object:
        return f"⟨{value}⟩" if isinstance(value, str) and value else value


@cache
def pseudo(language: str = ENGLISH) -> Pseudo:
    return Pseudo(_marked(texts_of(ENGLISH)), ENGLISH, _sentences())


def _marked(texts: Mapping[str, str]) -> dict[str, str]:
    return {key: f"⟦{text}⟧" for key, text in texts.items()}


def _sentences() -> dict[str, Forms]:
    """Each template, marked, its values as the languages have them: without Python's `!r`."""
    return {each: f"⟦{each.replace('!r}', '}')}⟧" for each in sentences_of("de")}


def unmarked(page: str) -> set[str]:
    """The texts of a page, and of attributes that are read out, which have a word without a mark."""
    tree = LexborHTMLParser(page)
    for node in tree.css(UNSAID):
        node.decompose()
    texts = [*_texts(tree), *_attributes(tree)]
    return {rest for text in texts if WORD.search(rest := _outside(text))}


def _texts(tree: LexborHTMLParser) -> Iterator[str]:
    body = tree.body
    return (
        (node.text(deep=False) for node in body.traverse(include_text=True) if node.is_text_node)
        if body
        else iter(())
    )


def _attributes(tree: LexborHTMLParser) -> Iterator[str]:
    for node in tree.css(", ".join(f"[{name}]" for name in NAMED)):
        yield from _values(node)


def _values(node: LexborNode) -> Iterator[str]:
    return (node.attributes.get(name) or "" for name in NAMED)


def _outside(text: str) -> str:
    """What of the text stands under no mark."""
    around: list[str] = []
    left = ""
    for letter in text:
        if letter in "⟦⟨":
            around.append(letter)
        elif letter in "⟧⟩" and around:
            around.pop()
            left += " "
        elif not around or around[-1] == "⟨":
            left += letter
    return " ".join(left.split())
