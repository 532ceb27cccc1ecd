"""Mail as it was sent, for a sandboxed frame on the origin of files: by a link that is signed for one message and a few minutes.

Its HTML was sanitized when it was read. Here it gets a policy of its own besides: no script, no form, nothing from
outside unless the reader asked for the pictures of this one view.
"""

import re
from datetime import timedelta
from uuid import UUID

from fastapi import FastAPI, Response
from markupsafe import escape

from hub.http.context import AppContext
from hub.http.files import SignedUrls, stored_in
from hub.http.signatures import Signatures
from hub.shown import shown_entry
from schemas.documents import Entry
from schemas.errors import Unknown

LASTS = timedelta(minutes=5)
BLOCKED, LOADED = "text", "pictures"
CID = re.compile(r'\bsrc="cid:([^"]{1,500})"')
REMOTE = re.compile(r'\bsrc="(?:https?:)?//[^"]*"', re.IGNORECASE)
SANDBOX = "allow-popups allow-popups-to-escape-sandbox"
STYLE = (
    "html{font:14px/1.45 system-ui,sans-serif;color:#191b1f;background:#fff}"
    "body{margin:12px;overflow-wrap:anywhere}img{max-width:100%;height:auto}"
)


class Frames:
    """Makes and checks the links."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._signatures = Signatures(context, "frames")
        self._origin = context.facts.files_url.rstrip("/")

    def url(self, entry: UUID, *, pictures: bool) -> str:
        """Where a mail is shown as it was sent. `pictures`: those from outside are loaded."""
        mode = LOADED if pictures else BLOCKED
        signature, _ = self._signatures.sign(entry, mode, lasts=LASTS)
        return f"{self._origin}/mail/{entry}/{mode}/{signature}"

    def check(self, entry: UUID, mode: str, signature: str) -> None:
        """Raises Unknown unless we signed this, and not too long ago."""
        self._signatures.check(signature, entry, mode)

    def policy(self, mode: str) -> str:
        """Pictures that came along are from the origin of files itself; a sandboxed page has no `self`."""
        outside = " https: http:" if mode == LOADED else ""
        return (
            f"default-src 'none'; style-src 'unsafe-inline'; img-src data: {self._origin}{outside}; "
            f"sandbox {SANDBOX}; base-uri 'none'; form-action 'none'; "
            f"frame-ancestors {self._context.facts.public_url.rstrip('/')}"
        )


def has_remote_pictures(html: str) -> bool:
    return REMOTE.search(html) is not None


def mount_frames(files: FastAPI, context: AppContext) -> None:
    """Serve mails as they were sent from the application of the origin of files."""
    frames, files_urls = Frames(context), SignedUrls(context)

    @files.get("/mail/{entry}/{mode}/{signature}", response_model=None)
    async def mail(entry: UUID, mode: str, signature: str) -> Response:
        frames.check(entry, mode, signature)
        found = await shown_entry(context.engine, entry)
        if found is None:
            raise Unknown("there is no such message")
        headers = {
            "Content-Security-Policy": frames.policy(mode),
            "Cross-Origin-Resource-Policy": "cross-origin",  # the console frames it
            "Cache-Control": "no-store",
        }
        return Response(
            mail_page(found, files_urls, pictures=mode == LOADED), 200, headers, "text/html; charset=utf-8"
        )


def mail_page(entry: Entry, urls: SignedUrls, *, pictures: bool) -> str:
    """The sanitized HTML as a page, with the pictures that came along in their places.

    The policy keeps pictures from outside away; without their addresses there is no broken one to see either.
    """
    attached = {
        each.content_id.strip("<>"): each.blob for each in entry.attachments if each.content_id and each.blob
    }

    def placed(match: re.Match[str]) -> str:
        blob = attached.get(match[1])
        return f'src="{escape(urls.sign(entry.id, stored_in(entry, blob.sha256)).url)}"' if blob else 'alt=""'

    body = entry.html if pictures else REMOTE.sub("", entry.html)
    return (
        '<!doctype html><html><head><meta charset="utf-8"><title>Mail</title><base target="_blank">'
        f'<style>{STYLE}</style></head><body dir="auto">{CID.sub(placed, body)}</body></html>'
    )
