"""FerretDB over SQLite, built from Go's module proxy. It speaks MongoDB's protocol and refuses what it does not implement."""

from pathlib import Path

from deploy.local.go_build import build
from deploy.local.secured import Secured
from deploy.local.server import HERE, LOOPBACK, CannotStart, Running, free_port, home, start

NAME = "ferretdb"
VERSION = "1.24.2"
BUILD = "2"
"""Of our main.go: a change of it is built anew."""
SOURCES = ("go.mod", "go.sum", "main.go")


def _program() -> Path:
    return home() / f"{NAME}-{VERSION}-{BUILD}" / "ferretdb"


def is_here() -> bool:
    return _program().exists()


def fetch() -> None:
    """Builds the server of 37 MB, once; a minute or more."""
    if not is_here():
        sources = [HERE / NAME / each for each in SOURCES]
        build(_program(), sources, f"building FerretDB {VERSION} (a minute or more)")


def open_server(folder: Path, port: int | None = None, secured: Secured | None = None) -> Running:
    """Starts it on what the folder holds; makes the folder when it is not there. `secured`: clients need TLS or its one user."""
    if not is_here():
        raise CannotStart(f"{NAME} is not here: python -m deploy.local fetch {NAME}")
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    command = [str(_program()), f"{LOOPBACK}:{port}", str(data)]
    return start(NAME, command, folder, port, f"mongodb://{LOOPBACK}:{port}/", _environment(secured))


def _environment(secured: Secured | None) -> dict[str, str]:
    """As main.go reads it: passwords do not stand in the list of processes."""
    named: dict[str, str] = {}
    if secured is not None and secured.pem is not None:
        named |= {"HUBBUB_FERRETDB_CERTIFICATE": str(secured.pem), "HUBBUB_FERRETDB_KEY": str(secured.pem)}
    if secured is not None and secured.users:
        ((user, password),) = secured.users.items()
        named |= {"HUBBUB_FERRETDB_USER": user, "HUBBUB_FERRETDB_PASSWORD": password}
    return named
