"""Folders whose names are as durable as what is in them."""

import contextlib
import os
from pathlib import Path


def make_folder(folder: Path) -> None:
    """Of its owner only, with those above that are missing: durably, as what is in a folder is lost with its name."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for each in missing:
        sync_folder(each.parent)
    if not missing:  # who made it may have ended before that line; where we may not look into the one above, others made it
        with contextlib.suppress(OSError):
            sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable (fsync(2): the file's own fsync does not)."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
