"""Encoded words of headers (RFC 2047), in the right spelling and in the wrong ones.

One pass with `str.find`, so a header of any content takes linear time. Tolerated: words inside quoted strings, words
glued to text or to each other, blanks inside a word, a missing `?=` at the end, padding lost, a language suffix
(RFC 2231, 5), and characters split between two words, whose bytes are joined before the charset is applied.
"""

import binascii
import re
from dataclasses import dataclass

from connectors.email.parse.charsets import codec_for, decode_text, presentable
from connectors.email.parse.encodings import decode_base64

LONGEST_LABEL = 60
HEX_PAIR = re.compile(rb"=([0-9A-Fa-f]{2})")
LABEL = re.compile(r"[A-Za-z0-9_.:+*'()-]{1,60}\Z")


@dataclass
class _Word:
    label: str
    encoding: str
    chunks: list[str]


def decode_words(value: str) -> str:
    """The value with each encoded word decoded; what is not one stays as it is."""
    if "=?" not in value:
        return value
    pieces: list[str | _Word] = []
    position = 0
    while True:
        start = value.find("=?", position)
        if start < 0:
            break
        found = _word_at(value, start)
        if found is None:
            pieces.append(value[position : start + 2])
            position = start + 2
            continue
        word, end = found
        _append(pieces, value[position:start], word)
        position = end
    pieces.append(value[position:])
    return "".join(piece if isinstance(piece, str) else _text(piece) for piece in pieces)


def _append(pieces: list[str | _Word], between: str, word: _Word) -> None:
    # White space between two encoded words is not part of the text (RFC 2047, 6.2).
    if between.strip() or not pieces or isinstance(pieces[-1], str):
        if between:
            pieces.append(between)
        pieces.append(word)
        return
    last = pieces[-1]
    if (last.label, last.encoding) == (word.label, word.encoding):
        _extend(last, word)
        return
    pieces.append(word)


def _extend(last: _Word, word: _Word) -> None:
    # Each word should be whole (RFC 2047, 5). Some senders cut base64 anywhere: an unpadded rest goes on in the next one.
    is_cut = last.encoding == "B" and len(last.chunks[-1]) % 4 != 0 and "=" not in last.chunks[-1]
    if is_cut:
        last.chunks[-1] += word.chunks[0]
        return
    last.chunks.extend(word.chunks)


def _word_at(value: str, start: int) -> tuple[_Word, int] | None:
    second = value.find("?", start + 2, start + 2 + LONGEST_LABEL)
    if second < 0:
        return None
    label = value[start + 2 : second].strip()
    if not LABEL.match(label) or value[second + 2 : second + 3] != "?":
        return None
    encoding = value[second + 1].upper()
    if encoding not in "BQ":
        return None
    begin = second + 3
    end = value.find("?=", begin)
    following = value.find("=?", begin, end if end >= 0 else None)
    if following >= 0 and (end < 0 or following < end) and LABEL.match(value[following + 2 : following + 4]):
        # The next word begins before this one has ended: its `?=` was lost.
        return _Word(label.lower(), encoding, [value[begin:following].strip()]), following
    if end < 0:
        return _Word(label.lower(), encoding, [value[begin:].rstrip("?")]), len(value)
    return _Word(label.lower(), encoding, [value[begin:end]]), end + 2


def _decode(encoded: str, encoding: str) -> bytes:
    content = encoded.encode("utf-8", "surrogatepass")
    if encoding == "B":
        return decode_base64(content)
    content = content.replace(b"_", b" ")
    return HEX_PAIR.sub(lambda pair: binascii.unhexlify(pair.group(1)), content)


def _text(word: _Word) -> str:
    label = word.label.partition("*")[0]
    content = b"".join(_decode(chunk, word.encoding) for chunk in word.chunks)
    if codec_for(label) is None and label in ("utf-7", "unicode-1-1-utf-7"):
        return presentable(content.decode("ascii", "replace"))
    return decode_text(content, label).text
