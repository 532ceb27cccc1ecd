"""The blobs that anything refers to, and how they are carried."""

from collections.abc import Iterable, Iterator, Mapping

from pydantic import BaseModel

from schemas.errors import Never, Unknown
from schemas.interactions import BlobRef
from schemas.ports import Engine
from schemas.steps import Blob
from sinks.distributed.importing import Importer

BLOB_BYTES_AT_ONCE = 8 * 1024**2


def refs_in(values: Iterable[object]) -> dict[str, BlobRef]:
    """Name -> reference, however deep in models, lists and mappings."""
    return {ref.sha256: ref for value in values for ref in _refs(value)}


def _refs(value: object) -> Iterator[BlobRef]:
    if isinstance(value, BlobRef):
        yield value
    elif isinstance(value, BaseModel):
        for each in value.__dict__.values():
            yield from _refs(each)
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _refs(each)
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from _refs(each)


class Blobs:
    """Carries the blobs that are referred to. `missing`: what could not be carried because the source has it no more."""

    def __init__(self, source: Engine, target: Importer) -> None:
        self._source = source
        self._target = target
        self.missing: list[str] = []

    async def carry(self, values: Iterable[object]) -> None:
        blobs: list[Blob] = []
        for ref in refs_in(values).values():
            blob = await self._blob(ref)
            if blob is not None:
                blobs.append(blob)
            if sum(len(each.content) for each in blobs) > BLOB_BYTES_AT_ONCE:
                await self._target.blobs(blobs)
                blobs = []
        if blobs:
            await self._target.blobs(blobs)

    async def _blob(self, ref: BlobRef) -> Blob | None:
        try:
            return Blob(ref, await self._source.blob(ref))
        except (Unknown, Never) as error:
            self.missing.append(str(error))
            return None
