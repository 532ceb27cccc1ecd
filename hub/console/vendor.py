"""Files of others that the console ships, pinned with version, licence and checksum.

`python -m hub.console.vendor` takes them anew from the npm registry, at the versions in static/vendor/manifest.json.
To move to another version: change it there, run the command, look at the difference, run the browser tests.
"""

import hashlib
import json
import re
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "static" / "vendor"
MANIFEST = FOLDER / "manifest.json"
SPRITE = "icons.svg"
INNER = re.compile(r"<svg\b[^>]*>(.*)</svg>", re.DOTALL)
NPM_SECONDS = 120


@dataclass(frozen=True)
class Unpacked:
    """A package as its registry gave it, checked by npm against the registry's integrity value."""

    folder: Path

    def read(self, path: str) -> bytes:
        return (self.folder / "package" / path).read_bytes()


def checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def faults() -> list[str]:
    """Every pinned file that is not there or not what the manifest says."""
    found = []
    for name, pinned in manifest()["files"].items():
        path = FOLDER / name
        if not path.is_file():
            found.append(f"{name} is missing")
        elif checksum(path.read_bytes()) != pinned:
            found.append(f"{name} is not the file that was pinned")
    return found


def manifest() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(MANIFEST.read_text("utf-8"))
    return loaded


def fetch(package: str, version: str, into: Path) -> Unpacked:
    packed = subprocess.run(  # noqa: S603
        ["npm", "pack", "--silent", f"{package}@{version}"],  # noqa: S607
        cwd=into,
        check=True,
        capture_output=True,
        text=True,
        timeout=NPM_SECONDS,
    )
    folder = into / package
    with tarfile.open(into / packed.stdout.split()[-1]) as archive:
        archive.extractall(folder, filter="data")
    return Unpacked(folder)


def sprite(icons: Unpacked, names: list[str]) -> bytes:
    """One file of symbols, so that a page names an icon in a few bytes and the browser keeps the drawings."""
    symbols = []
    for name in sorted(names):
        match = INNER.search(icons.read(f"icons/{name}.svg").decode("utf-8"))
        if match is None:
            raise ValueError(f"icon {name} has no drawing")
        drawing = " ".join(match[1].split())
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{drawing}</symbol>')
    body = "\n".join(symbols)
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{body}\n</svg>\n'.encode()


def refresh() -> None:
    """Fetch everything at the pinned versions and write the files and their checksums."""
    pins = manifest()
    with tempfile.TemporaryDirectory() as temporary:
        htmx = fetch("htmx.org", pins["packages"]["htmx.org"]["version"], Path(temporary))
        lucide = fetch("lucide-static", pins["packages"]["lucide-static"]["version"], Path(temporary))
        files = {
            "htmx.min.js": htmx.read("dist/htmx.min.js"),
            "htmx.LICENSE": htmx.read("LICENSE"),
            SPRITE: sprite(lucide, pins["icons"]),
            "lucide.LICENSE": lucide.read("LICENSE"),
        }
    for name, content in files.items():
        (FOLDER / name).write_bytes(content)
    pins["files"] = {name: checksum(content) for name, content in sorted(files.items())}
    MANIFEST.write_text(json.dumps(pins, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    refresh()
