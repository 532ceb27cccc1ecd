"""Text from outside, made fit to be kept, shown and compared."""

import re
import unicodedata

# Controls mean nothing in an entry but can end a string (NUL), colour a terminal (ESC), break a header or, as overrides of
# direction, let a text read other than it is. Joiners and marks stay: Persian needs them.
UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202d\u202e\ufeff]")
SURROGATE = re.compile("[\ud800-\udfff]")
BLANKS = re.compile(r"\s+")
REPLACEMENT = "�"


def clean(text: str) -> str:
    """NFC, lines ended by LF, without controls; lone surrogates, which no encoding has, become U+FFFD."""
    if text.isascii() and text.isprintable():
        return text.strip()
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = SURROGATE.sub(REPLACEMENT, UNWANTED.sub("", text))
    return unicodedata.normalize("NFC", text).strip()


def one_line(text: str) -> str:
    """The same on one line, so that it may stand in a subject or a name."""
    return BLANKS.sub(" ", clean(text)).strip()
