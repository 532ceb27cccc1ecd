"""`hubbub topics` says what it will do, does it, and takes nothing away."""

from uuid import uuid4

import pytest

from tests.hub.cli.conftest import Installation
from tests.support.servers import server


def on_kafka(installation: Installation, prefix: str, partitions: int) -> None:
    """The installation's settings, with a log on Kafka."""
    text = installation.config.read_text()
    text = "\n".join(each for each in text.splitlines() if not each.startswith(("log:", "store:")))
    log = f"{server('kafka').url}?prefix={prefix}&partitions={partitions}"
    store = f"{server('nx-27017').url}{prefix.rstrip('.').replace('-', '_')}"
    installation.config.write_text(f"{text}\nlog: {log}\nstore: {store}\n")


@pytest.fixture
def prefix() -> str:
    return f"cli-{uuid4().hex[:8]}."


def test_without_kafka_there_are_no_topics(installation: Installation) -> None:
    result = installation.run("topics", "plan", exit_code=3)
    assert "`log` is not set" in result.stderr


@pytest.mark.server("kafka")
@pytest.mark.server("nx-27017")
@pytest.mark.xdist_group("servers")
def test_topics_are_planned_asked_about_made_and_grown(installation: Installation, prefix: str) -> None:
    on_kafka(installation, prefix, 2)
    assert (
        f"+ create {prefix}cases: 2 partitions, 1 replicas, kept for ever"
        in installation.run("topics", "plan").stdout
    )
    assert installation.run("topics", "apply", exit_code=130, given="n\n").stdout.count("+ create") == 11
    assert len(installation.json("topics", "plan")["changes"]) == 11
    installation.run("topics", "apply", given="y\n")
    assert installation.run("topics", "plan").stdout == "as the settings say\n"

    on_kafka(installation, prefix, 3)
    assert f"^ grow {prefix}cases: partitions: 2 -> 3" in installation.run("topics", "plan").stdout
    kept = installation.run("topics", "apply", "--yes")
    assert kept.stdout == "nothing to do\n"
    assert "10 differences in partitions are left" in kept.stderr
    assert installation.run("topics", "apply", "--grow", "--yes").stdout.count("^ grow") == 10
    assert installation.json("topics", "plan") == {"changes": []}

    on_kafka(installation, prefix, 1)
    assert f"! shrink {prefix}cases: partitions: 3 -> 1" in installation.run("topics", "plan").stdout
    installation.run("topics", "apply", "--grow", "--yes")
    assert len(installation.json("topics", "plan")["changes"]) == 10


def test_a_kafka_that_does_not_answer_is_an_outage(installation: Installation) -> None:
    text = installation.config.read_text()
    installation.config.write_text(f"{text}\nlog: kafka://127.0.0.1:1\nstore: mongodb://127.0.0.1:1/hubbub\n")
    assert "kafka: connecting" in installation.run("topics", "plan", exit_code=4).stderr
