"""Large blobs in a bucket: kept, verified, found again, and swept where nothing names them."""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import httpx
import obstore
import pytest
from pydantic import SecretStr

from hub.loading import look
from schemas.errors import Invalid, Outage
from schemas.ids import sha256
from schemas.interactions import BlobRef
from schemas.steps import Blob, Step
from sinks.distributed.engine import Access, DistributedEngine, open_distributed
from sinks.mongo.blobs import blob_faults, known_blobs
from sinks.s3.files import S3Files
from sinks.s3.settings import S3Address, S3Settings, parse_bucket
from tests.contracts.engines import empty_log
from tests.contracts.samples import received
from tests.support.s3 import s3_server
from tests.support.servers import server

LARGE = bytes(range(256)) * 1024
OTHER = bytes(reversed(range(256))) * 1024
SMALL = b"small"
Test = TypeVar("Test", bound=Callable[..., object])
KEYS = S3Settings(access_key_id="hubbub", secret_access_key=SecretStr("top-secret"))


class Now:
    def __init__(self) -> None:
        self.time = datetime.now(UTC)

    def now(self) -> datetime:
        return self.time


def blob(content: bytes) -> Blob:
    return Blob(BlobRef(sha256=sha256(content), size=len(content)), content)


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with s3_server("hubbub-blobs") as url:
        yield url


@pytest.fixture
def clock() -> Now:
    return Now()


@pytest.fixture
def files(s3: str, clock: Now) -> S3Files:
    return S3Files(S3Address("hubbub-blobs", uuid4().hex, endpoint=s3), KEYS, clock)


async def test_a_file_is_read_as_it_was_written_and_written_once(files: S3Files) -> None:
    name = sha256(LARGE)
    assert await files.get_file(name) is None
    await files.put_file(name, LARGE)
    written = await obstore.head_async(files._store, name)
    await files.put_file(name, LARGE)
    assert await files.get_file(name) == LARGE
    assert (await obstore.head_async(files._store, name))["last_modified"] == written["last_modified"]


async def test_a_file_that_nothing_names_goes_after_a_day(files: S3Files, clock: Now) -> None:
    for content in (LARGE, OTHER):
        await files.put_file(sha256(content), content)

    async def known(names: list[str]) -> set[str]:
        return {sha256(LARGE)} & set(names)

    assert await files.sweep(known) == 0, "somebody may be about to name it"
    clock.time += timedelta(days=2)
    assert await files.sweep(known) == 1
    assert await files.get_file(sha256(LARGE)) == LARGE
    assert await files.get_file(sha256(OTHER)) is None


