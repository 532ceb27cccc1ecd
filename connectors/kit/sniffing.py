"""What a file is, by its first bytes. Its name and what its sender calls it say nothing."""

import re

UNKNOWN = "application/octet-stream"
LOOKED_AT = 4096

# (offset, bytes, type); the first that fits. https://mimesniff.spec.whatwg.org/ and https://www.iana.org/assignments/media-types/
SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF-", "application/pdf"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"BM", "image/bmp"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypheix", "image/heic"),
    (4, b"ftypmif1", "image/heic"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"OggS", "audio/ogg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"PK\x05\x06", "application/zip"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (
        0,
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "application/x-ole-storage",
    ),  # Word, Excel, Outlook of before 2007
    (0, b"{\\rtf", "application/rtf"),
    (0, b"MZ", "application/vnd.microsoft.portable-executable"),
    (0, b"\x7fELF", "application/x-elf"),
    (0, b"#!", "text/x-shellscript"),
)
RIFF_TYPES = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
OFFICE_FOLDERS = (
    (b"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (b"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (b"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
)
OPEN_DOCUMENT = re.compile(rb"mimetype(application/(?:vnd\.oasis\.opendocument\.[a-z-]+|epub\+zip))")
MARKUP = re.compile(
    rb"<(?:!doctype\s+html|html|head|body|script|iframe|h1|div|font|table|a|style|title|b|br|p|svg)[\s>/]",
    re.IGNORECASE,
)
BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")  # https://mimesniff.spec.whatwg.org/#binary-data-byte
ZIP_NAMES_WITHIN = 1 << 20


def sniff(content: bytes) -> str:
    """The media type that the bytes themselves have; `application/octet-stream` for what is not known.

    Text that a browser could take for a page or a drawing is text/html or image/svg+xml, never text/plain.
    """
    head = content[:LOOKED_AT]
    if head.startswith(b"PK\x03\x04"):
        return _sniff_zip(content)
    if head.startswith(b"RIFF"):
        return RIFF_TYPES.get(head[8:12], UNKNOWN)
    for offset, signature, media_type in SIGNATURES:
        if head.startswith(signature, offset):
            return media_type
    return _sniff_text(head)


def _sniff_zip(content: bytes) -> str:
    """Documents that are ZIP files, by the names in it; nothing is unpacked."""
    open_document = OPEN_DOCUMENT.search(content, 26, 200)
    if open_document is not None:
        return open_document[1].decode()
    if b"[Content_Types].xml" not in content:
        return "application/zip"
    directory = content[-ZIP_NAMES_WITHIN:]
    return next(
        (media_type for folder, media_type in OFFICE_FOLDERS if folder in directory), "application/zip"
    )


def _sniff_text(head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "text/plain"
    if not head or BINARY.search(head):
        return UNKNOWN
    if MARKUP.search(head):
        return "image/svg+xml" if re.search(rb"<svg[\s>]", head, re.IGNORECASE) else "text/html"
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<?xml"):
        return "application/xml"
    return "text/plain"
