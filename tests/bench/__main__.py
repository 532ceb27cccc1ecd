"""`python -m tests.bench [--short] [--only NAME]`: measures, and prints one JSON object."""

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench import apply
from tests.bench.measuring import Figure, machine


def _apply(folder: Path, short: bool) -> Figure:
    return apply.measure(folder, 10_000, 3) if short else apply.measure(folder, 100_000, 5)


MEASUREMENTS: dict[str, Callable[[Path, bool], Figure]] = {"apply": _apply}


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
            figures[name] = MEASUREMENTS[name](Path(folder), arguments.short)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
