"""The digest that says whether two copies of a mail are the same one."""

import hashlib
import re

from connectors.email.parse.structure import Part

MBOX_QUOTED = re.compile(rb"(?m)^>(?=>*From )")


def body_digest(raw: bytes, root: Part) -> str:
    """SHA-256 over the decoded leaves in order.

    Decoding first makes it independent of relays that re-encode 8-bit bodies; text loses line-end differences, blanks at
    line ends, empty lines at its end and the `>` that an mbox file puts before "From ".
    """
    digest = hashlib.sha256()
    for part in root.walk():
        if part.is_multipart:
            continue
        content, _ = part.content(raw)
        if part.media_type.startswith(("text/", "message/")):
            content = normal_text(content)
        digest.update(part.media_type.encode("ascii", "replace") + b"\0")
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()


def raw_digest(raw: bytes) -> str:
    """For what has no structure at all."""
    return hashlib.sha256(normal_text(raw)).hexdigest()


def normal_text(content: bytes) -> bytes:
    content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if b"From " in content:
        content = MBOX_QUOTED.sub(b"", content)
    if b" \n" not in content and b"\t\n" not in content:
        return content.rstrip(b"\n")
    return b"\n".join(line.rstrip(b" \t") for line in content.split(b"\n")).rstrip(b"\n")
