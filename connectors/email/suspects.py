"""Mails at whose reading this process ended, remembered by their digest: the next time they are read where a crash harms nobody.

Before a mail is read in a thread of the hub, an empty file of its name is made; it goes when the reading ends, however it
ends. What is left when the hub starts was being read when it was killed, or has killed it. No fsync: the end of a process
loses nothing that was written, and after a power cut the mail was not to blame.
"""

import contextlib
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = "reading"
MOST = 1000


class Suspects:
    """Safe to call from several threads. Files that cannot be written suspect nobody."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER
        self._known: set[str] = set()
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            left = sorted(each.name for each in self._folder.iterdir())
            self._known = set(left[:MOST])
            for name in left[MOST:]:
                self.clear(name)

    def names(self, raw: bytes) -> str:
        return hashlib.sha256(raw).hexdigest()

    def suspects(self, name: str) -> bool:
        return name in self._known

    def clear(self, name: str) -> None:
        """It was read, or is in quarantine."""
        self._known.discard(name)
        with contextlib.suppress(OSError):
            (self._folder / name).unlink(missing_ok=True)

    @contextmanager
    def reading(self, name: str) -> Iterator[None]:
        """For the time of reading a mail in this process."""
        with contextlib.suppress(OSError):
            (self._folder / name).touch()
        try:
            yield
        finally:
            self.clear(name)
