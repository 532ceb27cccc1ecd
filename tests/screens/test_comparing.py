"""What a person would see is a difference, and what only a rasteriser does is none."""

from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from tests.screens.comparing import difference

SIZE = (320, 240)


def picture(path: Path, x: int = 40, size: tuple[int, int] = SIZE, colour: str = "#1f1f1f") -> Path:
    made = Image.new("RGB", size, "white")
    ImageDraw.Draw(made).rectangle((x, 40, x + 60, 90), fill=colour)
    made.save(path)
    return path


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({}, False),
        ({"colour": "#2a2a2a"}, False),
        ({"x": 41}, False),
        ({"x": 60}, True),
        ({"colour": "#d02020"}, True),
        ({"size": (320, 300)}, True),
    ],
)
def test_what_is_seen_is_a_difference(tmp_path: Path, change: dict[str, object], differs: bool) -> None:
    kept, made = picture(tmp_path / "kept.png"), picture(tmp_path / "made.png", **change)  # type: ignore[arg-type]
    assert bool(difference(made, kept)) is differs


def test_what_is_not_kept_is_a_difference(tmp_path: Path) -> None:
    found = difference(picture(tmp_path / "made.png"), tmp_path / "none.png")
    assert found and "make screenshots ARGS=--keep" in found.reason
