"""Reading the body of a post: bounded in size, in time, and in what all unfinished posts hold together."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import Request

from connectors.webform.rejections import Rejected

RETRY_SECONDS = 5.0


class Reservation:
    """The share of one post in the memory for all."""

    def __init__(self, budget: "MemoryBudget") -> None:
        self._budget = budget
        self._held = 0

    def take(self, count: int) -> None:
        if self._budget.held + count > self._budget.limit:
            raise Rejected(503, "unavailable", "too many posts are being sent at once", RETRY_SECONDS)
        self._held += count
        self._budget.held += count

    def free(self) -> None:
        self._budget.held -= self._held
        self._held = 0


class MemoryBudget:
    """Bytes that unfinished posts may hold together. What was announced but not sent counts nothing."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0

    @contextmanager
    def reserve(self) -> Iterator[Reservation]:
        reservation = Reservation(self)
        try:
            yield reservation
        finally:
            reservation.free()


async def read_body(request: Request, limit: int, seconds: float, reservation: Reservation) -> bytes:
    """The whole body. Raises Rejected: 413 when it is longer than `limit`, announced or not, 408 when it takes too long."""
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and (len(announced) > 12 or int(announced) > limit):
        raise _too_large(limit)
    chunks: list[bytes] = []
    length = 0
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                length += len(chunk)
                if length > limit:
                    raise _too_large(limit)
                reservation.take(len(chunk))
                chunks.append(chunk)
    except TimeoutError:
        raise Rejected(408, "too_slow", f"the body took longer than {seconds:g} seconds") from None
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(limit: int) -> Rejected:
    return Rejected(413, "too_large", f"the body is longer than {limit} bytes")
