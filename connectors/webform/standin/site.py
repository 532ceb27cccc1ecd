"""A company's own site, on an origin of its own, that shows a form of ours: what a visitor would meet.

`python -m connectors.webform.standin.site http://127.0.0.1:8080 contact` serves it on a free port and prints the address.
"""

import sys
from collections.abc import Mapping
from html import escape
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

PAGE = (Path(__file__).parent / "index.html").read_text("utf-8")


def site(hub: str, form: str, attributes: Mapping[str, str] | None = None, language: str = "en") -> Starlette:
    """One page with the snippet. Its policy is what a careful site has: nothing inline, only the hub besides itself."""
    extra = "".join(f' {name}="{escape(value)}"' for name, value in (attributes or {}).items())
    html = (
        PAGE.replace("{hub}", escape(hub)).replace("{form}", escape(form)).replace("{attributes}", extra)
    ).replace("{language}", escape(language))
    policy = f"default-src 'self'; script-src 'self' {hub}; connect-src 'self' {hub}; style-src 'self'; base-uri 'none'"

    async def index(request: Request) -> HTMLResponse:
        return HTMLResponse(html, headers={"content-security-policy": policy})

    async def icon(request: Request) -> Response:
        return Response(status_code=204)

    return Starlette(routes=[Route("/", index), Route("/favicon.ico", icon)])


if __name__ == "__main__":
    uvicorn.run(site(sys.argv[1], sys.argv[2]), host="127.0.0.1", port=0)
