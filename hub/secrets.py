"""The installation's secret: one file in the data folder, from which every purpose derives a key of its own."""

import hmac
import os
import secrets
from pathlib import Path

from schemas.errors import Outage

FILE = "secret.key"
BYTES = 32


def installation_secret(folder: Path, is_new: bool = True) -> bytes:
    """The secret of a data folder; made, readable by its owner only, when there is none. Back it up with the data.

    `is_new`: nothing was written here yet. Else a missing secret is an Outage: with another one no customer would be known.
    """
    path = folder / FILE
    try:
        if not path.exists():
            if not is_new:
                raise Outage(
                    f"{path} is missing: restore it from a backup, with it everything here was signed"
                )
            folder.mkdir(parents=True, exist_ok=True)
            _write(path)
        secret = path.read_bytes()
    except OSError as error:
        raise Outage(f"{path}: {error.strerror or error}; the hub cannot start without its secret") from error
    if len(secret) != BYTES:
        raise Outage(f"{path} must hold {BYTES} bytes and holds {len(secret)}; restore it from a backup")
    return secret


def _write(path: Path) -> None:
    """Durable before anything is signed with it."""
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(BYTES))
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def derived(secret: bytes, purpose: str) -> bytes:
    """The key of one purpose; knowing it tells nothing of the others."""
    return hmac.digest(secret, f"hubbub {purpose}".encode(), "sha256")
