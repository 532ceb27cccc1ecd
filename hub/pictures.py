"""Pictures of customers, painted anew: whatever else their files hold does not come along.

Formats are few, the number of pixels is looked at before any is decoded, and only the first picture of a moving one is.
Two are painted at a time, in threads: decoding leaves the loop free, and its memory is bounded by the limits here.
"""

import asyncio
import warnings
from collections import OrderedDict
from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError

from schemas.errors import Invalid

MEDIA_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
LARGEST_FILE = 20 * 2**20
MOST_PIXELS = 40_000_000
LONGEST_SIDE = 960
QUALITY = 80
KEPT = 64
"""Pictures that are remembered, some 50 KB each: a conversation is opened again and again."""
PAINTED = "image/webp"


class Pictures:
    """`painted` is asked by the name of the bytes (SHA-256), so that the same picture is painted once."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(2)
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    def known(self, sha256: str) -> bytes | None:
        if sha256 in self._kept:
            self._kept.move_to_end(sha256)
        return self._kept.get(sha256)

    async def painted(self, sha256: str, content: bytes) -> bytes:
        """The picture as WebP, at most LONGEST_SIDE pixels wide and high. Raises Invalid for what is none, or too large."""
        async with self._places:
            known = self.known(sha256)
            made = known if known is not None else await asyncio.to_thread(painted, content)
        self._kept[sha256] = made
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return made


def painted(content: bytes) -> bytes:
    if len(content) > LARGEST_FILE:
        raise Invalid("the picture is too large to be shown")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _painted(content)
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
        OSError,
        ValueError,
        SyntaxError,  # what Pillow raises for a broken PNG
    ) as error:
        raise Invalid("this is no picture that can be shown") from error


def _painted(content: bytes) -> bytes:
    with Image.open(BytesIO(content), formats=FORMATS) as opened:
        width, height = opened.size
        if width * height > MOST_PIXELS:
            raise ValueError("too many pixels")
        opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # a JPEG is decoded at a fraction of its size
        turned = ImageOps.exif_transpose(opened)
        turned.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        flat = turned.convert("RGBA" if turned.has_transparency_data else "RGB")
    bare = Image.new(flat.mode, flat.size)
    bare.paste(flat)
    out = BytesIO()
    bare.save(out, "WEBP", quality=QUALITY)
    return out.getvalue()
