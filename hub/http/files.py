"""Files of customers: attachments, originals, and the HTML of messages.

Browsers get files from an origin of their own, by an address that is signed for one file and a minute, so that nothing a
customer sends is ever served where the console's cookie goes. Keys and the command line get the bytes at once.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, FastAPI, Path, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from connectors.kit.filenames import safe_filename
from hub.accounts.records import audited
from hub.http import problems
from hub.http.cases import Context, Reference, reference
from hub.http.context import AppContext
from hub.http.protection import Bounded, Shield
from hub.http.requests import Operation
from hub.http.rights import Acting, Reader
from hub.http.signatures import Signatures
from hub.http.views import EntryOut
from hub.shown import shown_entry
from schemas.accounts import Principal
from schemas.documents import Entry
from schemas.errors import Unknown
from schemas.events import Actor
from schemas.interactions import BlobRef
from schemas.ports import Engine
from schemas.steps import Step

SIGNED_FOR = timedelta(minutes=1)
SAFE_TYPES = frozenset(
    {"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "application/pdf", "text/plain"}
)
"""Shown as what they are where a page embeds them; everything else is bytes to a browser."""
NOT_THERE = "there is no such file, or its case is in a queue that you do not read"

Sha256 = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="names the file by its bytes")]

router = APIRouter(
    prefix="/api/v1/cases/{case}/entries/{entry}",
    tags=["files"],
    route_class=Operation,
    responses=problems.responses(401, 403, 404),
)


class HtmlOut(BaseModel):
    """Sanitized HTML, as a text: show it in a sandboxed frame of an origin that has no cookies."""

    html: str


class FileOut(BaseModel):
    """Where the file can be had now."""

    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Stored:
    """A file of an entry, with the name under which it is offered."""

    blob: BlobRef
    name: str


class SignedUrls:
    """Addresses on the origin of files. Each is good for one file of one entry until its time is over."""

    def __init__(self, context: AppContext) -> None:
        self._origin = context.facts.files_url.rstrip("/")
        self._signatures = Signatures(context, "files")

    def sign(self, entry: UUID, stored: Stored) -> FileOut:
        signature, expires_at = self._signatures.sign(entry, stored.blob.sha256, lasts=SIGNED_FOR)
        name = quote(safe_filename(stored.name), safe="")
        url = f"{self._origin}/files/{entry}/{stored.blob.sha256}/{signature}/{name}"
        return FileOut(url=url, expires_at=expires_at)

    def check(self, entry: UUID, sha256: str, signature: str) -> None:
        """Raises Unknown unless we signed this, and not too long ago."""
        self._signatures.check(signature, entry, sha256)


async def entry_of(context: AppContext, principal: Principal, case: str, id: UUID) -> Entry:
    """An entry of a case that the principal reads, or of one merged into it. Raises Unknown otherwise."""
    found = await context.service.case(principal, reference(case))
    entry = await shown_entry(context.engine, id)
    if entry is None or not found.holds(entry):
        raise Unknown("there is no such entry in this case")
    return entry


def stored_in(entry: Entry, sha256: str) -> Stored:
    """A file that this very entry has. Raises Unknown for any other."""
    for each in entry.attachments:
        if each.blob is not None and each.blob.sha256 == sha256:
            return Stored(each.blob.model_copy(update={"media_type": each.media_type}), each.name)
    if entry.original is not None and entry.original.sha256 == sha256:
        return _original(entry.original, entry)
    raise Unknown(NOT_THERE)


async def file_response(engine: Engine, stored: Stored) -> Response:
    """Always a download, never sniffed, never run (RFC 6266, RFC 8187). In parts, so that many at once take little memory.

    Raises Unknown where there is none, before anything is answered.
    """
    parts = engine.blob_parts(stored.blob)
    first = await anext(parts, b"")
    name = safe_filename(stored.name)
    plain = name.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_").replace("\\", "_")
    media_type = stored.blob.media_type.partition(";")[0].strip().lower()
    return StreamingResponse(
        _following(first, parts),
        media_type=None,
        headers={
            "Content-Length": str(stored.blob.size),
            "Content-Type": media_type if media_type in SAFE_TYPES else "application/octet-stream",
            "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
            "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
            "Cross-Origin-Resource-Policy": "cross-origin",  # the console embeds pictures from here
            "Cache-Control": "private, no-store",
        },
    )


async def _following(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for part in rest:
        yield part


@router.get("", summary="One entry of a timeline")
async def show_entry(context: Context, principal: Reader, case: Reference, entry: UUID) -> EntryOut:
    return EntryOut.of(await entry_of(context, principal, case, entry))


@router.get("/html", summary="The HTML of a message")
async def entry_html(context: Context, principal: Reader, case: Reference, entry: UUID) -> HtmlOut:
    """Sanitized when it was read: runs no script. Remote pictures are still in it."""
    return HtmlOut(html=(await entry_of(context, principal, case, entry)).html)


FILE_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The bytes, always as a download (keys and the command line); a browser gets the signed address",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    },
    303: {"description": "The file's address on the origin of files, good for a minute (browsers)"},
}


@router.get(
    "/attachments/{sha256}", summary="A file of a message", response_model=None, responses=FILE_RESPONSES
)
async def attachment(
    context: Context, principal: Reader, actor: Acting, case: Reference, entry: UUID, sha256: Sha256
) -> Response:
    """The bytes as they came. It is recorded in the audit trail."""
    found = await entry_of(context, principal, case, entry)
    if not any(each.blob is not None and each.blob.sha256 == sha256 for each in found.attachments):
        raise Unknown(NOT_THERE)
    await read_by(context, actor, found, "attachment-read", sha256)
    return await handed_out(context, principal, found, stored_in(found, sha256))


@router.get("/original", summary="A message as it came in", response_model=None, responses=FILE_RESPONSES)
async def original(
    context: Context, principal: Reader, actor: Acting, case: Reference, entry: UUID
) -> Response:
    """The bytes before anything was read out of them. It is recorded in the audit trail."""
    found = await entry_of(context, principal, case, entry)
    if found.original is None:
        raise Unknown("this entry has no original")
    await read_by(context, actor, found, "original-read")
    return await handed_out(context, principal, found, _original(found.original, found))


async def read_by(context: AppContext, actor: Actor, entry: Entry, action: str, sha256: str = "") -> None:
    """Record that somebody read what a customer sent, before it is given to them."""
    detail = {"case": str(entry.case), **({"file": sha256} if sha256 else {})}
    event = audited(context.clock.now(), actor, action, str(entry.id), detail)
    await context.engine.commit(Step(events=[event]))


async def handed_out(context: AppContext, principal: Principal, entry: Entry, stored: Stored) -> Response:
    if principal.kind == "agent":
        signed = SignedUrls(context).sign(entry.id, stored)
        return Response(
            signed.model_dump_json(),
            303,
            {"Location": signed.url, "Cache-Control": "no-store"},
            "application/json",
        )
    return await file_response(context.engine, stored)


def _original(blob: BlobRef, entry: Entry) -> Stored:
    extension = (
        "eml" if blob.media_type == "message/rfc822" else "json" if "json" in blob.media_type else "bin"
    )
    return Stored(blob, f"{entry.channel}-{entry.id.hex[:12]}.{extension}")


def files_app(context: AppContext) -> FastAPI:
    """The origin of files: no cookies, no sign-in; who has a signed address gets that file."""
    app = FastAPI(
        title="Hubbub files", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False
    )
    app.add_middleware(Bounded, limits=context.facts.limits)
    app.add_middleware(Shield, facts=context.facts, metrics=context.metrics)
    problems.install(app)
    urls = SignedUrls(context)

    @app.get("/files/{entry}/{sha256}/{signature}/{name}", response_model=None)
    async def read_file(entry: UUID, sha256: Sha256, signature: str, name: str) -> Response:
        urls.check(entry, sha256, signature)
        found = await shown_entry(context.engine, entry)
        if found is None:
            raise Unknown("there is no such file")
        stored = stored_in(found, sha256)
        return await file_response(context.engine, stored)

    return app
