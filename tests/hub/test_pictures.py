"""Pictures of customers: painted anew, bounded before they are decoded, without what else their files hold."""

import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image

from hub.pictures import LONGEST_SIDE, Pictures, painted
from schemas.errors import Invalid


def picture(kind: str, size: tuple[int, int] = (40, 20), **saved: object) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, "red").save(out, kind, **saved)
    return out.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes that says that it is huge."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)

    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )

    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(10_000))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_picture_is_painted_anew_without_what_else_was_in_its_file(kind: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    content = picture(kind, exif=exif) if kind != "GIF" else picture(kind, comment=b"taken at home")
    assert b"taken at home" in content
    made = painted(content)
    with Image.open(BytesIO(made)) as read:
        assert (read.format, read.size, read.getexif().get(0x010E)) == ("WEBP", (40, 20), None)
    assert b"taken at home" not in made


def test_a_large_picture_is_made_small_and_one_that_lies_on_its_side_is_turned() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(BytesIO(painted(picture("JPEG", (2000, 1000), exif=exif)))) as read:
        assert read.size == (LONGEST_SIDE // 2, LONGEST_SIDE)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"not a picture", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        bomb(50_000, 50_000), bomb(9_000, 9_000), picture("BMP"), picture("TIFF"), picture("PNG")[:60], picture("JPEG")[:200],
    ],
)  # fmt: skip
def test_what_is_no_picture_or_too_large_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid):
        painted(content)


async def test_the_same_picture_is_painted_once() -> None:
    pictures = Pictures()
    first = await pictures.painted("a", picture("PNG"))
    assert await pictures.painted("a", b"not looked at again") is first
