"""The installation's secret, from which every purpose derives a key of its own: one file, the same for all processes.

The store keeps a check of it. So a process with another secret, which would know no customer and sign what nobody believes,
does not start.
"""

import contextlib
import hmac
import os
import secrets
from pathlib import Path

from schemas.errors import Conflict, Outage, Refused
from schemas.installation import INSTALLATION_ID, Installation
from schemas.ports import Clock, Engine
from schemas.steps import START, References, Step
from sinks.sqlite.folders import make_folder, sync_folder

FILE = "secret.key"
BYTES = 32
CHECK_CHARACTERS = 32


def installation_secret(folder: Path, is_new: bool = True, file: Path | None = None) -> bytes:
    """The secret of a data folder; made, readable by its owner only, when there is none. Back it up with the data.

    `is_new`: nothing was written here yet. Else a missing secret is an Outage: with another one no customer would be known.
    `file`: where it is instead, as the settings say; it is never made there.
    """
    path = folder / FILE if file is None else file
    try:
        if file is None and not path.exists():
            if not is_new:
                raise Outage(
                    f"{path} is missing: restore it from a backup, or copy it from another process of this installation "
                    "(or set secret_file); with it everything here was signed"
                )
            make_folder(folder)
            _write(path)
        secret = path.read_bytes()
    except OSError as error:
        raise Outage(f"{path}: {error.strerror or error}; the hub cannot start without its secret") from error
    if len(secret) != BYTES:
        raise Outage(f"{path} must hold {BYTES} bytes and holds {len(secret)}; restore it from a backup")
    return secret


async def secret_of(engine: Engine, clock: Clock, folder: Path, file: Path | None = None) -> bytes:
    """The secret with which this installation was made. Raises Outage where it is missing, Refused where it is another one."""
    made = await _installation(engine)
    is_new = made is None and await engine.tail() == START
    secret = installation_secret(folder, is_new, file)
    check = derived(secret, "installation").hex()[:CHECK_CHARACTERS]
    if made is None:
        made = Installation(id=INSTALLATION_ID, revision=1, secret_check=check, made_at=clock.now())
        try:
            await engine.commit(Step(documents=[(made, 0)]))
        except Conflict:  # another process was first
            made = await _installation(engine)
    if made is None or not hmac.compare_digest(made.secret_check, check):
        raise Refused(
            f"{file or folder / FILE} is not the secret with which this installation was made: all its processes need the same. "
            f"Copy {FILE} from the data folder of the first one, or let secret_file name it"
        )
    return secret


async def _installation(engine: Engine) -> Installation | None:
    wanted = References(documents={Installation: {INSTALLATION_ID}})
    found = (await engine.load(wanted)).documents.get(INSTALLATION_ID)
    return found if isinstance(found, Installation) else None


def _write(path: Path) -> None:
    """Durable before anything is signed with it. Of two processes that make one at once, both then have the first's."""
    temporary = path.with_suffix(f".{secrets.token_hex(4)}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(BYTES))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink()
    sync_folder(path.parent)


def derived(secret: bytes, purpose: str) -> bytes:
    """The key of one purpose; knowing it tells nothing of the others."""
    return hmac.digest(secret, f"hubbub {purpose}".encode(), "sha256")
