"""What can be wrong with the file, said so that its reader knows what to do.

Outage (schemas.errors)
├── FolderInUse   another process has the data folder
├── Damaged       the file is not whole; restore a backup
└── NewerFile     a later version wrote it
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from schemas.errors import Outage


class FolderInUse(Outage):
    """Another process writes this folder. `pid` is None where the lock does not say."""

    def __init__(self, folder: Path, pid: int | None) -> None:
        who = f"process {pid}" if pid else "another process"
        super().__init__(f"{folder} is in use by {who}; stop it, or choose another data folder")
        self.pid = pid


class Damaged(Outage):
    """The file cannot be read as what it was written as."""


class NewerFile(Outage):
    """The file has a format that this version does not know."""


ADVICE: dict[type[apsw.Error], tuple[type[Outage], str]] = {
    apsw.FullError: (Outage, "the disk is full; free some space, what waits is then written"),
    apsw.CorruptError: (Damaged, "the file is damaged; stop the hub and restore a backup (hubbub restore)"),
    apsw.NotADBError: (Damaged, "the file is not a SQLite database; restore a backup (hubbub restore)"),
    apsw.BusyError: (Outage, "another program holds the file; close it (a shell, a backup tool)"),
    apsw.LockedError: (Outage, "another program holds the file; close it (a shell, a backup tool)"),
    apsw.ReadOnlyError: (
        Outage,
        "the file cannot be written; give the hub's user the right to write the data folder",
    ),
    apsw.CantOpenError: (
        Outage,
        "the file cannot be opened; give the hub's user the right to read and write the data folder",
    ),
    apsw.PermissionsError: (
        Outage,
        "access is denied; give the hub's user the right to read and write the data folder",
    ),
    apsw.ProtocolError: (
        Outage,
        "the locks of the file do not work; the data folder must be on a disk of this machine",
    ),
    apsw.IOError: (Outage, "the disk does not read or write; look at the system's log and the file system"),
    apsw.NoMemError: (Outage, "there is no memory left"),
    apsw.InterruptError: (Outage, "the engine is closing"),
    apsw.ConnectionClosedError: (Outage, "the engine is closed"),
    apsw.ThreadingViolationError: (Outage, "the engine is closing"),
}


def as_outage(error: apsw.Error) -> Outage | None:
    """What the error means to a caller; None when it is a fault of ours."""
    for kind, (outage, advice) in ADVICE.items():
        if isinstance(error, kind):
            return outage(f"hub.sqlite: {advice} ({error})")
    return None


@contextmanager
def outages() -> Iterator[None]:
    """Turns what SQLite and the file system say about the disk into Outage."""
    try:
        yield
    except apsw.Error as error:
        outage = as_outage(error)
        if outage is None:
            raise
        raise outage from error
    except OSError as error:
        raise Outage(
            f"{error.filename or 'the data folder'}: {error.strerror}; nothing was changed"
        ) from error
