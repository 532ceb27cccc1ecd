"""After the contracts ran: which channel keeps which part, on which engine, and what is not applicable to it."""

import re
from collections.abc import Iterable

import pytest

CONTRACT = re.compile(r"(?:^|/)test_(?P<file>\w+)\.py::Test(?P<kind>\w+)::test_(?P<test>\w+)")
FOLDER = re.compile(r"tests/connectors/(?P<channel>[\w/]+)/test_contract\.py")
MARKS = {"passed": "yes", "skipped": "n/a", "failed": "NO"}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    table: dict[str, dict[str, set[str]]] = {}
    columns: dict[str, None] = {}
    for outcome, mark in MARKS.items():
        for report in terminalreporter.stats.get(outcome, ()):
            place = _place(getattr(report, "nodeid", ""))
            if place is not None and (outcome != "passed" or report.when == "call"):
                column, test = place
                columns[column] = None
                table.setdefault(test, {}).setdefault(column, set()).add(mark)
    if len(columns) < 2:
        return
    terminalreporter.section("contract of connectors")
    names = sorted(columns)
    terminalreporter.write_line(" " * 78 + "  ".join(f"{name[:14]:14}" for name in names))
    for test, results in table.items():
        cells = "  ".join(f"{_said(results.get(name, ())):14}" for name in names)
        terminalreporter.write_line(f"{test.replace('_', ' ')[:76]:78}{cells}")


def _place(nodeid: str) -> tuple[str, str] | None:
    """The channel with its engine, and the part of the contract."""
    found = CONTRACT.search(nodeid)
    if found is None or not found["file"].startswith(("contract", "example")):
        return None
    if found["file"].endswith("on_servers"):
        return f"{found['kind'].lower()} servers", found["test"]
    folder = FOLDER.search(nodeid)
    return (folder["channel"] if folder is not None else found["file"]), found["test"]


def _said(results: Iterable[str]) -> str:
    """The worst of the variants of one test; `n/a` where none applies."""
    found = set(results)
    return next((each for each in ("NO", "yes", "n/a") if each in found), "-")
