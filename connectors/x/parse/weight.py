"""How long X holds a text to be: twitter-text, configuration version 3.

https://docs.x.com/fundamentals/counting-characters · https://developer.twitter.com/en/docs/counting-characters
A character weighs 1 in the ranges below and 2 elsewhere, an emoji 2 however many code points it has, a link 23.
"""

import re
import unicodedata
from bisect import bisect_right
from functools import cache
from pathlib import Path

from emoji import emoji_list

LONGEST = 280
LINK_WEIGHT = 23
LONGEST_LABEL = 63
LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
BOUNDS = [bound for first, last in LIGHT for bound in (first, last + 1)]
INVALID = re.compile("[\ufffe\uffff\ufeff]")
MOST_COUNTED = 20_000

_LABEL = r"[a-z0-9\u00c0-\u024f\u0400-\u04ff\u0600-\u06ff\u0900-\u097f\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af](?:[a-z0-9_\-\u00c0-\u024f\u0400-\u04ff\u0600-\u06ff\u0900-\u097f\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{0,61}[a-z0-9\u00c0-\u024f\u0400-\u04ff\u0600-\u06ff\u0900-\u097f\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af])?"
_BEFORE = r"(?<![a-z0-9@＠$#＃_/.\-])"
_PATH = r"(?:/(?:[a-z0-9\u00c0-\u024f\u0400-\u04ff!*';:=+,.$/%#\[\]\-\u2013_~@|&()?]*[a-z0-9\u00c0-\u024f\u0400-\u04ff=_#/+\-)])?)?"
_QUERY = r"(?:\?[a-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*[a-z0-9\-_&=#/])?"


@cache
def _links() -> re.Pattern[str]:
    lines = (Path(__file__).parent / "tlds.txt").read_text("utf-8").splitlines()
    names = sorted((each for each in lines if not each.startswith("#")), key=len, reverse=True)
    tlds = "|".join(map(re.escape, names))
    domain = rf"(?:{_LABEL}\.)+(?:{tlds}|xn--[\-0-9a-z]{{1,59}})(?![a-z0-9@_\-])"
    return re.compile(rf"{_BEFORE}(?:https?://)?{domain}(?::[0-9]{{1,5}})?{_PATH}{_QUERY}", re.IGNORECASE)


def weight(text: str) -> int:
    """The weighted length, as X counts."""
    total = max(0, len(text) - MOST_COUNTED)
    text = unicodedata.normalize("NFC", text[:MOST_COUNTED])
    position = 0
    for start, end in _wholes(text):
        total += sum(map(_of_character, text[position:start]))
        total += LINK_WEIGHT if _is_link(text, start, end) else 2
        position = end
    return total + sum(map(_of_character, text[position:]))


def is_valid(text: str) -> bool:
    """Whether X takes it as one post: neither empty nor too long, and without characters that are none."""
    return bool(text.strip()) and weight(text) <= LONGEST and not INVALID.search(text)


def _of_character(character: str) -> int:
    return 1 if bisect_right(BOUNDS, ord(character)) % 2 else 2


def _wholes(text: str) -> list[tuple[int, int]]:
    """What is counted as one: links, and emoji outside of them."""
    links = [each.span() for each in _links().finditer(text) if _has_names(each[0])] if "." in text else []
    emoji = [] if text.isascii() else [(each["match_start"], each["match_end"]) for each in emoji_list(text)]
    apart = [span for span in emoji if not any(first <= span[0] < last for first, last in links)]
    return sorted([*links, *apart])


def _has_names(link: str) -> bool:
    """Whether each label of its host could be in the DNS: at most 63 characters as it is written there (RFC 5890)."""
    host = link.lower().removeprefix("https://").removeprefix("http://").partition("/")[0]
    for label in host.split(":")[0].split("."):
        if not label.isascii() and len(label.encode("punycode")) + 4 > LONGEST_LABEL:
            return False
    return True


def _is_link(text: str, start: int, end: int) -> bool:
    return _links().match(text, start) is not None and "." in text[start:end]


def cut(text: str, most: int = LONGEST) -> list[str]:
    """The text as posts of a thread: cut at the end of paragraphs, sentences or words, never within a link or an emoji."""
    rest, parts = text.strip(), []
    while rest and weight(rest) > most:
        at = _longest_start(rest, most)
        parts.append(rest[:at].rstrip())
        rest = rest[at:].lstrip()
    return [*parts, rest] if rest or not parts else parts


def _longest_start(text: str, most: int) -> int:
    """How many characters fit, up to a good place to cut."""
    low, high = 1, min(len(text), most)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if weight(text[:middle]) <= most else (low, middle - 1)
    for start, end in _wholes(text):
        if start < low < end:
            low = start or end
    for mark in ("\n\n", "\n", ". ", "! ", "? ", " "):
        at = text.rfind(mark, low // 2, low)
        if at > 0:
            return at + len(mark)
    return low
