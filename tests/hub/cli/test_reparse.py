"""`hubbub reparse`: over the API, with the hub up or down."""

import json
from collections.abc import Callable
from pathlib import Path

from tests.hub.cli.conftest import Installation


def test_what_reads_the_same_is_counted_and_nothing_is_told(
    installation: Installation, mails: Callable[..., Path]
) -> None:
    installation.run("ingest", "email", str(mails("one", "two")))
    result = installation.run("reparse", "--since", "1h", "--json")
    assert [json.loads(each) for each in result.stdout.splitlines()] == [
        {"result": "compared", "messages": 2, "same": 2}
    ]
    assert "2 same" in installation.run("reparse", "--since", "1h", "--channel", "email", "--apply").stderr


def test_a_time_that_is_none_is_a_mistake_of_use(installation: Installation) -> None:
    assert "no time" in installation.run("reparse", "--since", "lately", exit_code=2).stderr