async def test_a_sweep_goes_through_a_large_bucket_in_pages(
    files: S3Files, clock: Now, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sinks.s3.files.LOOKED_AT_ONCE", 2)
    for number in range(5):
        await files.put_file(f"{number:064x}", b"orphan")
    clock.time += timedelta(days=2)

    async def known(names: list[str]) -> set[str]:
        return {f"{0:064x}", f"{3:064x}"} & set(names)

    assert [await files.sweep(known) for _ in range(3)] == [1, 1, 1]


async def test_a_bucket_that_is_not_there_or_not_ours_is_an_outage_that_says_so(s3: str, clock: Now) -> None:
    with pytest.raises(Outage, match="blobs: looking into the bucket"):
        await S3Files(S3Address("no-such-bucket", endpoint=s3), KEYS, clock).check()


def nobody_listens(url: str) -> str:
    return httpx.URL(url).copy_with(port=9).__str__()


async def test_an_outage_does_not_tell_the_key(s3: str, clock: Now, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sinks.s3.files.MOST_RETRIES", 0)
    files = S3Files(S3Address("hubbub-blobs", endpoint=nobody_listens(s3)), KEYS, clock)
    with pytest.raises(Outage) as refused:
        await files.put_file(sha256(LARGE), LARGE)
    assert "top-secret" not in str(refused.value)


@pytest.fixture
async def engine(s3: str, tmp_path: Path, clock: Now) -> AsyncIterator[DistributedEngine]:
    name = uuid4().hex[:10]
    log = f"{server('kafka').url}?prefix=s3-{name}.&partitions=1"
    await empty_log(log)
    access = Access(blobs=f"s3://hubbub-blobs/{name}?endpoint={s3}", s3=KEYS)
    engine = await open_distributed(log, f"{server('nx-27017').url}s3_{name}", clock=clock, access=access)
    yield engine
    await engine.close()


def on_servers(test: Test) -> Test:
    for mark in (
        pytest.mark.server("kafka"),
        pytest.mark.server("nx-27017"),
        pytest.mark.xdist_group("servers"),
    ):
        test = mark(test)
    return test


def bucket(engine: DistributedEngine) -> S3Files:
    assert isinstance(engine.files, S3Files)
    return engine.files


@on_servers
async def test_large_blobs_of_an_engine_are_in_the_bucket_and_small_ones_in_the_store(
    engine: DistributedEngine,
) -> None:
    await engine.commit(Step(events=[received(1)], blobs=[blob(LARGE), blob(SMALL)]))
    kept = await engine.put_blob(OTHER, "image/png")
    for content in (LARGE, SMALL, OTHER):
        assert await engine.blob(blob(content).ref) == content
    assert kept.sha256 == sha256(OTHER)
    assert await bucket(engine).get_file(sha256(LARGE)) == LARGE
    assert await bucket(engine).get_file(sha256(SMALL)) is None
    assert await engine.database.get_file(sha256(LARGE)) is None
    assert [fault async for fault in blob_faults(engine.database, engine.files)] == []


@on_servers
async def test_what_was_in_gridfs_before_is_found_further_on(engine: DistributedEngine) -> None:
    files, engine.files = engine.files, None
    await engine.put_blob(LARGE, "image/png")
    engine.files = files
    assert await engine.blob(blob(LARGE).ref) == LARGE


@on_servers
async def test_a_file_that_was_lost_or_altered_is_found_by_a_check(engine: DistributedEngine) -> None:
    for content in (LARGE, OTHER):
        await engine.put_blob(content, "image/png")
    store = bucket(engine)._store
    await obstore.delete_async(store, sha256(LARGE))
    await obstore.put_async(store, sha256(OTHER), LARGE)
    faults = [fault async for fault in engine.check() if fault.startswith("blob")]
    assert sorted("missing" in fault for fault in faults) == [False, True]
    assert any("altered" in fault for fault in faults)


@on_servers
async def test_expiry_sweeps_the_bucket_and_keeps_what_is_named(
    engine: DistributedEngine, clock: Now
) -> None:
    await engine.put_blob(LARGE, "image/png")
    await bucket(engine).put_file(sha256(OTHER), OTHER)  # by a step that never came to be
    clock.time += timedelta(days=2)
    assert await engine.expire() >= 1
    assert await bucket(engine).get_file(sha256(OTHER)) is None
    assert await engine.blob(blob(LARGE).ref) == LARGE
    assert await known_blobs(engine.database, [sha256(OTHER)]) == set()


def test_addresses_of_buckets() -> None:
    assert parse_bucket("s3://blobs") == S3Address("blobs")
    assert parse_bucket("s3://blobs/a/b?region=eu-west-1&endpoint=https://one:9000") == S3Address(
        "blobs", "a/b", "eu-west-1", "https://one:9000"
    )


@pytest.mark.parametrize(
    "url",
    [
        "",
        "blobs",
        "http://blobs",
        "s3://",
        "s3://id:top-secret@blobs",
        "s3://blobs?endpoint=one",
        "s3://b?colour=1",
    ],
)
def test_an_address_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(Invalid, match="write s3://bucket") as refused:
        parse_bucket(url)
    assert "top-secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("blobs: s3://blobs", "blobs: means nothing without `store`"),
        ("s3: {access_key_id: a, secret_access_key: b}", "s3: means nothing while `blobs`"),
        ("blobs: s3://blobs\ns3: {access_key_id: a}", "go together"),
        ("blobs: ftp://blobs", "is no address for blobs"),
    ],
)
def test_what_cannot_be_used_is_told(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "hubbub.yaml"
    path.write_text(text)
    assert expected in " | ".join(map(str, look(path, {}).problems))
