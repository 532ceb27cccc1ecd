"""With HUBBUB_NO_SKIP=1 a skipped test is a failed one, so that the tests cannot quietly stop testing.

What may still be skipped then stands here: how the reason begins, and why no command can bring what is missing.
"""

import os
from collections.abc import Mapping

import pytest

from tests.support.paths import CORPORA_ABSENT

ALLOWED: Mapping[str, str] = {
    "not applicable: ": "the contract of connectors asks for more than every channel can do; each says what it cannot",
    CORPORA_ABSENT: "other projects' mails and payloads; a clone does not carry them and no package has them",
}


def are_forbidden() -> bool:
    return os.environ.get("HUBBUB_NO_SKIP", "") not in {"", "0"}


def forbid(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turns a skip that is not allowed into a failure that says so."""
    if report.outcome != "skipped" or hasattr(report, "wasxfail"):
        return
    reason = _reason(report.longrepr)
    if any(reason.startswith(beginning) for beginning in ALLOWED):
        return
    report.outcome = "failed"
    report.longrepr = f"skipped, which HUBBUB_NO_SKIP=1 forbids: {reason}"


def _reason(longrepr: object) -> str:
    said = str(longrepr[2]) if isinstance(longrepr, tuple) else str(longrepr)
    return said.removeprefix("Skipped: ")
