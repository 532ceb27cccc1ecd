"""Slack's names of emoji to characters. Those that a workspace made for itself keep their name, in colons."""

import re

from emoji import emojize

SHORTCODE = re.compile(r":[a-z0-9_+'-]{1,80}(?:::skin-tone-[2-6])?:")
TONES = {str(number): chr(0x1F3F9 + number) for number in range(2, 7)}


def emoji_of(name: str, unicode: str = "") -> str:
    """The characters of `wave` or `wave::skin-tone-3`, or of the code points that Slack adds (`1f44b-1f3fd`)."""
    if unicode:
        try:
            return "".join(chr(int(each, 16)) for each in unicode.split("-")[:12])
        except (ValueError, OverflowError):
            pass
    plain, _, tone = name[:100].partition("::skin-tone-")
    found: str = emojize(f":{plain}:", language="alias")
    return found + TONES.get(tone, "") if not found.startswith(":") else found


def with_emoji(text: str) -> str:
    """The text with the names of emoji in colons as characters."""
    if ":" not in text:
        return text
    return SHORTCODE.sub(lambda match: emoji_of(match[0][1:-1]), text)
