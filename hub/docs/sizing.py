"""docs/operators/sizing.md: what an installation needs, from what was measured (docs/operators/sizing.json) and what is assumed.

Nothing on that page is a number typed by hand: measured ones come from `python -m tests.bench.sizes`, the others stand here as
assumptions, each with its reason.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.docs.markdown import page, table

FIGURES = Path(__file__).resolve().parents[2] / "docs" / "operators" / "sizing.json"
DAY_SECONDS = 86_400
DAYS = (10_000_000, 100_000_000)
"""Interactions a day."""


@dataclass(frozen=True)
class Assumed:
    """What nobody can measure for you. `why` says where the value comes from."""

    name: str
    value: float
    why: str


PEAK = Assumed(
    "peak over mean",
    4,
    "one region writes within half a day, and its busiest hour is twice the mean of those",
)
BUSY = Assumed(
    "busy share of a core at the peak",
    0.5,
    "the other half works off what a restart or a rebalance left behind",
)
ORIGINAL = Assumed(
    "bytes of an original",
    60_000,
    "mail with a signature image; a form is 2,000. Yours: the mean of `size` in `blob_files`",
)
COPIES = Assumed(
    "copies in Kafka and in MongoDB", 3, "three brokers with `min.insync.replicas` 2, a replica set of three"
)
YEARS = Assumed(
    "days kept",
    365,
    "topics are kept for ever unless their table says otherwise; after a year you know your own growth",
)
FAUST = Assumed(
    "Faust, milliseconds a record that a worker reads",
    0.09,
    "the upper end of what docs/decisions/workers.md tells; the run above was without Faust",
)
ASSUMED = (PEAK, BUSY, FAUST, ORIGINAL, COPIES, YEARS)
READ = ("interactions", "commands", "deliveries", "cases", "outbound")
"""Topics that workers read, each record once."""

HEAD = """
How much an installation needs on [Kafka and MongoDB](kafka-and-mongodb.md), on paper. Measured figures come from `python -m
tests.bench.sizes` ([sizing.json](sizing.json) is its last run); what is assumed is in a table of its own: put your numbers in. Nothing here
is a promise about MongoDB: **{servers}**, on {cores} cores that others used meanwhile (load {load}), Python {python}.
"""
FORMULAS = """
With `D` interactions a day and the names of the tables:

- mean rate `r = D / 86,400`, at the peak `p = r × peak over mean`
- cores for workers `c = p × (worker CPU + Faust × records of the topics that workers read) / busy share`; each worker uses one core, so that many workers, and one more for the case that one is away
- partitions: twice the workers, so that there is room to grow without the steps that more partitions take; never fewer than 12
- Kafka, bytes a day: `D × (sum over topics of records × bytes) × copies`
- MongoDB, bytes a day: `D × (sum over collections of documents × bytes) × copies`, before WiredTiger's compression and without indexes
- originals, bytes a day: `D × bytes of an original × copies` in GridFS; in an S3 store as it multiplies by itself
- database commands a second at the peak: `p × commands / 100` while batches are full; small batches ask more for each event
"""
BEYOND = """
**What grows how.** Cores, commands and bytes are taken to grow in proportion: claims, cases and entries are found by their keys, however many there are. `make bench`
(`growth`) holds that for SQLite up to a million rows; on MongoDB it was not measured. Partitions grow with the rate, the time to take over a
partition with its lag. `hubbub verify` reads everything and therefore grows with what is kept.

**Uploads.** What an agent uploads is kept a second time until nine days later, whether it is sent or not; then the copy goes
(`hubbub_uploads_forgotten_total` counts them), and what was never sent with it ([how](../decisions/uploads.md)).

**Where a single machine ends.** Look at bytes a year first: they decide about disks before cores do. A replica set of MongoDB holds one copy of everything on
each member; beyond one machine's disks collections would have to be sharded by a hash of `_id`. No transaction spans documents, which speaks for it, and it was
not tried: no server that shards could be had. Originals belong into an S3 store long before. On Kafka, tiered storage takes the old part of `interactions` and `cases`.

**Connectors and API** are sized by their own load: requests a second by `hubbub_http_requests_total` and the processor time of the process. `make bench`
measures both on your machine (`forms`, `mails`, `process`).

