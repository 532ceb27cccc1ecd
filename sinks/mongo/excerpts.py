"""Whether the words that were typed stand in a text, and the place that shows it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sinks.mongo.words import Word, words_of

MARKS = ("\x02", "\x03")
"""Before and after each matching word of an excerpt. The excerpt itself is plain text."""
EXCERPT_WORDS = 24
WORDS_BEFORE = 6


@dataclass(frozen=True, slots=True)
class Piece:
    """What was typed without a space between: its words stand side by side. `is_open`: the last one may go on."""

    words: tuple[Word, ...]
    is_open: bool = False

    def at(self, words: Sequence[Word], place: int) -> bool:
        if place + len(self.words) > len(words):
            return False
        *closed, last = [word.folded for word in self.words]
        if any(words[place + step].folded != each for step, each in enumerate(closed)):
            return False
        found = words[place + len(closed)].folded
        return found.startswith(last) if self.is_open else found == last


def matches(texts: Sequence[str], pieces: Sequence[Piece]) -> bool:
    """Whether each piece stands in one of the texts."""
    read = [list(words_of(text)) for text in texts]
    return all(any(_found(words, piece) for words in read) for piece in pieces)


def _found(words: Sequence[Word], piece: Piece) -> list[int]:
    """The places of all words of the piece, wherever it stands."""
    return [
        place + step
        for place in range(len(words))
        if piece.at(words, place)
        for step in range(len(piece.words))
    ]


def excerpt(texts: Sequence[str], pieces: Sequence[Piece]) -> str:
    """The words around the matches, from the first of the texts that has the most pieces."""
    best, best_marked, best_count = "", set[int](), -1
    for text in texts:
        words = list(words_of(text))
        found = [_found(words, piece) for piece in pieces]
        count = sum(map(bool, found))
        if count > best_count:
            best, best_marked, best_count = text, {place for each in found for place in each}, count
    return _around(best, list(words_of(best)), best_marked)


def _around(text: str, words: Sequence[Word], marked: set[int]) -> str:
    if not words:
        return text
    first = max(0, min(marked, default=0) - WORDS_BEFORE)
    if len(words) <= EXCERPT_WORDS:
        first = 0
    shown = words[first : first + EXCERPT_WORDS]
    ends_early = first + EXCERPT_WORDS < len(words)
    begin = 0 if first == 0 else shown[0].begin
    end = shown[-1].end if ends_early else len(text)
    parts, at = ["…" if first else ""], begin
    for place, word in enumerate(shown, start=first):
        if place in marked:
            parts += [text[at : word.begin], MARKS[0], text[word.begin : word.end], MARKS[1]]
            at = word.end
    parts += [text[at:end], "…" if ends_early else ""]
    return "".join(parts)
