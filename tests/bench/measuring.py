"""Figures: medians with their spread, wall and CPU clocks, and the facts of the machine that they were measured on."""

import gc
import os
import platform
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import apsw
import pydantic

from hub.up import spare_the_collector

Figure = dict[str, object]


@dataclass(slots=True)
class Timed:
    """Seconds by the wall, and of the processor over all threads of this process. Sections add up."""

    wall: float = 0.0
    cpu: float = 0.0

    @contextmanager
    def section(self) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self.cpu += time.process_time() - cpu
            self.wall += time.perf_counter() - wall


def settle() -> None:
    """Before a measurement: garbage of the one before is not paid for in the next, and it is looked for as `hubbub up` does."""
    gc.unfreeze()
    spare_the_collector()


def spread(values: Sequence[float], digits: int = 1) -> Figure:
    """The median, and how far the runs lay apart."""
    return {
        "median": round(statistics.median(values), digits),
        "lowest": round(min(values), digits),
        "highest": round(max(values), digits),
        "runs": len(values),
    }


def percentiles(seconds: Sequence[float]) -> Figure:
    """Latencies in milliseconds."""
    ordered = sorted(seconds)

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000, 2)

    return {"p50_ms": at(0.5), "p99_ms": at(0.99), "highest_ms": at(1), "count": len(ordered)}


def machine() -> Figure:
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "machine": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": apsw.sqlite_lib_version(),
        "apsw": apsw.apsw_version(),
        "pydantic": pydantic.VERSION,
        "load_before": round(os.getloadavg()[0], 2),
    }
