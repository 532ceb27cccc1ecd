"""A consistent copy while the hub runs, and the way back. A backup counts once its manifest is there, which comes last."""

import hashlib
import json
import os
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import apsw

from schemas.crash import crash_point
from schemas.errors import Invalid
from sinks.sqlite.blobs import BlobFiles
from sinks.sqlite.connection import FILE, open_reader
from sinks.sqlite.errors import Damaged, outages
from sinks.sqlite.folders import sync_folder
from sinks.sqlite.log import read_head

MANIFEST = "manifest.json"
FORMAT = 1
PAGES_A_STEP = 2000


def make_backup(source: Path, folder: Path, made_at: datetime) -> None:
    """Copies the file as it is at one moment, and every blob that it tells of. Blobs that are damaged are named in the
    manifest, so that one lost attachment does not stand in the way of all later backups."""
    if folder.exists() and any(folder.iterdir()):
        raise Invalid(f"{folder} is not empty; a backup goes into a folder of its own")
    with outages():
        folder.mkdir(parents=True, exist_ok=True)
        _copy_database(source, folder)
        copy = apsw.Connection(str(folder / FILE))
        try:
            copy.pragma("journal_mode", "delete")  # one file, that opens read-only too
            names: list[Any] = copy.execute("SELECT sha256 FROM blobs WHERE content IS NULL").fetchall()
            head = read_head(copy)
        finally:
            copy.close()
        faults = _copy_blobs(BlobFiles(source), BlobFiles(folder), [digest.hex() for (digest,) in names])
        manifest = {
            "format": FORMAT,
            "made_at": made_at.isoformat(),
            "sha256": file_sha256(folder / FILE),
            "seq": head.seq,
            "digest": head.digest.hex(),
            "blobs": len(names),
            "faults": faults,
        }
        crash_point("backup.before-manifest")
        _write_durably(folder / MANIFEST, json.dumps(manifest, indent=2).encode() + b"\n")


def _copy_database(source: Path, folder: Path) -> None:
    """SQLite's online backup, within one read transaction, so that what is written meanwhile does not start it anew."""
    reader = open_reader(source)
    target = apsw.Connection(str(folder / FILE))
    try:
        reader.execute("BEGIN")
        read_head(reader)
        with target.backup("main", reader, "main") as backup:
            while not backup.done:
                backup.step(PAGES_A_STEP)
    finally:
        target.close()
        reader.close()


def _copy_blobs(source: BlobFiles, target: BlobFiles, names: list[str]) -> list[str]:
    target.prepare()
    faults = []
    for name in names:
        content = source.read(name)
        if content is None or hashlib.sha256(content).hexdigest() != name:
            faults.append(f"blob {name} is {'missing' if content is None else 'altered'}")
            continue
        target.write(name, content)
    return faults


def restore_backup(folder: Path, target: Path) -> list[str]:
    """Puts a backup where a hub can open it. Everything is verified before the target appears, which must not be in use.

    Returns the damage that was known when the backup was made. Raises Invalid when there is no whole backup or the target
    is taken, Damaged when the backup is not what was written. Blocks.
    """
    if target.exists() and any(target.iterdir()):
        raise Invalid(f"{target} is not empty; move it away, or restore into another folder")
    with outages():
        manifest = _read_manifest(folder)
        if file_sha256(folder / FILE) != manifest["sha256"]:
            raise Damaged(f"{folder / FILE} is not what was backed up; use another backup")
        unfinished = target.with_name(f"{target.name}.restoring")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        shutil.copyfile(folder / FILE, unfinished / FILE)
        _sync_file(unfinished / FILE)
        missing = _restore_database(unfinished, manifest)
        faults = _copy_blobs(BlobFiles(folder), BlobFiles(unfinished), missing)
        new = [
            fault
            for fault in faults
            if fault not in manifest["faults"] and _unknown(fault, manifest["faults"])
        ]
        if new:
            raise Damaged(f"{folder} is not what was backed up: {'; '.join(new[:5])}; use another backup")
        sync_folder(unfinished)
        crash_point("restore.before-rename")
        unfinished.rename(target)
        sync_folder(target.parent)
        return faults


def _unknown(fault: str, known: list[str]) -> bool:
    """A blob that was altered in the original is left out of a backup, and so is missing there."""
    return fault.split()[1] not in {each.split()[1] for each in known}


def _read_manifest(folder: Path) -> Any:
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except FileNotFoundError as error:
        raise Invalid(f"{folder} holds no whole backup: {MANIFEST} is missing") from error
    except ValueError as error:
        raise Damaged(f"{folder / MANIFEST} cannot be read; use another backup") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise Invalid(f"{folder} was made by another version; restore it with that version")
    return manifest


def _restore_database(folder: Path, manifest: Any) -> list[str]:
    """Verifies the copied file; returns the names of the blobs that it needs."""
    connection = apsw.Connection(str(folder / FILE))
    try:
        if connection.pragma("integrity_check") != "ok":
            raise Damaged(f"{folder / FILE} is damaged; use another backup")
        head = read_head(connection)
        if (head.seq, head.digest.hex()) != (manifest["seq"], manifest["digest"]):
            raise Damaged(f"{folder / FILE} ends elsewhere than its manifest says; use another backup")
        rows: Any = connection.execute("SELECT sha256 FROM blobs WHERE content IS NULL")
        return [digest.hex() for (digest,) in rows]
    finally:
        connection.close()


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_durably(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    _sync_file(path)
    sync_folder(path.parent)


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
