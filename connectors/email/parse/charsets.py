"""Bytes to text, whatever their label says: declared charset, UTF-8, a guess, Latin-1, in this order.

Labels are looked up in an allow-list. UTF-7 turns plain ASCII into live markup, and the IDNA and punycode codecs
raise or take quadratic time; none of them is a charset of mail.
"""

import codecs
import re
from dataclasses import dataclass
from functools import lru_cache

# Labels as they are met, to the codec that reads them. As in https://encoding.spec.whatwg.org/#names-and-labels a label
# means the superset in which senders really write: ISO-8859-1 is Windows-1252, GB2312 is GB18030.
ALIASES = {
    "ascii": "cp1252",
    "us-ascii": "cp1252",
    "ansi_x3.4-1968": "cp1252",
    "646": "cp1252",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "iso_8859-1": "cp1252",
    "8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "l1": "cp1252",
    "ansi": "cp1252",
    "cp-1252": "cp1252",
    "utf8": "utf-8",
    "unicode-1-1-utf-8": "utf-8",
    "utf8mb4": "utf-8",
    "utf-8-sig": "utf-8",
    "cp65001": "utf-8",
    "utf": "utf-8",
    "gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "gbk": "gb18030",
    "cp936": "gb18030",
    "x-gbk": "gb18030",
    "chinese": "gb18030",
    "euc-cn": "gb18030",
    "big5": "cp950",
    "big-5": "cp950",
    "big5-hkscs": "big5hkscs",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "x-sjis": "cp932",
    "ms_kanji": "cp932",
    "windows-31j": "cp932",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "euc-kr": "cp949",
    "euckr": "cp949",
    "iso-2022-jp": "iso2022_jp_ext",
    "x-euc-jp": "euc_jp",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-8-e": "iso8859-8",
    "iso-8859-9": "cp1254",
    "iso-8859-11": "cp874",
    "tis-620": "cp874",
    "windows-874": "cp874",
    "koi8": "koi8-r",
    "koi": "koi8-r",
    "x-mac-roman": "mac_roman",
    "macintosh": "mac_roman",
    "x-mac-cyrillic": "mac_cyrillic",
    "x-windows-949": "cp949",
    "x-ms-cp932": "cp932",
    "x-cp1250": "cp1250",
    "x-cp1251": "cp1251",
    "x-cp1252": "cp1252",
    "cyrillic": "iso8859-5",
    "arabic": "iso8859-6",
    "greek": "iso8859-7",
    "hebrew": "iso8859-8",
    "unicode": "utf-16",
    "ucs-2": "utf-16",
    "iso-10646-ucs-2": "utf-16-be",
}
ALLOWED = re.compile(
    r"(?:utf_?-?(?:8|16|32)(?:[-_](?:le|be|sig))?|(?:iso)?[-_]?8859[-_]\d{1,2}|(?:windows|cp|ibm)[-_]?\d{3,4}"
    r"|koi8[-_][rut]|gb18030|gbk|big5(?:hkscs)?|euc[-_](?:jp|kr|jis_2004|jisx0213)|iso2022[-_](?:jp(?:_ext|_\d|_2004)?|kr)"
    r"|iso-2022-(?:jp(?:-[123]|-2004|-ext)?|kr)|hz(?:-gb-2312)?|johab|tis[-_]620|viscii|ptcp154|kz1048|mac_\w{5,9})\Z"
)
GUESS_BYTES = 32 * 1024
# Controls other than tab and newline, and lone surrogates: neither JSON consumers nor databases take them all.
UNWANTED = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class DecodedText:
    text: str
    is_exact: bool


def presentable(text: str) -> str:
    """Valid Unicode with LF line ends, without control characters and lone surrogates."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0c", "\n")
    return UNWANTED.sub("", text)


@lru_cache(maxsize=512)
def codec_for(label: str) -> str | None:
    """The codec for a charset label, or None for one that is unknown or not allowed."""
    name = label.strip().strip("'\"").partition("*")[0].lower()[:40]
    name = ALIASES.get(name, name)
    if not ALLOWED.match(name):
        name = ALIASES.get(name.removeprefix("x-"), "")
    if not name:
        return None
    try:
        return codecs.lookup(name).name
    except (LookupError, ValueError):
        return None


def decode_text(content: bytes, label: str | None = None, fallback: str | None = None) -> DecodedText:
    """`fallback` is a weaker hint (the charset of the mail for one of its headers), tried after UTF-8."""
    if (
        content.isascii()
        and b"\x1b" not in content
        and b"~{" not in content
        and not (label and _is_wide(label))
    ):
        return DecodedText(presentable(content.decode("ascii")), is_exact=True)
    for codec in _candidates(content, label, fallback):
        try:
            text = content.decode(codec)
        except (UnicodeError, ValueError):
            continue
        return DecodedText(presentable(text.removeprefix("\ufeff")), is_exact=True)
    codec = codec_for(label or "") or "utf-8"
    text = content.decode(codec, errors="replace")
    # A few damaged characters in a text that otherwise fits its label are better kept in that label.
    if text.count("\ufffd") * 20 <= len(text):
        return DecodedText(presentable(text), is_exact=False)
    guess = _guess(content)
    if guess is not None:
        return DecodedText(presentable(content.decode(guess, errors="replace")), is_exact=False)
    return DecodedText(presentable(content.decode("latin-1")), is_exact=False)


def _is_wide(label: str) -> bool:
    codec = codec_for(label)
    return codec is not None and codec.startswith(("utf-16", "utf-32"))


def _candidates(content: bytes, label: str | None, fallback: str | None) -> list[str]:
    declared = codec_for(label) if label else None
    hinted = codec_for(fallback) if fallback else None
    chain: list[str] = []
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) and (declared is None or declared.startswith("utf-16")):
        chain.append("utf-16")
    # Valid UTF-8 beyond ASCII is hardly ever anything else, and senders do label it Latin-1 or US-ASCII.
    if declared == "cp1252" and _is_ascii_label(label):
        chain.append("utf-8")
    if declared:
        chain.append(declared)
        if declared == "iso2022_jp_ext":
            chain.extend(["iso2022_jp_3", "cp932"])
        if declared == "cp950":
            chain.extend(["big5hkscs", "gb18030"])
        if declared == "cp1252":
            chain.append("latin-1")
    chain.append("utf-8")
    if hinted:
        chain.append(hinted)
    return chain


def _is_ascii_label(label: str | None) -> bool:
    return bool(label) and "ascii" in str(label).lower()


def _guess(content: bytes) -> str | None:
    """A charset by the look of the bytes; imported when first needed because most mails never need it."""
    from charset_normalizer import from_bytes  # noqa: PLC0415 slow to import, needed by few mails

    try:
        best = from_bytes(content[:GUESS_BYTES], steps=3, chunk_size=256, threshold=0.3).best()
    except Exception:  # noqa: BLE001 a guess may fail in any way; the parser is total
        return None
    return codec_for(best.encoding.replace("_", "-")) or codec_for(best.encoding) if best else None
