"""Names, sizes and digests of what is attached."""

import hashlib
from collections.abc import Sequence

from connectors.email.parse.body import Attached
from connectors.email.parse.headers import read_headers
from connectors.email.parse.limits import MailLimits
from connectors.email.parse.model import MailAttachment
from connectors.email.parse.structure import Part
from connectors.kit.filenames import safe_filename

EXTENSIONS = {
    "application/gzip": "gz",
    "application/json": "json",
    "application/msword": "doc",
    "application/octet-stream": "bin",
    "application/pdf": "pdf",
    "application/pkcs7-mime": "p7m",
    "application/x-pkcs7-mime": "p7m",
    "application/rtf": "rtf",
    "application/vnd.ms-excel": "xls",
    "application/vnd.ms-powerpoint": "ppt",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/xml": "xml",
    "application/zip": "zip",
    "audio/mpeg": "mp3",
    "audio/x-wav": "wav",
    "image/bmp": "bmp",
    "image/gif": "gif",
    "image/heic": "heic",
    "image/jpeg": "jpg",
    "image/jpg": "jpg",
    "image/pjpeg": "jpg",
    "image/png": "png",
    "image/svg+xml": "svg",
    "image/tiff": "tif",
    "image/webp": "webp",
    "message/rfc822": "eml",
    "message/global": "eml",
    "text/calendar": "ics",
    "text/csv": "csv",
    "text/html": "html",
    "text/plain": "txt",
    "text/vcard": "vcf",
    "text/x-vcard": "vcf",
    "text/xml": "xml",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
}
MAILS = frozenset({"message/rfc822", "message/global"})


def read_attachments(
    raw: bytes, attached: Sequence[Attached], limits: MailLimits
) -> tuple[list[MailAttachment], list[bytes], list[str]]:
    """Descriptions, their bytes one for one, and what was wrong with them."""
    described: list[MailAttachment] = []
    payloads: list[bytes] = []
    warnings: list[str] = []
    for number, item in enumerate(attached, 1):
        content, fault = (item.content, None) if item.content is not None else item.part.content(raw)
        if fault:
            warnings.append(fault)
        if item.part.media_type in ("application/ms-tnef", "application/vnd.ms-tnef"):
            warnings.append("attachments are inside winmail.dat (TNEF)")
        described.append(
            MailAttachment(
                name=_name(item, number, content, limits),
                media_type=_media_type(item),
                size=len(content),
                sha256=hashlib.sha256(content).hexdigest(),
                inline=item.is_inline,
                content_id=None if item.content is not None else item.part.content_id,
            )
        )
        payloads.append(content)
    return described, payloads, warnings


def _name(item: Attached, number: int, content: bytes, limits: MailLimits) -> str:
    given = item.name or item.part.filename
    if given.strip():
        return safe_filename(given, _unnamed(item.part, number))
    if item.part.media_type in MAILS:
        subject = read_headers(content, 0, len(content), limits).headers.text("subject")
        if subject:
            return safe_filename(subject.replace("/", "-").replace("\\", "-") + ".eml", "message.eml")
    return _unnamed(item.part, number)


def _media_type(item: Attached) -> str:
    if item.content is None:
        return item.part.media_type
    extension = item.name.rpartition(".")[2].lower()
    return next(
        (media for media, known in EXTENSIONS.items() if known == extension), "application/octet-stream"
    )


def _unnamed(part: Part, number: int) -> str:
    extension = EXTENSIONS.get(part.media_type)
    if extension is None:
        subtype = part.media_type.partition("/")[2]
        extension = "txt" if part.media_type.startswith(("text/", "message/")) else subtype.removeprefix("x-")
    return safe_filename(f"attachment-{number}.{extension[:12]}")
