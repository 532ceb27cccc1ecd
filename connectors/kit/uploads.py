"""What files may come in from strangers: how many, how large, of which types."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import Field

from connectors.kit.filenames import safe_filename
from connectors.kit.sniffing import sniff
from schemas.configuration import Setting
from schemas.ids import sha256
from schemas.interactions import Attachment, BlobRef
from schemas.steps import Blob

MEBIBYTE = 1 << 20
USUAL_TYPES = (
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "image/heic",
    "application/pdf",
    "text/plain",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.oasis.opendocument.text",
)
# The first is given to a file whose name has none of them; types that are not listed keep any name.
ENDINGS: Mapping[str, tuple[str, ...]] = {
    "image/jpeg": (".jpg", ".jpeg", ".jfif"),
    "image/png": (".png",),
    "image/gif": (".gif",),
    "image/webp": (".webp",),
    "image/heic": (".heic", ".heif"),
    "application/pdf": (".pdf",),
    "text/plain": (".txt", ".csv", ".tsv", ".log", ".md", ".json", ".yaml", ".yml", ".ics", ".vcf", ".eml"),
}


class UploadLimits(Setting):
    files: int = Field(default=5, ge=0, le=20, description="most files in one submission")
    file_bytes: int = Field(default=10 * MEBIBYTE, gt=0, description="most bytes of one file")
    total_bytes: int = Field(default=20 * MEBIBYTE, gt=0, description="most bytes of all files together")
    types: tuple[str, ...] = Field(
        default=USUAL_TYPES,
        description="media types let in, judged by the bytes and not by the name; `image/*` is allowed",
    )


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was sent: everything about it but its bytes is only claimed."""

    field: str
    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class UploadProblem:
    """`code`: too-many-files, file-too-large, files-too-large, type-not-allowed, empty-file."""

    field: str
    code: str
    name: str = ""


def check_uploads(uploads: Sequence[Upload], limits: UploadLimits) -> list[UploadProblem]:
    """Every fault of these files; empty when all may come in."""
    if not uploads:
        return []
    if len(uploads) > limits.files:
        return [UploadProblem(uploads[0].field, "too-many-files")]
    if sum(len(upload.content) for upload in uploads) > limits.total_bytes:
        return [UploadProblem(uploads[0].field, "files-too-large")]
    found = ((upload, _fault(upload, limits)) for upload in uploads)
    return [
        UploadProblem(upload.field, code, safe_filename(upload.name, "file"))
        for upload, code in found
        if code
    ]


def store(upload: Upload) -> tuple[Attachment, Blob]:
    """The attachment that an upload becomes, with its bytes under the name of their digest."""
    media_type = sniff(upload.content)
    ref = BlobRef(sha256=sha256(upload.content), size=len(upload.content), media_type=media_type)
    name = honest_name(safe_filename(upload.name, "file"), media_type)
    attachment = Attachment(name=name, media_type=media_type, size=len(upload.content), blob=ref)
    return attachment, Blob(ref, upload.content)


def honest_name(name: str, media_type: str) -> str:
    """The name, with an ending that fits what the file is: a picture called `setup.exe` becomes `setup.exe.png`."""
    endings = ENDINGS.get(media_type, ())
    if not endings or name.lower().endswith(endings):
        return name
    return name + endings[0]


def allows(types: Sequence[str], media_type: str) -> bool:
    return media_type in types or f"{media_type.partition('/')[0]}/*" in types


def _fault(upload: Upload, limits: UploadLimits) -> str:
    if not upload.content:
        return "empty-file"
    if len(upload.content) > limits.file_bytes:
        return "file-too-large"
    return "" if allows(limits.types, sniff(upload.content)) else "type-not-allowed"