**Embedded.** One process on one disk: `make bench` has its rate on your machine (`apply`), and `growth` how it changes with a million rows. Its bytes are
about those of the tables above, once.
"""


def sizing_page() -> str:
    figures = json.loads(FIGURES.read_text(encoding="utf-8"))
    machine = figures["machine"]
    head = HEAD.format(
        servers="; ".join(figures["servers"]),
        cores=machine["cores"],
        load=machine["load_before"],
        python=machine["python"],
    )
    return page(
        "Sizing",
        head,
        "## Measured, for each interaction",
        _measured(figures),
        "## Assumed",
        table(("what", "value", "why"), [(each.name, number(each.value), each.why) for each in ASSUMED]),
        "## Formulas",
        FORMULAS,
        "## 10 and 100 million a day",
        _days(figures),
        BEYOND,
    )


def _measured(figures: Mapping[str, Any]) -> str:
    rows = [
        ("interactions in the run", number(figures["interactions"])),
        ("text of an interaction, bytes", number(figures["text_bytes_an_interaction"])),
        ("worker CPU, milliseconds (cases, automation, search; drivers included)", number(cpu(figures))),
        ("database commands a hundred, in batches of " + number(figures["batch"]), number(commands(figures))),
    ]
    per = ("records or documents", "bytes each", "bytes")
    kept = [
        (f"{kind} `{name}`", number(each["an_interaction"]), number(each["bytes_each"]), number(_bytes(each)))
        for kind, part in (("topic", "log"), ("collection", "store"))
        for name, each in figures[part].items()
    ]
    return table(("what", "measured"), rows) + "\n\n" + table(("where", *per), kept)


def _days(figures: Mapping[str, Any]) -> str:
    columns = ("", *(f"{number(each)} a day" for each in DAYS))
    made = [needs(figures, each) for each in DAYS]
    return table(columns, [(name, *(each[name] for each in made)) for name in made[0]])


def needs(figures: Mapping[str, Any], a_day: int) -> dict[str, str]:
    """The rows of the last table, as they are read."""
    mean = a_day / DAY_SECONDS
    peak = mean * PEAK.value
    read = sum(each["an_interaction"] for name, each in figures["log"].items() if name in READ)
    cores = peak * (cpu(figures) + FAUST.value * read) / 1000 / BUSY.value
    workers = math.ceil(cores) + 1
    log = a_day * sum(map(_bytes, figures["log"].values())) * COPIES.value
    store = a_day * sum(map(_bytes, figures["store"].values())) * COPIES.value
    originals = a_day * ORIGINAL.value
    return {
        "interactions a second, mean": number(mean),
        "interactions a second, peak": number(peak),
        "cores for workers at the peak": number(cores),
        "workers, one of them spare": number(workers),
        "partitions": number(max(12, 2 * workers)),
        "database commands a second at the peak": number(peak * commands(figures) / 100),
        "documents written a second at the peak": number(
            peak * sum(each["an_interaction"] for each in figures["store"].values())
        ),
        "Kafka, all copies: a day": size(log),
        f"Kafka, all copies: {number(YEARS.value)} days": size(log * YEARS.value),
        "MongoDB, all copies, uncompressed: a day": size(store),
        f"MongoDB, all copies, uncompressed: {number(YEARS.value)} days": size(store * YEARS.value),
        "originals, once: a day": size(originals),
        f"originals, once: {number(YEARS.value)} days": size(originals * YEARS.value),
    }


def cpu(figures: Mapping[str, Any]) -> float:
    return float(figures["worker_cpu_milliseconds_an_interaction"])


def commands(figures: Mapping[str, Any]) -> float:
    return float(sum(figures["database_commands_a_hundred_interactions"].values()))


def _bytes(each: Mapping[str, float]) -> float:
    return each["an_interaction"] * each["bytes_each"]


def number(value: float) -> str:
    """Three figures that count: no measurement here is better than that."""
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    rounded = round(value, digits) if digits else round(value, 2 - math.floor(math.log10(abs(value))))
    return f"{rounded:,.{digits}f}".rstrip("0").rstrip(".") if digits else f"{rounded:,.0f}"


def size(value: float) -> str:
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 1000:
            return f"{number(value)} {unit}"
        value /= 1000
    return f"{number(value)} PB"
