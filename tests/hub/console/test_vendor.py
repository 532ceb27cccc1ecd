"""Files of others are the ones that were pinned, with their licence; the icons that pages name are among them."""

import re
import shutil
from pathlib import Path

import pytest

from hub.console import vendor
from hub.console.rendering import FOLDER

NAMED = re.compile(r"""icon\(\s*["']([a-z-]+)["']""")
QUOTED = re.compile(r"""["']([a-z]+(?:-[a-z]+)*)["']""")


def test_files_are_what_was_pinned() -> None:
    assert vendor.faults() == []


@pytest.mark.parametrize("what", ["changed", "missing"])
def test_a_file_that_is_not_what_was_pinned_is_found(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = shutil.copytree(vendor.FOLDER, tmp_path / "vendor")
    monkeypatch.setattr(vendor, "FOLDER", copy)
    script = copy / "htmx.min.js"
    if what == "changed":
        script.write_bytes(script.read_bytes() + b" ")
    else:
        script.unlink()
    (fault,) = vendor.faults()
    assert fault.startswith("htmx.min.js is")


def test_each_package_says_its_version_and_licence() -> None:
    for name, package in vendor.manifest()["packages"].items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", package["version"]), name
        assert package["licence"]
    assert {"htmx.LICENSE", "lucide.LICENSE"} <= set(vendor.manifest()["files"])


def test_every_icon_that_a_page_names_is_drawn() -> None:
    sprite = (vendor.FOLDER / vendor.SPRITE).read_text("utf-8")
    drawn = set(re.findall(r'<symbol id="([a-z-]+)"', sprite))
    assert drawn == set(vendor.manifest()["icons"])
    named = {
        name for path in FOLDER.glob("templates/**/*.html") for name in NAMED.findall(path.read_text("utf-8"))
    }
    assert named - drawn == set()


def test_no_icon_is_shipped_that_nothing_names() -> None:
    code = "\n".join(
        path.read_text("utf-8") for path in (*FOLDER.glob("*.py"), *FOLDER.glob("templates/**/*.html"))
    )
    assert set(vendor.manifest()["icons"]) - set(QUOTED.findall(code)) == set()


def test_the_sprite_runs_nothing() -> None:
    sprite = (vendor.FOLDER / vendor.SPRITE).read_text("utf-8")
    assert not re.search(r"<script|\son[a-z]+=|href|style=|<foreignObject", sprite)
