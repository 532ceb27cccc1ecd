"""Files of messages shown without being downloaded: pictures painted anew, text as text, PDF by the browser.

All of it on the origin of files, by an address that is signed for one file and some minutes, sandboxed by its own policy.
Chromium shows no PDF in a frame that has the attribute `sandbox`, but does for the directive of the same name.
"""

from datetime import timedelta
from typing import Literal
from uuid import UUID

from fastapi import APIRouter, FastAPI, Response

from hub.http import problems
from hub.http.cases import Context, Reference
from hub.http.context import AppContext
from hub.http.files import NOT_THERE, FileOut, Sha256, Stored, entry_of, read_by, stored_in
from hub.http.requests import Operation
from hub.http.rights import Acting, Reader
from hub.http.signatures import Signatures
from hub.pictures import MEDIA_TYPES, PAINTED, Pictures
from hub.shown import shown_entry
from schemas.documents import Entry
from schemas.errors import Invalid, Unknown
from schemas.interactions import Attachment

LASTS = timedelta(minutes=15)
LONGEST_TEXT = 256 * 2**10
LARGEST = 50 * 2**20
PDF_BEGINS_WITHIN = 1024  # as readers take it, RFC 8118 section 8
JSON_TYPES = frozenset({"application/json", "application/xml", "application/x-yaml"})
Kind = Literal["picture", "text", "pdf", ""]

router = APIRouter(
    prefix="/api/v1/cases/{case}/entries/{entry}",
    tags=["files"],
    route_class=Operation,
    responses=problems.responses(401, 403, 404, 422),
)


def kind_of(attachment: Attachment) -> Kind:
    """How a file is shown; empty where it can only be downloaded."""
    if attachment.blob is None or attachment.size > LARGEST:
        return ""
    media_type = attachment.media_type.partition(";")[0].strip().lower()
    if media_type in MEDIA_TYPES:
        return "picture"
    if media_type == "application/pdf":
        return "pdf"
    return "text" if media_type.startswith("text/") or media_type in JSON_TYPES else ""


class Previews:
    """Makes and checks the addresses."""

    def __init__(self, context: AppContext) -> None:
        self._origin = context.facts.files_url.rstrip("/")
        self._console = context.facts.public_url.rstrip("/")
        self._signatures = Signatures(context, "previews")

    def sign(self, entry: UUID, sha256: str) -> FileOut:
        signature, expires_at = self._signatures.sign(entry, sha256, lasts=LASTS)
        return FileOut(url=f"{self._origin}/previews/{entry}/{sha256}/{signature}", expires_at=expires_at)

    def check(self, entry: UUID, sha256: str, signature: str) -> None:
        """Raises Unknown unless we signed this, and not too long ago."""
        self._signatures.check(signature, entry, sha256)

    def headers(self) -> dict[str, str]:
        return {
            "Content-Security-Policy": f"sandbox; default-src 'none'; frame-ancestors {self._console}",
            "Content-Disposition": "inline",
            "Cross-Origin-Resource-Policy": "cross-origin",  # the console embeds it
            "Cache-Control": "private, no-store",
        }


@router.get("/attachments/{sha256}/preview", summary="A file of a message, to be looked at")
async def preview(
    context: Context, principal: Reader, actor: Acting, case: Reference, entry: UUID, sha256: Sha256
) -> FileOut:
    """Where it is shown: a picture painted anew, text as text, PDF as it is. Text and PDF are recorded in the audit trail."""
    found = await entry_of(context, principal, case, entry)
    attachment = attachment_of(found, sha256)
    kind = kind_of(attachment)
    if not kind:
        raise Invalid("files of this type are not shown; download it")
    if kind != "picture":
        await read_by(context, actor, found, "attachment-viewed", sha256)
    return Previews(context).sign(entry, sha256)


def attachment_of(entry: Entry, sha256: str) -> Attachment:
    for each in entry.attachments:
        if each.blob is not None and each.blob.sha256 == sha256:
            return each
    raise Unknown(NOT_THERE)


def mount_previews(files: FastAPI, context: AppContext) -> None:
    """Serve them from the application of the origin of files."""
    previews, pictures = Previews(context), Pictures()

    @files.get("/previews/{entry}/{sha256}/{signature}", response_model=None)
    async def show(entry: UUID, sha256: Sha256, signature: str) -> Response:
        previews.check(entry, sha256, signature)
        found = await shown_entry(context.engine, entry)
        if found is None:
            raise Unknown("there is no such file")
        attachment, stored = attachment_of(found, sha256), stored_in(found, sha256)
        kind = kind_of(attachment)
        if kind == "picture":
            made = pictures.known(sha256)
            made = made or await pictures.painted(sha256, await context.engine.blob(stored.blob))
            return Response(made, 200, previews.headers(), PAINTED)
        if kind == "text":
            return Response(
                await _text(context, stored), 200, previews.headers(), "text/plain; charset=utf-8"
            )
        content = await context.engine.blob(stored.blob) if kind == "pdf" else b""
        if b"%PDF-" not in content[:PDF_BEGINS_WITHIN]:
            raise Invalid("this is no PDF that can be shown; download it")
        return Response(content, 200, previews.headers(), "application/pdf")


async def _text(context: AppContext, stored: Stored) -> str:
    """The beginning of a text, in whatever it is written."""
    content = b""
    async for part in context.engine.blob_parts(stored.blob):
        content += part
        if len(content) >= LONGEST_TEXT:
            break
    content = content[:LONGEST_TEXT]
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start >= len(content) - 4:  # cut within a letter
            return content[: error.start].decode("utf-8-sig")
        return content.decode("cp1252", "replace")
