"""Which sites may show a form and post to it (https://fetch.spec.whatwg.org/#http-cors-protocol)."""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from connectors.webform.settings import Form

PREFLIGHT_SECONDS = 7200  # the most that Chromium keeps
ALLOWED_HEADERS = "content-type, idempotency-key, accept"


class Origins:
    """Exact comparison, no patterns: a suffix or a wildcard is how lists like this are got round."""

    def __init__(self, form: Form, public_url: str | None) -> None:
        self._foreign: Collection[str] = frozenset(form.allowed_origins)
        self._own = _origin_of(public_url) if public_url else None

    def may_post(self, headers: Headers) -> bool:
        """Whether the page that made this request may post. Browsers always say where a foreign post comes from."""
        origin = headers.get("origin")
        if origin is None:
            return headers.get("sec-fetch-site", "none") in {"none", "same-origin"}
        return self._is_own(origin, headers) or origin.lower() in self._foreign

    def is_foreign_and_allowed(self, headers: Headers) -> bool:
        return headers.get("origin", "").lower() in self._foreign

    def answer_headers(self, headers: Headers) -> dict[str, str]:
        """For every answer that a script may read. It varies by origin even where none is allowed, for caches between."""
        if not self.is_foreign_and_allowed(headers):
            return {"vary": "Origin"}
        return {
            "vary": "Origin",
            "access-control-allow-origin": headers["origin"],
            "access-control-expose-headers": "Retry-After",
            "cross-origin-resource-policy": "cross-origin",
        }

    def preflight_headers(self, headers: Headers) -> dict[str, str]:
        allowed = self.answer_headers(headers)
        if self.is_foreign_and_allowed(headers):
            allowed |= {
                "access-control-allow-methods": "GET, POST",
                "access-control-allow-headers": ALLOWED_HEADERS,
                "access-control-max-age": str(PREFLIGHT_SECONDS),
            }
        return allowed

    def _is_own(self, origin: str, headers: Headers) -> bool:
        """Our own page. A proxy that ends TLS changes the scheme that we see, so the host alone is compared."""
        if headers.get("sec-fetch-site") == "same-origin" or origin.lower() == self._own:
            return True
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower() != ""


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
