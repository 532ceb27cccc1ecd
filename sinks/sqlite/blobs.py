"""Blobs: rows up to 64 KiB, files named by their SHA-256 above. A file is durable before the row that tells of it."""

import hashlib
import os
from pathlib import Path

import apsw

from schemas.crash import crash_point
from schemas.errors import Never, Unknown
from schemas.ids import sha256
from schemas.interactions import BlobRef
from schemas.steps import Blob
from sinks.sqlite.folders import sync_folder

LARGEST_ROW_BYTES = 64 * 1024
PART_BYTES = 256 * 1024
FOLDER = "blobs"
TEMPORARY = "tmp"
NAME_DIGITS = 64


class BlobFiles:
    """Files below `blobs/ab/cd/`, by name. Safe to call from several threads at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / FOLDER

    def prepare(self) -> None:
        """Makes the folder, durably, and clears what a crash left half-written."""
        temporary = self.folder / TEMPORARY
        temporary.mkdir(parents=True, exist_ok=True)
        for left in temporary.iterdir():
            left.unlink()
        sync_folder(self.folder)
        sync_folder(self.folder.parent)

    def path(self, name: str) -> Path:
        """Raises Unknown for what is no name of a blob; nothing else from outside becomes part of a path."""
        if len(name) != NAME_DIGITS or not set(name) <= set("0123456789abcdef"):
            raise Unknown(f"{name[:80]!r} names no blob")
        return self.folder / name[:2] / name[2:4] / name

    def write(self, name: str, content: bytes) -> None:
        """Keeps the content durably under its name; one that is there whole is kept."""
        crash_point("engine.before-blob-file")
        path = self.path(name)
        if not path.exists() or path.stat().st_size != len(content):
            self._replace(path, content)
        # Also for a file that was there: who wrote it may not have come to this line.
        for folder in (path.parent, path.parent.parent, self.folder):
            sync_folder(folder)
        crash_point("engine.after-blob-file")

    def _replace(self, path: Path, content: bytes) -> None:
        temporary = self.folder / TEMPORARY / f"{path.name}.{os.getpid()}.{id(content)}"
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            crash_point("engine.after-blob-write")
            os.fsync(file.fileno())
        crash_point("engine.before-blob-rename")
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.rename(path)
        crash_point("engine.after-blob-rename")

    def remove(self, name: str) -> None:
        self.path(name).unlink(missing_ok=True)

    def read(self, name: str) -> bytes | None:
        try:
            return self.path(name).read_bytes()
        except FileNotFoundError:
            return None


def check_name(blob: Blob) -> None:
    """Raises Never when a blob is not what its reference says."""
    if blob.ref.sha256 != sha256(blob.content) or blob.ref.size != len(blob.content):
        raise Never(f"blob {blob.ref.sha256}: the content has another digest or size than its reference")


def write_blob_row(connection: apsw.Connection, blob: Blob) -> None:
    content = blob.content if len(blob.content) <= LARGEST_ROW_BYTES else None
    sql = "INSERT INTO blobs (sha256, size, content) VALUES (?, ?, ?) ON CONFLICT (sha256) DO NOTHING"
    connection.execute(sql, (bytes.fromhex(blob.ref.sha256), blob.ref.size, content))


def remove_blob_row(connection: apsw.Connection, ref: BlobRef) -> None:
    connection.execute("DELETE FROM blobs WHERE sha256 = ?", (bytes.fromhex(ref.sha256),))


def find_blob(connection: apsw.Connection, files: BlobFiles, ref: BlobRef) -> bytes | Path:
    """The bytes of a small one, or the file of a large one, which is not looked into. Raises Unknown and Never as `read_blob`."""
    path = files.path(ref.sha256)
    row = connection.execute(
        "SELECT content FROM blobs WHERE sha256 = ?", (bytes.fromhex(ref.sha256),)
    ).fetchone()
    if row is None:
        raise Unknown(f"there is no blob {ref.sha256}")
    if row[0] is None:
        return path
    if sha256(row[0]) != ref.sha256:
        raise _altered(ref)
    return bytes(row[0])


def check_file(path: Path, ref: BlobRef) -> None:
    """Reads it once, in parts. Raises Unknown when it is not there and Never when it is not what its name says."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise _missing(path, ref) from None
    if digest != ref.sha256:
        raise _altered(ref)


def read_blob(connection: apsw.Connection, files: BlobFiles, ref: BlobRef) -> bytes:
    """Raises Unknown when it is not there and Never when it is not what its name says."""
    found = find_blob(connection, files, ref)
    if isinstance(found, bytes):
        return found
    content = files.read(ref.sha256)
    if content is None:
        raise _missing(found, ref)
    if sha256(content) != ref.sha256:
        raise _altered(ref)
    return content


def _missing(path: Path, ref: BlobRef) -> Unknown:
    return Unknown(f"the file of blob {ref.sha256} is missing: {path}")


def _altered(ref: BlobRef) -> Never:
    return Never(f"blob {ref.sha256} was altered: its content has another digest")
