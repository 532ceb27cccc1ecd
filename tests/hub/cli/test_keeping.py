"""`hubbub rebuild`, `store` and `move`, as they are typed."""

from uuid import uuid4

import pytest

from tests.hub.cli.conftest import Installation
from tests.support.servers import server


def on_servers(installation: Installation, store: str) -> None:
    text = installation.config.read_text()
    installation.config.write_text(f"{text}\nlog: kafka://127.0.0.1:1/\nstore: {store}\n")


def test_what_is_derived_is_made_anew(installation: Installation) -> None:
    for projection in ("search", "timeline"):
        told = installation.json("rebuild", projection)
        assert (told["result"], told["projection"], told["written"]) == ("rebuilt", projection, 0)
    assert installation.run("rebuild", "search", "--drop").stdout == "rebuilt: 0 written anew\n"
    refused = installation.run("rebuild", "timeline", "--drop", exit_code=3)
    assert "never dropped" in refused.stderr
    assert "projection-rebuilt" in installation.run("events", "--topic", "audit", "--json").stdout


def test_without_mongodb_there_are_no_indexes_to_make(installation: Installation) -> None:
    assert "`store` is not set" in installation.run("store", "plan", exit_code=3).stderr


@pytest.mark.server("ferretdb")
@pytest.mark.xdist_group("servers")
def test_indexes_are_planned_asked_about_and_made(installation: Installation) -> None:
    on_servers(installation, f"{server('ferretdb').url}cli_{uuid4().hex[:8]}")
    planned = installation.run("store", "plan").stdout
    assert "+ create entries: case, at descending, sequence descending, n descending" in planned
    count = len(installation.json("store", "plan")["changes"])
    assert planned.count("+ create") == count
    assert installation.run("store", "apply", exit_code=130, given="n\n").stdout.count("+ create") == count
    assert "making entries: " in installation.run("store", "apply", "--yes").stderr
    assert installation.run("store", "plan").stdout == "as this version needs them\n"
    assert installation.run("store", "apply").stdout == "nothing to do\n"


def test_a_move_needs_to_know_from_where_and_to_where(installation: Installation) -> None:
    assert "write sqlite:" in installation.run("move", "--from", "data", exit_code=2).stderr
    assert "name the target" in installation.run("move", "--from", "sqlite:data", exit_code=2).stderr
    target = ("--to", "kafka://127.0.0.1:1/", "mongodb://127.0.0.1:1/hubbub")
    nowhere = installation.run("move", "--from", "sqlite:nowhere", *target, exit_code=3)
    assert "holds no company" in nowhere.stderr
