"""Pages and fragments: one Jinja2 environment, always escaping, and the security policy that every page carries."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, tzinfo
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from hub.console.compressing import compressed
from hub.console.places import ROOT
from hub.console.text import linked
from hub.console.vendor import manifest
from hub.console.words import LANGUAGES, Words, catalogue, language_of
from hub.http.context import AppContext
from hub.notices import zone_named
from schemas.accounts import Principal, Session, User
from schemas.preferences import Density, Preferences

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"
ZONE_COOKIE = "hubbub-zone"
THEME_COOKIE = "hubbub-theme"
LANGUAGE_COOKIE = "hubbub-language"
THEMES = frozenset({"light", "dark"})
SEE_OTHER = 303
HTMX_SETTINGS = {
    "allowEval": False,
    "allowScriptTags": False,
    "includeIndicatorStyles": False,
    "selfRequestsOnly": True,
    "historyCacheSize": 0,  # pages of customers are not kept in the browser's storage
    "scrollBehavior": "instant",
    "defaultSettleDelay": 0,  # what is swapped in acts at once: a fast hand loses nothing in between
    "responseHandling": [{"code": "204", "swap": False}, {"code": "...", "swap": True}],
}


def policy(files_url: str) -> str:
    """Everything from us alone, but frames and pictures of customers, which have an origin of their own."""
    parts = urlsplit(files_url)
    files = f"{parts.scheme}://{parts.netloc}" if parts.netloc else "'none'"
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'" + (f" {files}" if parts.netloc else ""),
            "font-src 'self'",
            "connect-src 'self'",
            f"frame-src {files}",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


@cache
def static_version() -> str:
    """Changes with any static file, so that browsers may keep them for ever."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


@cache
def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["linked"] = linked
    made.globals |= {
        "ROOT": ROOT,
        "static": f"{ROOT}/static/{static_version()}",
        "htmx_settings": HTMX_SETTINGS,
        "icon_names": sorted(manifest()["icons"]),
    }
    return made


def is_partial(request: Request) -> bool:
    """Whether htmx asks for a fragment. A page that it takes back from history is asked for whole."""
    headers = request.headers
    return headers.get("hx-request") == "true" and headers.get("hx-history-restore-request") != "true"


def preferences_of(request: Request) -> Preferences:
    """Of who is signed in; before that there are none."""
    user: User | None = request.state.user
    return user.preferences if user is not None else Preferences()


def zone_of(request: Request) -> tzinfo:
    """The reader's time zone, as the page told it; UTC until then."""
    name = request.cookies.get(ZONE_COOKIE, "")
    if not name or len(name) > 64:
        return UTC
    try:
        return ZoneInfo(name.replace("%2F", "/"))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


class Pages:
    """Renders for one application."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._headers = {
            "Content-Security-Policy": policy(context.facts.files_url),
            "Cache-Control": "no-store",
            "Vary": "HX-Request, Cookie, Accept-Language",
        }

    def words(self, request: Request) -> Words:
        preferred = preferences_of(request)
        language = language_of(
            preferred.language or request.cookies.get(LANGUAGE_COOKIE, ""),
            request.headers.get("accept-language", ""),
        )
        zone = zone_named(preferred.zone) if preferred.zone else zone_of(request)
        return Words(catalogue(language), self._context.clock.now(), zone)

    def render(
        self,
        request: Request,
        template: str,
        values: Mapping[str, object],
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        principal: Principal | None = request.state.principal
        session: Session | None = request.state.session
        preferred = preferences_of(request)
        theme = preferred.theme if request.state.user is not None else request.cookies.get(THEME_COOKIE, "")
        words = self.words(request)
        always = {
            "t": words.t,
            "languages": [(each, catalogue(each).locale.get_display_name()) for each in LANGUAGES],
            "language": preferred.language or request.cookies.get(LANGUAGE_COOKIE, ""),
            "density": preferred.density if preferred.density is not Density.NORMAL else "",
            "csrf": session.csrf if session else "",
            "principal": principal,
            "theme": theme if theme in THEMES else "",
            "words": words,
        }
        content = environment().get_template(template).render({**always, **values})
        return compressed(request, HTMLResponse(content, status, {**self._headers, **(headers or {})}))

    def see(self, url: str) -> Response:
        """After a form: go and look."""
        return RedirectResponse(url, SEE_OTHER, {"Cache-Control": "no-store"})
