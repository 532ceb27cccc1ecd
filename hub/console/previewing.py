"""A message as it will leave, before it does: read from what was made by what makes it when it is sent."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from connectors.kit.writing import Preview
from hub.console.console import Console
from hub.console.rendering import is_partial
from hub.console.text import safe_html
from hub.console.words import Words
from schemas.outbound import OutboundMessage

UNPROCESSABLE = 422


@dataclass(frozen=True, slots=True)
class PreviewView:
    """`html` says what its HTML says, without the frame of a mail; `text` is what those read who see no HTML."""

    sender: str
    people: Sequence[tuple[str, str]]
    subject: str
    html: Markup
    text: str
    files: Sequence[tuple[str, str, str]]
    """Name, size, and what is said that it shows."""


def preview_of(preview: Preview, message: OutboundMessage, words: Words) -> PreviewView:
    people = (("to", preview.to), ("cc", preview.cc), ("bcc", preview.bcc))
    return PreviewView(
        sender=preview.sender,
        people=[(words.t(f"writing.{name}"), ", ".join(each)) for name, each in people if each],
        subject=preview.subject,
        html=safe_html(preview.html),
        text=preview.text,
        files=[(each.name, words.size(each.size), each.alt) for each in message.attachments],
    )


async def preview_page(
    console: Console, request: Request, made: PreviewView | None, problem: str, back: str
) -> Response:
    """For htmx what goes into the dialog; without scripts a page of its own."""
    values: dict[str, object] = {"preview": made, "problem": problem, "back": back}
    status = UNPROCESSABLE if problem else 200
    if is_partial(request):
        return console.pages.render(request, "fragments/preview.html", values, status)
    title = console.words(request).t("writing.preview")
    return await console.page(request, "preview.html", "", title, values, status)
