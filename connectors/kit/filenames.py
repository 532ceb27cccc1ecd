"""File names from outside, made safe to store and to offer for download."""

import re
import unicodedata

LONGEST = 150
# Separators, characters that Windows refuses, controls, and the bidirectional controls that let `gpj.exe` read `exe.jpg`.
UNSAFE = re.compile('[\x00-\x1f\x7f<>:"|?*\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]')
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file
RESERVED = re.compile(r"(?i)(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|\Z)")
BLANKS = re.compile(r"\s+")


def safe_filename(name: str, fallback: str = "attachment") -> str:
    """The last component of `name`, NFC, without what any file system or screen would misread; never empty."""
    name = BLANKS.sub(" ", name)
    name = re.split(r"[/\\]", name.rstrip("/\\ "))[-1]
    name = unicodedata.normalize("NFC", UNSAFE.sub("", name)).strip(" ")
    name = (
        name.rstrip(".").lstrip(". ") if not name.strip(".") or name.startswith("..") else name.rstrip(". ")
    )
    if not name:
        return fallback
    if RESERVED.match(name):
        name = f"_{name}"
    if len(name.encode("utf-8")) <= LONGEST:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > 16:
        stem, extension = name, ""
    ending = f".{extension}" if extension else ""
    kept = stem.encode("utf-8")[: LONGEST - len(ending.encode("utf-8"))].decode("utf-8", "ignore")
    return kept.rstrip(". ") + ending
