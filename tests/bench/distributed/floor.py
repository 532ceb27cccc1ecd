"""Faust's own floor: an agent that reads raw bytes and does nothing with them. Run as a process: ADDRESS TOPIC COUNT."""

import asyncio
import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

import faust

from schemas.topics import Topic
from tests.bench.distributed.ground import ground
from tests.bench.measuring import Figure
from tests.support.process import running

BATCH, WITHIN_SECONDS = 500, 0.05
END_SECONDS = 180.0


def measure(folder: Path, count: int) -> Figure:
    with ground(folder) as on:
        return {**asyncio.run(_measure(on.installation(), count, folder / "faust")), "events": count}


async def _measure(installation: Any, count: int, scratch: Path) -> dict[str, float]:
    await installation.make_topics()
    await installation.fill(count)
    server = installation.servers[0]
    topic = f"{installation.prefix}{Topic.INTERACTIONS}"
    command = [sys.executable, "-m", __name__, server, topic, str(count)]
    async with running(*command, environment={"APP_DATADIR": str(scratch)}) as run:
        told: dict[str, float] = json.loads((await run.said(r"^\{.*\}$", END_SECONDS))[0])
    return told


def main(server: str, topic: str, count: int) -> None:
    logging.disable(logging.CRITICAL)
    app = faust.App(
        "floor", broker=f"kafka://{server}", value_serializer="raw", key_serializer="raw", store="memory://",
        topic_allow_declare=False, topic_disable_leader=True, consumer_auto_offset_reset="earliest", web_enabled=False,
    )  # fmt: skip
    seen, first, began = 0, 0, (0.0, 0.0)

    async def body(stream: Any) -> None:
        nonlocal seen, first, began
        async for events in stream.take_events(BATCH, within=WITHIN_SECONDS):
            if not seen:
                began = (time.perf_counter(), time.process_time())
                first = len(events)
            seen += len(events)
            if seen >= count:
                wall, cpu = time.perf_counter() - began[0], time.process_time() - began[1]
                read = max(1, seen - first)
                print(
                    json.dumps(
                        {"cpu_us_per_event": round(cpu / read * 1e6, 1), "per_second": round(read / wall)}
                    ),
                    flush=True,
                )

    app.agent(app.topic(topic, key_type=bytes, value_type=bytes), concurrency=1)(body)
    faust.Worker(app, loglevel="critical", redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
