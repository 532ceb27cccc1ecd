"""The page that shows the mail which the demo's customers got."""

from collections.abc import Sequence
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import escape

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from connectors.email.standin.mailbox import Mailbox, StoredMail

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1rem; margin: 0; } p { margin: 0 0 .5rem; opacity: .75; }
article { border: 1px solid color-mix(in srgb, currentColor 20%, transparent); border-radius: 6px; padding: 1rem; margin: 1rem 0; }
pre { font: inherit; white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; }
"""
SHOWN = 100


def mailbox_page(mailbox: Mailbox) -> Starlette:
    async def page(_: Request) -> Response:
        return HTMLResponse(_page(await mailbox.list(limit=SHOWN)), headers=HEADERS)

    async def style(_: Request) -> Response:
        return PlainTextResponse(STYLE, media_type="text/css", headers=HEADERS)

    return Starlette(routes=[Route("/", page), Route("/style.css", style)])


def _page(mails: Sequence[StoredMail]) -> str:
    articles = "".join(_article(mail) for mail in mails) or "<p>Nothing yet. Answer a case, then reload.</p>"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        '<title>Mail that the customers got</title><link rel="stylesheet" href="/style.css"></head><body>'
        f"<h1>Mail that the customers got</h1>{articles}</body></html>"
    )


def _article(mail: StoredMail) -> str:
    message = message_from_bytes(mail.content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(("plain",))
    text = body.get_content() if body is not None else ""
    who = f"{message['From']} to {', '.join(mail.recipients)}, {mail.received_at:%d %b %H:%M:%S}"
    subject = escape(str(message["Subject"]))
    return f'<article><h2 dir="auto">{subject}</h2><p>{escape(who)}</p><pre dir="auto">{escape(text)}</pre></article>'
