"""How much of a picture differs from the one kept, as a person would see it and not as a rasteriser does."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops

REFERENCES = Path(__file__).with_name("kept")
BLOCK = 8
"""Pixels. What moves less than that inside a block, as the edge of a letter does between two versions of a browser, is no difference."""
VISIBLE = 24
"""Of 255: how far the mean of a block may be from the one kept."""
TOLERATED = 0.01
"""Share of blocks."""


@dataclass(frozen=True)
class Difference:
    share: float
    """Of the blocks that differ visibly; 1 where the size does or nothing is kept."""
    reason: str = ""

    def __bool__(self) -> bool:
        return self.share > TOLERATED


def difference(picture: Path, kept: Path) -> Difference:
    if not kept.is_file():
        return Difference(1, "none is kept: look at it, and keep it by `make screenshots ARGS=--keep`")
    with Image.open(picture) as new, Image.open(kept) as old:
        width = max(new.width, old.width)
        if abs(new.height - old.height) > 2 * BLOCK or new.width != old.width:
            return Difference(1, f"{new.width} × {new.height} pixels, kept: {old.width} × {old.height}")
        size = (width // BLOCK, min(new.height, old.height) // BLOCK)
        box = (0, 0, size[0] * BLOCK, size[1] * BLOCK)
        small = [each.convert("RGB").crop(box).resize(size, Image.Resampling.BOX) for each in (new, old)]
    bands = ImageChops.difference(*small).split()
    farthest = ImageChops.lighter(ImageChops.lighter(bands[0], bands[1]), bands[2])
    differing = sum(farthest.histogram()[VISIBLE + 1 :])
    share = differing / (size[0] * size[1])
    return Difference(share, f"{share:.1%} of it differs visibly" if share else "")


def keep(picture: Path, place: Path, colours: int = 64) -> None:
    """With few colours, which are enough to compare by, and take a quarter of the room."""
    place.parent.mkdir(exist_ok=True)
    with Image.open(picture) as made:
        made.convert("RGB").quantize(colours, dither=Image.Dither.NONE).save(place, optimize=True)
