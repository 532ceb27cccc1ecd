"""Text can be read on each surface it stands on, in both schemes (WCAG 2.2, success criteria 1.4.3 and 1.4.11)."""

import re

import pytest

from hub.console.rendering import STATIC

PAIR = re.compile(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)")
TOKENS = {
    name: (light, dark) for name, light, dark in PAIR.findall((STATIC / "tokens.css").read_text("utf-8"))
}
PLAIN = ("surface", "surface-rail", "surface-list", "surface-raised", "surface-hover", "surface-selected")
TEXTS = {
    "text": (*PLAIN, "surface-theirs", "surface-ours", "surface-note", "surface-danger", "surface-good"),
    "text-soft": (*PLAIN, "surface-theirs", "surface-ours", "surface-note"),
    "text-accent": (*PLAIN, "surface-theirs", "surface-ours", "surface-note"),
    "text-danger": (*PLAIN, "surface-danger"),
    "text-good": (*PLAIN, "surface-good"),
    "text-note": ("surface", "surface-note"),
    "text-on-accent": ("accent", "accent-strong"),
}
EDGES = {
    "line-strong": ("surface", "surface-raised"),
    "focus": (*PLAIN, "surface-ours"),
    "accent": ("surface",),
}


def luminance(color: str) -> float:
    parts = [int(color[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_measure_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "backs"), TEXTS.items())
def test_text_can_be_read(scheme: int, front: str, backs: tuple[str, ...]) -> None:
    weak = {back: contrast(TOKENS[front][scheme], TOKENS[back][scheme]) for back in backs}
    assert {back: ratio for back, ratio in weak.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "backs"), EDGES.items())
def test_edges_can_be_seen(scheme: int, front: str, backs: tuple[str, ...]) -> None:
    weak = {back: contrast(TOKENS[front][scheme], TOKENS[back][scheme]) for back in backs}
    assert {back: ratio for back, ratio in weak.items() if ratio < 3} == {}


def test_colours_are_named_in_one_file_alone() -> None:
    others = [path for path in STATIC.glob("*.css") if path.name != "tokens.css"]
    found = {
        (path.name, color)
        for path in others
        for color in re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(|hsl\(", path.read_text("utf-8"))
    }
    assert found == set()
