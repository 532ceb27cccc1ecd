"""The blobs that anything refers to."""

from collections.abc import Iterable, Iterator, Mapping

from pydantic import BaseModel

from schemas.interactions import BlobRef


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
