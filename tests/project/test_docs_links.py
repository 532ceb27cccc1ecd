"""Pages lead somewhere: each relative link, and each heading that one names, is there. Nothing names the machine it was written on."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.support.paths import ROOT

FENCE = re.compile(r"^ *```.*?^ *```", re.M | re.S)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.M)
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.I)
OF_A_MACHINE = re.compile(r"(?<![\w./-])/(?:root|work|home/\w+|Users/\w+)/")


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *patterns], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode != 0:
        pytest.skip("no git, or no repository here: apt-get install -y git")
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return [path for path in paths if path.is_file()]


def anchors(page: str) -> set[str]:
    """As GitHub makes them: lower case, without punctuation, blanks as hyphens."""
    return {
        re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).replace(" ", "-")
        for heading in HEADING.findall(FENCE.sub("", page))
    }


def broken_links(path: Path, page: str) -> Iterator[str]:
    for target in LINK.findall(CODE.sub("", FENCE.sub("", page))):
        if ELSEWHERE.match(target):
            continue
        name, _, anchor = target.partition("#")
        there = path.parent / unquote(name) if name else path
        if not there.exists():
            yield f"{target}: is not there"
        elif anchor and there.suffix == ".md" and anchor not in anchors(there.read_text(encoding="utf-8")):
            yield f"{target}: has no such heading"


def test_each_relative_link_of_a_page_leads_somewhere() -> None:
    broken = {
        f"{path.relative_to(ROOT)}: {each}"
        for path in tracked("*.md")
        for each in broken_links(path, path.read_text(encoding="utf-8"))
    }
    assert broken == set()


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("## What listens *where*\n", encoding="utf-8")
    page = "[a](there.md#what-listens-where) [b](gone.md) `[c](code.md)` [d](there.md#else) [e](https://x.example/#y)"
    assert list(broken_links(tmp_path / "page.md", page)) == [
        "gone.md: is not there",
        "there.md#else: has no such heading",
    ]


def test_no_file_names_a_path_of_the_machine_it_was_written_on() -> None:
    naming = []
    for path in tracked(
        "*.py", "*.md", "*.toml", "*.yaml", "*.yml", "*.html", "*.js", "*.css", "Makefile", ".ci"
    ):
        if path == Path(__file__):
            continue
        found = OF_A_MACHINE.search(path.read_text(encoding="utf-8", errors="replace"))
        if found:
            naming.append(f"{path.relative_to(ROOT)}: {found[0]}")
    assert naming == []
