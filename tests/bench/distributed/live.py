"""`post_to_queue` on Kafka and MongoDB's protocol: a process of connectors and API, one worker, and forms that are posted."""

import asyncio
import dataclasses
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from tests.bench.distributed.ground import Ground, ground
from tests.bench.distributed.workers import READY_SECONDS, Workers, settings
from tests.bench.live import FORM, _key, _load, _port
from tests.bench.load import Plan
from tests.bench.measuring import Figure, percentiles
from tests.e2e.hubs import ready
from tests.support.process import HUBBUB, running

AIM_P99_MILLISECONDS = 500


def measure(folder: Path, seconds: float, rates: Sequence[int]) -> Figure:
    """From the beginning of a post to the arrival of its case's event at a client that follows the stream."""
    with ground(folder) as on:
        made = [asyncio.run(_at(on, folder / str(rate), rate, seconds)) for rate in rates]
    return {"database": on.says, "aim_p99_ms_at_200": AIM_P99_MILLISECONDS, "by_rate": made}


async def _at(on: Ground, folder: Path, rate: int, seconds: float) -> Figure:
    installation = on.installation()
    await installation.make_topics()
    path = settings(folder, installation)
    async with AsyncExitStack() as stack:
        front = await stack.enter_async_context(
            running(HUBBUB, "up", "--only", "connectors,api", "--config", str(path))
        )
        hub = await ready(front, path, READY_SECONDS)
        await Workers(stack, path).start(1)
        plan = Plan(_port(hub.intake), FORM, seconds, rate=rate)
        told = await _load(dataclasses.replace(plan, stream_port=_port(hub.console), key=await _key(hub)))
    return {
        "rate_per_second": rate,
        "seconds": seconds,
        "post_to_event": percentiles(told["seen"]) if told["seen"] else "none arrived in time",
        "post_to_answer": percentiles(told["answered"]) if told["answered"] else "none was answered in time",
        "failed": told["failed"],
        "reason": told["reason"],
        "unseen": told["unseen"],
    }
