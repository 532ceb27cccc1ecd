"""Blobs: documents up to 64 KiB, files above: in GridFS, or where `files` says. All are named by their SHA-256, so keeping one
twice is keeping it once. What GridFS has from before is found further on."""

from collections.abc import AsyncIterator, Sequence

from schemas.errors import Never, Unknown
from schemas.ids import sha256
from schemas.interactions import BlobRef
from schemas.steps import Blob
from sinks.mongo.layout import BLOBS
from sinks.mongo.port import DocumentDatabase, Files

LARGEST_DOCUMENT_BYTES = 64 * 1024
PART_BYTES = 256 * 1024
NAME_DIGITS = 64
AT_ONCE = 100


def check_name(blob: Blob) -> None:
    """Raises Never when a blob is not what its reference says."""
    if blob.ref.sha256 != sha256(blob.content) or blob.ref.size != len(blob.content):
        raise Never(f"blob {blob.ref.sha256}: the content has another digest or size than its reference")


async def write_blobs(database: DocumentDatabase, blobs: Sequence[Blob], files: Files | None = None) -> None:
    """Durable when it returns: large ones first, then the documents that name them all."""
    for blob in blobs:
        if len(blob.content) > LARGEST_DOCUMENT_BYTES:
            await (files or database).put_file(blob.ref.sha256, blob.content)
    documents = {blob.ref.sha256: blob for blob in blobs}
    await database.collection(BLOBS).insert_new(
        [
            {
                "_id": name,
                "size": blob.ref.size,
                "content": blob.content if len(blob.content) <= LARGEST_DOCUMENT_BYTES else None,
            }
            for name, blob in documents.items()
        ]
    )


async def known_blobs(database: DocumentDatabase, names: Sequence[str]) -> set[str]:
    """Those of the names that are blobs."""
    rows = await database.collection(BLOBS).find({"_id": {"$in": list(names)}}, ("_id",))
    return {row["_id"] for row in rows}


async def read_blob(database: DocumentDatabase, ref: BlobRef, files: Files | None = None) -> bytes:
    """Raises Unknown when it is not there and Never when it is not what its name says."""
    name = ref.sha256
    if len(name) != NAME_DIGITS or not set(name) <= set("0123456789abcdef"):
        raise Unknown(f"{name[:80]!r} names no blob")
    rows = await database.collection(BLOBS).find({"_id": name})
    if not rows:
        raise Unknown(f"there is no blob {name}")
    content = rows[0]["content"]
    if content is None and files is not None:
        content = await files.get_file(name)
    if content is None:
        content = await database.get_file(name)
    if content is None:
        raise Unknown(f"the file of blob {name} is missing")
    if sha256(content) != name:
        raise Never(f"blob {name} was altered: its content has another digest")
    return bytes(content)


async def remove_blob(database: DocumentDatabase, ref: BlobRef, files: Files | None = None) -> None:
    """The document first, so that nothing names a file that is not there."""
    await database.collection(BLOBS).delete_all({"_id": ref.sha256})
    if ref.size > LARGEST_DOCUMENT_BYTES:
        await (files or database).remove_file(ref.sha256)


async def blob_faults(database: DocumentDatabase, files: Files | None = None) -> AsyncIterator[str]:
    after = ""
    while rows := await database.collection(BLOBS).find(
        {"_id": {"$gt": after}}, ("size",), (("_id", 1),), AT_ONCE
    ):
        after = rows[-1]["_id"]
        for row in rows:
            try:
                content = await read_blob(database, BlobRef(sha256=row["_id"], size=row["size"]), files)
            except (Unknown, Never) as error:
                yield f"blob: {error}"
                continue
            if len(content) != row["size"]:
                yield f"blob: {row['_id']} was altered"
