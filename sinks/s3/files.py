"""Files in a bucket, each named by the SHA-256 of its bytes. Written whole or not at all, and never changed."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

import obstore
from obstore.exceptions import BaseError, NotFoundError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from schemas.errors import Outage
from schemas.ports import Clock
from sinks.s3.settings import S3Address, S3Settings

CONNECT_SECONDS, REQUEST_SECONDS, RETRY_SECONDS = 5, 60, 20
MOST_RETRIES = 4
LOOKED_AT_ONCE = 1000
ORPHAN_AFTER = timedelta(days=1)
"""A file that nothing names after so long is of a step that never came to be."""

Known = Callable[[list[str]], Awaitable[set[str]]]


@contextmanager
def outages(doing: str) -> Iterator[None]:
    try:
        yield
    except (UnauthenticatedError, PermissionDeniedError) as error:
        raise Outage(
            f"blobs: {doing}: the store does not let us; set s3.access_key_id and s3.secret_access_key of one who may read, write "
            "and list the bucket of `blobs`"
        ) from error
    except BaseError as error:
        reason = next(
            (line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__
        )
        raise Outage(f"blobs: {doing}: {reason}"[:300]) from error


class S3Files:
    """Implements sinks.mongo.port.Files. `known` says which of these names anything refers to."""

    def __init__(self, address: S3Address, access: S3Settings, clock: Clock) -> None:
        self._clock = clock
        self._looked_up_to: str | None = None
        config: dict[str, Any] = {"bucket": address.bucket}
        if address.region is not None:
            config["region"] = address.region
        if address.endpoint is not None:
            config["endpoint"] = address.endpoint
            config.setdefault("region", "us-east-1")  # which such stores take for their own
        if access.access_key_id is not None and access.secret_access_key is not None:
            config["access_key_id"] = access.access_key_id
            config["secret_access_key"] = access.secret_access_key.get_secret_value()
        self._store = S3Store(
            prefix=address.prefix or None,
            config=config,  # type: ignore[arg-type]  # a mapping with the keys of its own
            client_options={
                "allow_http": (address.endpoint or "").startswith("http://"),
                "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
                "timeout": timedelta(seconds=REQUEST_SECONDS),
            },
            retry_config={"max_retries": MOST_RETRIES, "retry_timeout": timedelta(seconds=RETRY_SECONDS)},
        )

    async def check(self) -> None:
        """Raises Outage where the bucket cannot be read."""
        with outages("looking into the bucket"):
            async for _ in obstore.list(self._store, chunk_size=1):
                return

    async def put_file(self, name: str, content: bytes) -> None:
        """Durable when it returns. What is there whole is kept."""
        with outages("writing"):
            if await self._size(name) == len(content):
                return
            await obstore.put_async(self._store, name, content)

    async def _size(self, name: str) -> int | None:
        try:
            return int((await obstore.head_async(self._store, name))["size"])
        except (NotFoundError, FileNotFoundError):
            return None

    async def get_file(self, name: str) -> bytes | None:
        with outages("reading"):
            try:
                found = await obstore.get_async(self._store, name)
                return bytes(await found.bytes_async())
            except (NotFoundError, FileNotFoundError):
                return None

    async def remove_file(self, name: str) -> None:
        with outages("removing"), suppress(NotFoundError, FileNotFoundError):
            await obstore.delete_async(self._store, name)

    async def sweep(self, known: Known) -> int:
        """Looks at the next files of the bucket, and removes those that nothing names for a day. Returns how many."""
        with outages("looking for what nothing names"):
            page: list[Mapping[str, Any]] = []
            async for found in obstore.list(
                self._store, offset=self._looked_up_to, chunk_size=LOOKED_AT_ONCE
            ):
                page = list(found)
                break
            self._looked_up_to = page[-1]["path"] if len(page) == LOOKED_AT_ONCE else None
            before: datetime = self._clock.now() - ORPHAN_AFTER
            old = [each["path"] for each in page if each["last_modified"] < before]
            named = await known(old) if old else set()
            orphans = [name for name in old if name not in named]
            if orphans:
                await obstore.delete_async(self._store, orphans)
        return len(orphans)
