"""Names of folders as IMAP writes them: modified UTF-7 (RFC 3501, section 5.1.3)."""

import base64
import binascii
import re

PRINTABLE = re.compile(r"[\x20-\x7e]+|[^\x20-\x7e]+")
SHIFTED = re.compile(rb"&([^-&]*)-")


def encode(name: str) -> bytes:
    """The name as the server knows it."""
    return b"".join(_encode_run(run) for run in PRINTABLE.findall(name))


def decode(encoded: bytes) -> str:
    """The name as people read it. What is no modified UTF-7 comes back as it stands, so that it can be shown at least."""
    try:
        decoded = SHIFTED.sub(_decode_run, encoded).decode("utf-8")
    except (ValueError, binascii.Error):
        return encoded.decode("utf-8", "replace")
    return decoded


def _encode_run(run: str) -> bytes:
    if run.isascii() and run.isprintable():
        return run.replace("&", "&-").encode("ascii")
    shifted = base64.b64encode(run.encode("utf-16-be", "surrogatepass")).rstrip(b"=").replace(b"/", b",")
    return b"&" + shifted + b"-"


def _decode_run(match: re.Match[bytes]) -> bytes:
    if not match[1]:
        return b"&"
    padded = match[1].replace(b",", b"/") + b"=" * (-len(match[1]) % 4)
    return base64.b64decode(padded, validate=True).decode("utf-16-be").encode("utf-8")
