"""Pages and files made small for the wire (RFC 9110, section 8.4; RFC 1952).

A page holds secrets beside words of others, so its length must tell nothing about them (BREACH, https://breachattack.com): as many
random bytes as chance wants stand in the header of its gzip stream, in the field that names a file.
"""

import gzip
import io
import secrets
import string

from starlette.requests import Request
from starlette.responses import Response

SMALLEST = 1_000
"""Bytes. What fits into one packet gains nothing."""
LEVEL = 4
MOST_PADDING = 100
LETTERS = string.ascii_lowercase.encode()


def compressed(request: Request, response: Response) -> Response:
    """The response, small where the client understands that. `Vary` names what it depends on either way."""
    response.headers.append("Vary", "Accept-Encoding")
    content = bytes(response.body)
    if len(content) < SMALLEST or not accepts_gzip(request.headers.get("accept-encoding", "")):
        return response
    response.body = small(content, secrets.token_bytes(secrets.randbelow(MOST_PADDING)))
    response.headers["Content-Encoding"] = "gzip"
    response.headers["Content-Length"] = str(len(response.body))
    return response


def accepts_gzip(accepted: str) -> bool:
    """By `Accept-Encoding` (RFC 9110, section 12.5.3), of which 200 characters are read."""
    for each in accepted[:200].split(","):
        coding, _, weight = each.partition(";")
        if coding.strip().lower() in {"gzip", "*"}:
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


def small(content: bytes, padding: bytes = b"") -> bytes:
    """A gzip stream; `padding` makes it as many bytes longer, of any value."""
    stream = io.BytesIO()
    name = bytes(LETTERS[each % len(LETTERS)] for each in padding).decode()
    with gzip.GzipFile(name, "wb", LEVEL, stream, mtime=0) as file:
        file.write(content)
    return stream.getvalue()
