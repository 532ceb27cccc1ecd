"""How one wants to work: language, time zone, look, and of what to be told when."""

import re
from functools import cache
from zoneinfo import available_timezones

from pydantic import ValidationError
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from hub.console.account import URL, account_page
from hub.console.console import Console
from hub.console.words import LANGUAGES, catalogue
from schemas.accounts import User
from schemas.errors import Invalid
from schemas.preferences import Density, Digest, NoticeKind, QuietHours, Theme

REGION = re.compile(r"(Africa|America|Antarctica|Asia|Atlantic|Australia|Europe|Indian|Pacific)/.+|UTC")


@cache
def zones() -> tuple[str, ...]:
    """Those that people know by their cities."""
    return tuple(sorted(each for each in available_timezones() if REGION.fullmatch(each)))


async def preferences_page(console: Console, request: Request) -> Response:
    return await _page(console, request)


async def change_preferences(console: Console, request: Request) -> Response:
    form = await request.form(max_files=0, max_fields=30)
    user: User = request.state.user
    try:
        await console.context.accounts.users.prefer(user.name, _changes(form))
    except (Invalid, ValidationError):
        return await _page(console, request, console.words(request).t("preferences.refused"), 422)
    return console.pages.see(f"{URL}/preferences?saved=1")


def _changes(form: FormData) -> dict[str, object]:
    """What the form says; what it does not say is switched off, as forms are."""
    text = {name: str(form.get(name, "")) for name in ("language", "zone", "theme", "density", "mail")}
    quiet = None
    if form.get("quiet"):
        quiet = QuietHours(
            starts=str(form.get("starts", "")),
            ends=str(form.get("ends", "")),
            weekends=bool(form.get("weekends")),
        )
    chosen = {str(each) for each in form.getlist("notices")}
    return {
        "language": text["language"] if text["language"] in LANGUAGES else "",
        "zone": text["zone"],
        "theme": Theme(text["theme"]) if text["theme"] in set(Theme) else Theme.SYSTEM,
        "density": Density(text["density"]) if text["density"] in set(Density) else Density.NORMAL,
        "notices": tuple(each for each in NoticeKind if each in chosen),
        "browser": bool(form.get("browser")),
        "sound": bool(form.get("sound")),
        "mail": Digest(text["mail"]) if text["mail"] in set(Digest) else Digest.NEVER,
        "quiet": quiet,
    }


async def _page(console: Console, request: Request, problem: str = "", status: int = 200) -> Response:
    user: User = request.state.user
    t = console.words(request).t
    values = {
        "chosen": user.preferences,
        "quiet": user.preferences.quiet or QuietHours(),
        "named_languages": [(each, catalogue(each).locale.get_display_name()) for each in LANGUAGES],
        "zones": zones(),
        "themes": [(each, t(f"page.theme-{each}")) for each in Theme],
        "densities": [(each, t(f"preferences.density-{each}")) for each in Density],
        "kinds": [(each, t(f"preferences.notice-{each}")) for each in NoticeKind],
        "digests": [(each, t(f"preferences.mail-{each}")) for each in Digest],
        "has_address": bool(user.address),
        "problem": problem,
        "saved": bool(request.query_params.get("saved")) and not problem,
    }
    return await account_page(console, request, "account_preferences.html", "preferences", values, status)
