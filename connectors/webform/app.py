"""The ASGI application: pages, posts, and what other sites load to show a form.

GET  /f/{form}            the page                     POST /f/{form}   an entry: urlencoded, multipart or JSON
GET  /f/{form}/sent       thanks, with the number      GET /f/{form}/fragment   the form for another site's page, as JSON
GET  /embed.js            the snippet                  GET /assets/{name}       styles and scripts
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from connectors.webform import responses
from connectors.webform.desk import Desk, wants_json
from connectors.webform.intake import Taken
from connectors.webform.pages import ASSETS, Explained, Filled, asset, asset_version
from connectors.webform.parse.checks import Problem
from connectors.webform.parse.decode import Posted
from connectors.webform.rejections import Rejected
from connectors.webform.strings import preferred
from schemas.errors import Outage
from schemas.ids import parse_case_number

log = structlog.get_logger("hubbub.webform")
NOT_LISTED = "the origin of this page is not in `allowed_origins` of the form"
FOR_EVER = "public, max-age=31536000, immutable"
EMBED = "embed.js"
FIVE_MINUTES = "public, max-age=300"


class WebformApp:
    """`desks` maps the name of each form to what serves it; `on_taken` and `on_outage` are told how it goes."""

    def __init__(
        self,
        desks: Mapping[str, Desk],
        now: Callable[[], datetime],
        new_nonce: Callable[[], UUID],
        on_taken: Callable[[], None],
        on_outage: Callable[[str], None],
    ) -> None:
        self._desks = desks
        self._on_taken = on_taken
        self._on_outage = on_outage
        self._now = now
        self._new_nonce = new_nonce
        self._version = asset_version()
        self._assets = {name: asset(name) for name in (*ASSETS, EMBED)}
        self._router = Router(
            [
                Route("/f/{form}", self._page, methods=["GET"]),
                Route("/f/{form}", self._post, methods=["POST"]),
                Route("/f/{form}", self._preflight, methods=["OPTIONS"]),
                Route("/f/{form}/sent", self._sent, methods=["GET"]),
                Route("/f/{form}/fragment", self._fragment, methods=["GET"]),
                Route("/f/{form}/fragment", self._preflight, methods=["OPTIONS"]),
                Route("/assets/{name}", self._asset, methods=["GET"]),
                Route("/embed.js", self._asset, methods=["GET"]),
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._router(scope, receive, send)

    async def _page(self, request: Request) -> Response:
        desk = self._desks.get(request.path_params["form"])
        if desk is None:
            return _unknown_form()
        token, key = self._fresh(desk, self._now())
        html = desk.pages.blank(_language(request, desk), token, key)
        return responses.page(html, desk.pages.form_action, headers={"vary": "Accept-Language"})

    async def _fragment(self, request: Request) -> Response:
        desk = self._desks.get(request.path_params["form"])
        if desk is None:
            return _unknown_form()
        headers = desk.origins.answer_headers(request.headers)
        if not desk.origins.may_post(request.headers):
            # Readable anywhere, so that the snippet can tell the site's developer what to change.
            headers["access-control-allow-origin"] = "*"
            return responses.problem(403, "", NOT_LISTED, headers)
        language = _language(request, desk)
        token, key = self._fresh(desk, self._now())
        html = desk.pages.fragment(language, token, key)
        return responses.answer({"html": html, "language": language, "version": self._version}, headers)

    async def _asset(self, request: Request) -> Response:
        """Kept for ever under the address that names its version; the snippet has none, so that sites need not change it."""
        name = request.path_params.get("name", EMBED)
        content = self._assets.get(name)
        if content is None:
            return _unknown_form()
        is_versioned = request.query_params.get("v") == self._version
        return _static(
            content, ASSETS.get(name, "text/javascript"), FOR_EVER if is_versioned else FIVE_MINUTES
        )

    async def _preflight(self, request: Request) -> Response:
        desk = self._desks.get(request.path_params["form"])
        if desk is None:
            return _unknown_form()
        return Response(status_code=204, headers=desk.origins.preflight_headers(request.headers))

    async def _sent(self, request: Request) -> Response:
        desk = self._desks.get(request.path_params["form"])
        number = parse_case_number(request.query_params.get("case", "")[:20])
        if desk is None or number is None:
            return _unknown_form()
        return responses.page(desk.pages.sent_at(_language(request, desk), number), desk.pages.form_action)

    async def _post(self, request: Request) -> Response:
        desk = self._desks.get(request.path_params["form"])
        if desk is None:
            return _unknown_form()
        posted = Posted()
        try:
            taken = await desk.take(request, self._now(), posted)
        except Rejected as rejected:
            return self._refuse(request, desk, posted, rejected)
        except Outage as outage:
            self._on_outage(str(outage))
            log.warning("form entry not taken", form=desk.form.name, reason=str(outage))
            unavailable = Rejected(
                503, "unavailable", "nothing was taken; try again", outage.retry_after_seconds
            )
            return self._refuse(request, desk, posted, unavailable)
        except ClientDisconnect:
            return Response(status_code=400)
        self._on_taken()
        return self._thank(request, desk, posted, taken)

    def _thank(self, request: Request, desk: Desk, posted: Posted, taken: Taken) -> Response:
        if wants_json(request.headers):
            content = {"item": str(taken.item), "case": taken.number}
            status = 202 if taken.is_quarantined else 200
            return responses.answer(content, desk.origins.answer_headers(request.headers), status)
        wished = posted.first("_next")
        language = _language(request, desk, posted)
        ours = f"{desk.form.name}/sent?case={taken.number}&lang={language}"
        target = wished if wished in desk.form.thank_you_urls else ours
        return Response(
            status_code=303, headers={**responses.SECURITY, "location": target, "cache-control": "no-store"}
        )

    def _refuse(self, request: Request, desk: Desk, posted: Posted, rejected: Rejected) -> Response:
        language = _language(request, desk, posted)
        headers = responses.retry_headers(rejected.retry_after_seconds)
        if rejected.status in {408, 413}:
            headers["connection"] = "close"  # what is still on its way is not worth waiting for
        message = desk.pages.message(language, rejected.text, {"number": rejected.number})
        if wants_json(request.headers):
            errors = [_error(each, desk.pages.explain(language, each)) for each in rejected.problems]
            headers |= desk.origins.answer_headers(request.headers)
            more: dict[str, object] = {"errors": errors} if errors else {}
            if rejected.status == 409:  # what the page needs to send it as a further entry
                more["token"], more["key"] = self._token_to_go_on(desk, posted, is_new=True)
            return responses.problem(rejected.status, message, rejected.detail, headers, more)
        if not posted.values:  # it was not read, so there is nothing to show again
            html = desk.pages.failed(language, rejected.text)
            return responses.page(html, desk.pages.form_action, rejected.status, headers)
        notice = "" if rejected.problems else message
        filled = Filled(posted, desk.pages.errors(language, rejected.problems), notice)
        token, key = self._token_to_go_on(desk, posted, is_new=rejected.status == 409)
        html = desk.pages.again(language, filled, token, key)
        return responses.page(html, desk.pages.form_action, rejected.status, headers)

    def _token_to_go_on(self, desk: Desk, posted: Posted, is_new: bool) -> tuple[str, str]:
        """The token of the page before, as the visitor is still at the same entry; a further entry gets one as old."""
        token, key = posted.first("_token"), posted.first("_key")
        issued = desk.tokens.read(desk.form.name, token)
        if issued is not None and not is_new and key == str(issued.nonce):
            return token, key
        return self._fresh(desk, issued.at if issued else self._now())

    def _fresh(self, desk: Desk, at: datetime) -> tuple[str, str]:
        """A token, and the key that its nonce is: a second entry with this token would be the same entry."""
        nonce = self._new_nonce()
        return desk.tokens.issue(desk.form.name, nonce, at), str(nonce)


def _language(request: Request, desk: Desk, posted: Posted | None = None) -> str:
    """As chosen on the page, in the address, or by the browser."""
    offered = desk.form.offered_languages
    for chosen in (posted.first("_language") if posted else "", request.query_params.get("lang", "")):
        if chosen in offered:
            return chosen
    return preferred(offered, request.headers.get("accept-language", ""))


def _error(problem: Problem, explained: Explained) -> dict[str, str]:
    return {
        "field": problem.field,
        "code": problem.code,
        "label": explained.label,
        "message": explained.message,
    }


def _unknown_form() -> Response:
    return responses.problem(404, "", "there is no such form or page", {})


def _static(content: bytes, media_type: str, caching: str) -> Response:
    """The same bytes for everybody, and for every site: they hold nothing of anybody."""
    headers = {
        **responses.SECURITY,
        "content-type": f"{media_type}; charset=utf-8",
        "cache-control": caching,
        "access-control-allow-origin": "*",
        "cross-origin-resource-policy": "cross-origin",
    }
    return Response(content, headers=headers)
