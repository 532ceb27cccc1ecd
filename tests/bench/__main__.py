"""`python -m tests.bench [--kafka] [--short] [--only NAME]`: measures, and prints one JSON object."""

import argparse
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench import apply, console, growth, hooks, live, mails
from tests.bench.measuring import Figure, machine


@dataclass(frozen=True)
class Measurement:
    """Takes an empty folder. `quick` is smaller and shorter: a look, not a figure to quote."""

    whole: Callable[[Path], Figure]
    quick: Callable[[Path], Figure]


MEASUREMENTS = {
    "apply": Measurement(
        lambda folder: apply.measure(folder, 100_000, 5), lambda folder: apply.measure(folder, 10_000, 3)
    ),
    "growth": Measurement(
        lambda folder: growth.measure(folder, 100_000, 1_000_000),
        lambda folder: growth.measure(folder, 10_000, 50_000),
    ),
    "console": Measurement(
        lambda folder: console.measure(folder, 1_000_000), lambda folder: console.measure(folder, 20_000)
    ),
    "post_to_queue": Measurement(
        lambda folder: live.post_to_queue(folder, 60), lambda folder: live.post_to_queue(folder, 5)
    ),
    "forms": Measurement(lambda folder: live.forms(folder, 10, 5), lambda folder: live.forms(folder, 3, 1)),
    "process": Measurement(
        lambda folder: live.process(folder, 10, 5), lambda folder: live.process(folder, 2, 1)
    ),
    "hooks": Measurement(
        lambda folder: hooks.measure(folder, 5_000, 3), lambda folder: hooks.measure(folder, 500, 1)
    ),
    "mails": Measurement(
        lambda folder: mails.measure(folder, 2_000, 5), lambda folder: mails.measure(folder, 300, 3)
    ),
}


def on_servers() -> dict[str, Measurement]:
    """Those of the engine on Kafka and MongoDB, whose packages are imported only here."""
    from tests.bench.distributed import apply, console, floor, live, side_by_side, workers

    return {
        "kafka_apply": Measurement(
            lambda folder: apply.measure(folder, 10_000, 3), lambda folder: apply.measure(folder, 1_000, 1)
        ),
        "kafka_console": Measurement(
            lambda folder: console.measure(folder, 4_000, 100_000, 1_000_000),
            lambda folder: console.measure(folder, 300, 1_000, 5_000),
        ),
        "kafka_floor": Measurement(
            lambda folder: floor.measure(folder, 100_000), lambda folder: floor.measure(folder, 20_000)
        ),
        "kafka_workers": Measurement(
            lambda folder: workers.measure(folder, 20_000, (1, 2, 4), 100_000),
            lambda folder: workers.measure(folder, 500, (1, 2, 4), 1_000),
        ),
        "kafka_post_to_queue": Measurement(
            lambda folder: live.measure(folder, 60, (10, 50, 200)),
            lambda folder: live.measure(folder, 5, (5, 200)),
        ),
        "kafka_side_by_side": Measurement(
            lambda folder: side_by_side.measure(folder, 20_000),
            lambda folder: side_by_side.measure(folder, 1_000),
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.bench", description=__doc__)
    parser.add_argument(
        "--short", action="store_true", help="smaller and fewer: a quick look, not a figure to quote"
    )
    parser.add_argument(
        "--kafka", action="store_true", help="the engine on Kafka and MongoDB, on servers started here"
    )
    parser.add_argument("--only", action="append", metavar="NAME", help="measure this one; may be repeated")
    arguments = parser.parse_args()
    measurements = on_servers() if arguments.kafka else MEASUREMENTS
    for name in arguments.only or ():
        if name not in measurements:
            parser.error(f"there is no {name}; there are {', '.join(measurements)}")
    figures: Figure = {"short": arguments.short, "machine": machine()}
    for name in arguments.only or measurements:
        with tempfile.TemporaryDirectory(prefix="hubbub-bench-") as folder:
            measurement = measurements[name]
            figures[name] = (measurement.quick if arguments.short else measurement.whole)(Path(folder))
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
