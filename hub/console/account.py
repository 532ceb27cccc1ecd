"""The pages of one's own account share their tabs."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from hub.console.console import ACCOUNT as URL
from hub.console.console import Console

TABS = (
    ("preferences", "preferences.title"),
    ("views", "saved.title"),
    ("sessions", "sessions.title"),
    ("second-factor", "factor.title"),
    ("single-sign-on", "openid.title"),
)


async def account_page(
    console: Console,
    request: Request,
    template: str,
    tab: str,
    values: Mapping[str, object],
    status: int = 200,
) -> Response:
    t = console.words(request).t
    offered = [each for each in TABS if each[0] != "single-sign-on" or console.context.single_sign_on]
    tabs = [(f"{URL}/{key}", t(title), key == tab) for key, title in offered]
    title = t(dict(TABS)[tab])
    return await console.page(request, template, "account", title, {"tabs": tabs, **values}, status)


__all__ = ["URL", "account_page"]
