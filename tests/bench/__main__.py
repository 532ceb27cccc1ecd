"""`python -m tests.bench [--short] [--only NAME]`: measures, and prints one JSON object."""

import argparse
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench import apply, growth, live, mails
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
    "post_to_queue": Measurement(
        lambda folder: live.post_to_queue(folder, 60), lambda folder: live.post_to_queue(folder, 5)
    ),
    "forms": Measurement(lambda folder: live.forms(folder, 10, 5), lambda folder: live.forms(folder, 3, 1)),
    "process": Measurement(
        lambda folder: live.process(folder, 10, 5), lambda folder: live.process(folder, 2, 1)
    ),
    "mails": Measurement(
        lambda folder: mails.measure(folder, 2_000, 5), lambda folder: mails.measure(folder, 300, 3)
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.bench", description=__doc__)
    parser.add_argument(
        "--short", action="store_true", help="smaller and fewer: a quick look, not a figure to quote"
    )
    parser.add_argument(
        "--only", action="append", choices=MEASUREMENTS, help="measure this one; may be repeated"
    )
    arguments = parser.parse_args()
    figures: Figure = {"short": arguments.short, "machine": machine()}
    for name in arguments.only or MEASUREMENTS:
        with tempfile.TemporaryDirectory(prefix="hubbub-bench-") as folder:
            measurement = MEASUREMENTS[name]
            figures[name] = (measurement.quick if arguments.short else measurement.whole)(Path(folder))
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
