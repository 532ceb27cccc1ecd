"""One-time codes by time: RFC 6238 over RFC 4226, with the parameters that all authenticator apps know.

https://www.rfc-editor.org/rfc/rfc6238
"""

import hmac
from base64 import b32encode
from datetime import datetime, timedelta
from io import BytesIO
from urllib.parse import quote, urlencode

import segno

DIGITS = 6
PERIOD_SECONDS = 30
SECRET_BYTES = 20
WINDOW = 1
"""So many steps a clock may be ahead or behind."""


def step_at(moment: datetime) -> int:
    return int(moment.timestamp()) // PERIOD_SECONDS


def code_at(secret: bytes, step: int, digits: int = DIGITS) -> str:
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def matching_step(secret: bytes, code: str, now: datetime, after: int) -> int | None:
    """The step of which this is the code; None where it is wrong, too old, or of a step that was used (`after`)."""
    found = None
    for offset in range(-WINDOW, WINDOW + 1):
        step = step_at(now + timedelta(seconds=offset * PERIOD_SECONDS))
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode()) and step > after:
            found = step
    return found


def secret_text(secret: bytes) -> str:
    """As it is typed into an app."""
    return b32encode(secret).decode().rstrip("=")


def provisioning_uri(secret: bytes, name: str, issuer: str) -> str:
    """https://github.com/google/google-authenticator/wiki/Key-Uri-Format"""
    asked = urlencode({"secret": secret_text(secret), "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{quote(issuer, safe='')}:{quote(name, safe='')}?{asked}"


def qr_svg(text: str) -> str:
    """A QR code that stands in a page: dark on light in either theme, without a style of its own."""
    out = BytesIO()
    segno.make(text, error="m").save(
        out,
        kind="svg",
        xmldecl=False,
        scale=4,
        border=3,
        dark="#000",
        light="#fff",
        svgclass="qr",
        lineclass=None,
        omitsize=True,
    )
    return out.getvalue().decode()
