"""The console's addresses, and the whole of it as one router for the HTTP application."""

import mimetypes
from functools import cache
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub.console import (
    acting,
    belonging,
    blocking,
    bulk,
    devices,
    forwarding,
    health,
    linking,
    operating,
    overseeing,
    preferring,
    presence,
    reading,
    saved,
    searching,
    signing,
    single_sign_on,
    splitting,
    starting,
    stepping,
    styles,
    writing,
)
from hub.console.configuring import changes as company_changes
from hub.console.configuring import items as company_items
from hub.console.configuring import lists as company_lists
from hub.console.console import Console, Handler, guarded, unguarded
from hub.console.frames import Frames
from hub.console.places import ROOT
from hub.console.rendering import STATIC, Pages, static_version
from hub.http.context import AppContext
from schemas.errors import Unknown

OPEN: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/sign-in", signing.sign_in_page),
    ("POST", "/sign-in", signing.sign_in),
    ("GET", "/sign-in/code", stepping.code_page),
    ("POST", "/sign-in/code", stepping.enter_code),
    ("GET", "/sign-in/openid/{provider}", single_sign_on.leave),
    ("GET", "/sign-in/openid/{provider}/back", single_sign_on.come_back),
)
CASES = ("/queues/{queue}/{number}", "/views/{view}/{number}")
GUARDED: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "", reading.front),
    ("GET", "/rail", reading.rail),
    ("POST", "/queues/{queue}/bulk", bulk.act_on_many),
    ("POST", "/views/{view}/bulk", bulk.act_on_many),
    ("GET", "/queues/{queue}", reading.show_list),
    ("GET", "/views/{view}", reading.show_list),
    ("GET", "/cases/{number}", reading.find_case),
    *(("GET", path, reading.show_case) for path in CASES),
    *(("POST", f"{path}/write", writing.write) for path in CASES),
    *(("POST", f"{path}/preview", writing.preview) for path in CASES),
    *(("POST", f"{path}/draft", writing.keep_draft) for path in CASES),
    *(("POST", f"{path}/here", presence.here) for path in CASES),
    *(("POST", f"{path}/files", writing.upload) for path in CASES),
    *(("GET", f"{path}/canned/{{name}}", writing.canned) for path in CASES),
    *(("GET", f"{path}/split", splitting.split_page) for path in CASES),
    *(("POST", f"{path}/split", splitting.split) for path in CASES),
    *(("GET", f"{path}/forward/{{entry}}", forwarding.forward_page) for path in CASES),
    *(("POST", f"{path}/forward/{{entry}}", forwarding.forward) for path in CASES),
    *(("POST", f"{path}/forward/{{entry}}/preview", forwarding.preview_forward) for path in CASES),
    *(("POST", f"{path}/merge", acting.merge) for path in CASES),
    *(("POST", f"{path}/link", linking.link) for path in CASES),
    *(("POST", f"{path}/unlink", linking.unlink) for path in CASES),
    *(("POST", f"{path}/apart", linking.keep_apart) for path in CASES),
    *(("POST", f"{path}/belong", belonging.belong) for path in CASES),
    *(("POST", f"{path}/describe", belonging.describe) for path in CASES),
    *(("POST", f"{path}/export", belonging.export) for path in CASES),
    *(("POST", f"{path}/block", blocking.block_writer) for path in CASES),
    *(("POST", f"{path}/unblock", blocking.unblock_writer) for path in CASES),
    *(("POST", f"{path}/{{action}}", acting.act) for path in CASES),
    ("POST", "/formatted", writing.clean),
    ("GET", "/new", starting.new),
    ("POST", "/new", starting.start),
    ("POST", "/new/preview", starting.preview_new),
    ("POST", "/new/draft", starting.keep_new_draft),
    ("POST", "/new/files", starting.upload_new),
    ("GET", "/search", searching.search),
    ("GET", "/quarantine", operating.quarantine),
    ("GET", "/quarantine/{id}", operating.quarantined),
    ("POST", "/quarantine/{id}/{action}", operating.settle_quarantined),
    ("GET", "/dead-letters", operating.dead_letters),
    ("GET", "/dead-letters/{id}", operating.dead_letter),
    ("POST", "/dead-letters/{id}/{action}", operating.settle_dead_letter),
    ("GET", "/health", health.health),
    ("GET", "/organizations", belonging.organizations_page),
    ("POST", "/organizations", belonging.make),
    ("GET", "/organizations/{id}", belonging.organization_page),
    ("POST", "/organizations/{id}", belonging.change),
    ("POST", "/organizations/{id}/take-out", belonging.take_out),
    ("GET", "/blocked", blocking.blocked),
    ("POST", "/blocked", blocking.block),
    ("GET", "/blocked/{id}", blocking.show_blocked),
    ("POST", "/blocked/{id}/unblock", blocking.unblock),
    ("GET", "/team", overseeing.team),
    ("GET", "/audit", overseeing.audit),
    ("GET", "/company", company_lists.company),
    ("GET", "/company/changes", company_changes.show_changes),
    ("POST", "/company/changes", company_changes.act_on_changes),
    ("GET", "/company/versions", company_changes.show_versions),
    ("GET", "/company/versions/{number}", company_changes.show_version),
    ("POST", "/company/versions/{number}/back", company_changes.go_back),
    ("GET", "/company/{kind}", company_lists.list_items),
    ("POST", "/company/{kind}", company_lists.act_on_list),
    ("GET", "/company/{kind}/new", company_items.show_new),
    ("POST", "/company/{kind}/new", company_items.act_on_item),
    ("GET", "/company/{kind}/{name}", company_items.show_item),
    ("POST", "/company/{kind}/{name}", company_items.act_on_item),
    ("POST", "/sign-out", signing.sign_out),
    ("GET", "/password", signing.password_page),
    ("POST", "/password", signing.change_password),
    ("GET", "/account/second-factor", stepping.factor_page),
    ("POST", "/account/second-factor/begin", stepping.begin),
    ("POST", "/account/second-factor/confirm", stepping.confirm),
    ("POST", "/account/second-factor/recovery-codes", stepping.renew),
    ("POST", "/account/second-factor/drop", stepping.drop),
    ("GET", "/account/views", saved.views_page),
    ("POST", "/account/views/{id}", saved.change_view),
    ("POST", "/saved-views", saved.save_view),
    ("GET", "/account/preferences", preferring.preferences_page),
    ("POST", "/account/preferences", preferring.change_preferences),
    ("GET", "/account/single-sign-on", single_sign_on.ways_page),
    ("POST", "/account/single-sign-on/{id}/remove", single_sign_on.remove_way),
    ("GET", "/account/sessions", devices.sessions_page),
    ("POST", "/account/sessions/end-others", devices.end_other_sessions),
    ("POST", "/account/sessions/{id}/end", devices.end_session),
    ("POST", "/theme", signing.choose_theme),
    ("POST", "/language", signing.choose_language),
    ("GET", "/_styles", styles.styles),
)
FOR_EVER = "public, max-age=31536000, immutable"


