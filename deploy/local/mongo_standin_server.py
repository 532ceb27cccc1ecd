"""A stand-in of MongoDB, ours: its protocol and its indexes in memory, built from mongo_standin/. For measuring and tests."""

from hashlib import sha256
from pathlib import Path

from deploy.local.go_build import build
from deploy.local.server import HERE, LOOPBACK, CannotStart, Running, free_port, home, start

NAME = "mongo-standin"
SOURCES = HERE / "mongo_standin"


def _sources() -> list[Path]:
    return sorted(each for each in SOURCES.iterdir() if each.suffix in {".go", ".mod", ".sum"})


def _program() -> Path:
    """Of these very sources: a change of them is built anew."""
    digest = sha256(b"".join(each.read_bytes() for each in _sources())).hexdigest()
    return home() / f"{NAME}-{digest[:12]}" / NAME


def is_here() -> bool:
    return _program().exists()


def fetch() -> None:
    """Builds the server of 6 MB, once; some seconds."""
    if not is_here():
        build(_program(), _sources(), f"building {NAME}")


def open_server(folder: Path, port: int | None = None) -> Running:
    """Starts it, empty: nothing is kept in the folder but its log."""
    if not is_here():
        raise CannotStart(f"{NAME} is not here: python -m deploy.local fetch {NAME}")
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    return start(NAME, [str(_program()), f"{LOOPBACK}:{port}"], folder, port, f"mongodb://{LOOPBACK}:{port}/")
