"""Transfer encodings (RFC 2045, 6), read as far as they can be."""

import binascii
import re

ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
FOREIGN = bytes(set(range(256)) - set(ALPHABET) - {ord("=")})
UU_BEGIN = re.compile(rb"^begin [0-7]{3,4} ([^\r\n]{1,255})\r?$", re.MULTILINE)


def decode_transfer(content: bytes, encoding: str) -> tuple[bytes, str | None]:
    """The decoded bytes, and what was wrong with them. An unknown encoding leaves them as they are."""
    compact = encoding.replace(" ", "").replace("-", "")
    if compact.startswith("quotedprintable"):
        encoding = "quoted-printable"
    elif compact.startswith("base64"):
        encoding = "base64"
    match encoding:
        case "base64":
            return decode_base64(content), _base64_fault(content)
        case "quoted-printable":
            return binascii.a2b_qp(content), None
        case "x-uuencode" | "uuencode" | "x-uue" | "uue":
            decoded = decode_uu(content)
            return (content, "uuencode without a begin line") if decoded is None else (decoded, None)
        case "" | "7bit" | "8bit" | "binary" | "7-bit" | "8-bit" | "none" | "8bits" | "7bits":
            return content, None
        case _:
            return content, f"unknown transfer encoding {encoding[:40]}"


def decode_base64(content: bytes) -> bytes:
    """Reads up to the first padding; foreign characters are skipped and missing padding is made up for."""
    cleaned = content.translate(None, FOREIGN)
    padding = cleaned.find(b"=")
    if padding >= 0:
        cleaned = cleaned[:padding]
    if len(cleaned) % 4 == 1:
        cleaned = cleaned[:-1]
    return binascii.a2b_base64(cleaned + b"=" * (-len(cleaned) % 4))


def _base64_fault(content: bytes) -> str | None:
    digits = len(content.translate(None, FOREIGN + b"="))
    if digits % 4 == 1:
        return "base64 is damaged"
    return None


def decode_uu(content: bytes) -> bytes | None:
    begin = UU_BEGIN.search(content)
    if begin is None:
        return None
    decoded: list[bytes] = []
    for line in content[begin.end() :].splitlines():
        if line.strip() == b"end":
            break
        if not line:
            continue
        try:
            decoded.append(binascii.a2b_uu(line))
        except binascii.Error:
            # Encoders that pad a line wrongly: only as many characters as its length byte asks for.
            expected = (((line[0] - 32) & 63) * 4 + 5) // 3
            try:
                decoded.append(binascii.a2b_uu(line[:expected]))
            except binascii.Error:
                continue
    return b"".join(decoded)
