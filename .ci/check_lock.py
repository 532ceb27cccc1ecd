"""Says, without a network, whether the lock files are what pyproject.toml asks for; exit 1 with every fault at once."""

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
PIN = re.compile(r"^(?P<name>[a-z0-9][a-z0-9._-]*)==(?P<version>[^\s;\\]+)(?P<marker>\s*;[^\\]*)?")
ASKED_FOR = re.compile(r"#(?:\s+via)?\s+hubbub \(pyproject\.toml")
ADDRESS = re.compile(r"\w+://|--(?:extra-)?index-url|--find-links|--trusted-host")
FIX = "run `make lock` and commit what it writes"


@dataclass
class Pin:
    """One pinned version; a name may have several, for several Pythons."""

    name: str
    version: str
    marker: str
    hashes: int = 0
    is_asked_for: bool = False


def read_lock(text: str) -> list[Pin]:
    pins: list[Pin] = []
    for line in text.splitlines():
        if match := PIN.match(line):
            marker = (match["marker"] or "").strip()
            pins.append(Pin(canonicalize_name(match["name"]), match["version"], marker))
        elif line.strip().startswith("--hash=sha256:"):
            pins[-1].hashes += 1
        elif ASKED_FOR.search(line):
            pins[-1].is_asked_for = True
    return pins


def wrong_pins(lock: str, pins: Iterable[Pin], requirements: Mapping[str, Requirement]) -> Iterator[str]:
    pinned: dict[str, list[Pin]] = {}
    for pin in pins:
        pinned.setdefault(pin.name, []).append(pin)
        if not pin.hashes:
            yield f"{lock}: {pin.name}=={pin.version} has no hash"
        if pin.is_asked_for and pin.name not in requirements:
            yield f"{lock}: {pin.name} is locked but pyproject.toml no longer asks for it"
    for name, requirement in requirements.items():
        if name not in pinned:
            yield f"{lock}: {requirement} of pyproject.toml is not locked"
        for pin in pinned.get(name, ()):
            if not requirement.specifier.contains(Version(pin.version), prereleases=True):
                yield f"{lock}: {pin.name}=={pin.version} is not {requirement} of pyproject.toml"


def by_name(requirements: Iterable[str]) -> dict[str, Requirement]:
    return {canonicalize_name(each.name): each for each in map(Requirement, requirements)}


def faults(root: Path) -> Iterator[str]:
    """Each fault as a line that names its file."""
    declared = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    to_run = [*declared["project"]["dependencies"], *declared["dependency-groups"]["build"]]
    extras = declared["project"]["optional-dependencies"]
    of_lock = {
        "requirements.lock": to_run,
        "requirements-servers.lock": [*to_run, *extras["distributed"], *extras["s3"]],
        "requirements-dev.lock": [*to_run, *extras["dev"]],
    }
    locked: dict[str, set[tuple[str, str, str]]] = {}
    for lock, wanted in of_lock.items():
        text = (root / lock).read_text("utf-8")
        pins = read_lock(text)
        locked[lock] = {(pin.name, pin.version, pin.marker) for pin in pins}
        yield from wrong_pins(lock, pins, by_name(wanted))
        for number, line in enumerate(text.splitlines(), start=1):
            if ADDRESS.search(line):
                yield f"{lock}:{number}: an address has no place here: {line.strip()}"
    tested = {(name, version) for name, version, _ in locked["requirements-dev.lock"]}
    for lock, pins_of_lock in locked.items():
        for name, version, _ in sorted(pins_of_lock):
            if (name, version) not in tested:
                yield f"{lock}: {name}=={version} is not the version of requirements-dev.lock"


def main() -> int:
    found = list(faults(ROOT))
    for fault in found:
        print(fault, file=sys.stderr)
    if found:
        print(FIX, file=sys.stderr)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
