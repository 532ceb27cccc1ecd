"""Words as search knows them: lower case, without diacritics, each Chinese, Japanese and Korean character a word."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

MOST_CHARACTERS = 100_000  # of one entry's text; what lies beyond is kept and shown, not found by its words
MOST_TERMS = 20_000
LONGEST_TERM = 100
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\ud800-\udfff]")
ALONE = "\u2e80-\u303f\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
MARKS = "\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed"
WORD = re.compile(rf"[{ALONE}]|(?:(?![{ALONE}])[^\W_]|[{MARKS}])+")
ANY_ALONE = re.compile(f"[{ALONE}]")
SPACED_WORD = re.compile(rf"[\w{MARKS}]+")
"""What WORD finds where no character is a word by itself and an underscore is a space."""
PLAIN = bytes([ord(chr(each).lower()) if chr(each).isalnum() else ord(" ") for each in range(128)]) + bytes(
    range(128, 256)
)
"""Small letters for A to Z, a space for each other character of ASCII but digits; other bytes as they are."""
REMEMBERED, LONGEST_REMEMBERED = 20_000, 40


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text: as it is compared, and where it stands."""

    folded: str
    begin: int
    end: int


def clean(text: str) -> str:
    """Without the controls that mark excerpts."""
    return CONTROLS.sub("", text[:MOST_CHARACTERS])


def fold(word: str) -> str:
    """Müller, MULLER and muller are one word; so are straße and strasse."""
    if word.isascii():
        return word.lower()
    return _folded_often(word) if len(word) <= LONGEST_REMEMBERED else _folded(word)


def _folded(word: str) -> str:
    plain = "".join(
        [each for each in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(each)]
    )
    return unicodedata.normalize("NFC", plain)


_folded_often = lru_cache(maxsize=REMEMBERED)(_folded)


def words_of(text: str) -> Iterator[Word]:
    for found in WORD.finditer(text):
        folded = fold(found.group())
        if folded:
            yield Word(folded, found.start(), found.end())


def terms_of(texts: Sequence[str]) -> list[str]:
    """The distinct words of these texts, and each pair of characters that stand side by side as words of their own."""
    terms: dict[str, None] = {}
    for text in texts:
        words = dict.fromkeys(_plain(text).split())
        if not all(map(str.isascii, words)):
            if ANY_ALONE.search(" ".join(words)):
                _add_terms(text, terms)
                continue
            words = dict.fromkeys(_in_full(words))
        if max(map(len, words), default=0) > LONGEST_TERM:
            words = dict.fromkeys([word[:LONGEST_TERM] for word in words])
        terms.update(words)
    terms.pop("", None)
    return list(terms)[:MOST_TERMS]


def _plain(text: str) -> str:
    """A to Z in small letters, and spaces for what else of ASCII is no part of a word, which bytes do at once."""
    written = text.encode("utf-8", "surrogatepass").translate(PLAIN)
    return written.decode("utf-8", "surrogatepass")


def _in_full(words: Iterable[str]) -> list[str]:
    """The words, folded, of what has no space and no sign of ASCII in it."""
    found: list[str] = []
    for word in words:
        if word.isascii():
            found.append(word)
        else:
            found += [fold(each) for each in SPACED_WORD.findall(word)]
    return found


def _add_terms(text: str, terms: dict[str, None]) -> None:
    before: Word | None = None
    for word in words_of(text):
        terms[word.folded[:LONGEST_TERM]] = None
        if before is not None and is_pair(before, word):
            terms[before.folded + word.folded] = None
        before = word


def is_pair(first: Word, second: Word) -> bool:
    """Two characters of a script without spaces, one right after the other."""
    return first.end == second.begin and len(first.folded) == len(second.folded) == 1
