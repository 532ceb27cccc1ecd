"""Blobs of every engine: whole, in parts, gone, and never what their name does not say."""

import pytest

from schemas.errors import Never, Unknown
from schemas.ids import sha256
from schemas.interactions import BlobRef
from schemas.ports import Engine
from schemas.steps import Blob, Step
from tests.contracts.conftest import Reopen


@pytest.mark.parametrize("size", [0, 10, 70_000, 1_000_000])
async def test_a_blob_is_had_in_parts(engine: Engine, size: int) -> None:
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    ref = await engine.put_blob(content, "application/octet-stream")
    parts = [part async for part in engine.blob_parts(ref)]
    assert b"".join(parts) == content
    assert all(len(part) <= 300_000 for part in parts)
    with pytest.raises(Unknown):
        await anext(engine.blob_parts(BlobRef(sha256="f" * 64, size=3)), b"")


@pytest.mark.parametrize("size", [10, 100_000])
async def test_a_blob_that_is_removed_is_gone_and_may_come_again(engine: Engine, size: int) -> None:
    ref = await engine.put_blob(b"x" * size, "text/plain")
    kept = await engine.put_blob(b"y" * size, "text/plain")
    for _ in range(2):  # again is nothing
        await engine.remove_blob(ref)
    with pytest.raises(Unknown):
        await engine.blob(ref)
    assert await engine.blob(kept) == b"y" * size
    assert [fault async for fault in engine.check()] == []
    assert await engine.put_blob(b"x" * size, "text/plain") == ref
    assert await engine.blob(ref) == b"x" * size


@pytest.mark.parametrize("size", [0, 1, 64 * 1024, 64 * 1024 + 1, 300_000])
async def test_a_blob_comes_back(engine: Engine, reopen: Reopen, size: int) -> None:
    content = bytes(number % 251 for number in range(size))
    ref = await engine.put_blob(content, "image/png")
    assert ref == BlobRef(sha256=sha256(content), size=size, media_type="image/png")
    assert await engine.put_blob(content, "image/png") == ref
    other = content + b"!"
    in_step = BlobRef(sha256=sha256(other), size=size + 1)
    await engine.commit(Step(blobs=[Blob(in_step, other)]))
    engine = await reopen()
    assert await engine.blob(ref) == content
    assert await engine.blob(in_step) == other


@pytest.mark.parametrize("digest", ["0" * 64, "../../hub.sqlite", "", "Z" * 64, "a" * 63])
async def test_a_blob_that_is_not_there_is_unknown(engine: Engine, digest: str) -> None:
    with pytest.raises(Unknown):
        await engine.blob(BlobRef(sha256=digest, size=1))


async def test_a_blob_that_is_not_what_its_name_says_is_refused(engine: Engine) -> None:
    with pytest.raises(Never):
        await engine.commit(Step(blobs=[Blob(BlobRef(sha256=sha256(b"a"), size=1), b"b")]))