def console_of(context: AppContext) -> Console:
    return Console(context, Pages(context), Frames(context))


def console_router(context: AppContext) -> APIRouter:
    """Everything below /console. Needs the layers of hub.http.app around it: who asks, limits, headers."""
    console = console_of(context)
    router = APIRouter(prefix=ROOT, include_in_schema=False)
    for method, path, handler in OPEN:
        router.add_api_route(path, unguarded(console, handler), methods=[method], name=handler.__name__)
    for method, path, handler in GUARDED:
        router.add_api_route(path, guarded(console, handler), methods=[method], name=handler.__name__)
    router.add_api_route("/static/{version}/{path:path}", unguarded(console, static), methods=["GET"])
    return router


def mount(app: FastAPI, context: AppContext) -> None:
    """Put the console into the application, and lead its front door there."""
    app.include_router(console_router(context))

    async def door(_request: Request) -> Response:
        return RedirectResponse(ROOT, 302)

    app.add_api_route("/", door, methods=["GET"], include_in_schema=False)


async def static(console: Console, request: Request) -> Response:
    """Our own files, kept by browsers for ever under their version. Nothing outside the folder has a name here."""
    content = static_files().get(request.path_params["path"])
    if content is None:
        raise Unknown("there is no such file")
    is_current = request.path_params["version"] == static_version()
    headers = {"Cache-Control": FOR_EVER if is_current else "no-cache"}
    return Response(content, 200, headers, mimetypes.guess_type(urlsplit(request.url.path).path)[0])


@cache
def static_files() -> dict[str, bytes]:
    return {
        each.relative_to(STATIC).as_posix(): each.read_bytes() for each in STATIC.rglob("*") if each.is_file()
    }
