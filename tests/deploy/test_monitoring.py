"""Alerts and dashboard use names and labels that the hub has, and each alert has a section in the runbook."""

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana.dashboard import FILE, dashboard, text
from hub.observe import TABLE, Metrics
from tests.support.needs import SERVERS
from tests.support.paths import ROOT

FOLDER = ROOT / "deploy" / "prometheus"
RULES = FOLDER / "hubbub.rules.yaml"
RUNBOOK = ROOT / "docs" / "operators" / "runbook.md"
OF_PROMETHEUS = {"job", "instance", "le"}
SUFFIXES = re.compile(r"_(bucket|sum|count)$")


def rules() -> list[dict[str, Any]]:
    document = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def queries() -> dict[str, str]:
    """All that is asked of Prometheus, by where it stands."""
    told = {f"alert {rule['alert']}": rule["expr"] for rule in rules()}
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", ()):
            told[f"panel {panel['title']} {target['refId']}"] = target["expr"].replace(
                "$__rate_interval", "5m"
            )
    return told


def known() -> dict[str, set[str]]:
    """Metric -> its labels, with those that each process tells of itself."""
    own = {str(name): set(declared.labels) for name, declared in TABLE.items()}
    of_process = {sample.name for family in Metrics().registry.collect() for sample in family.samples}
    return {"up": set(), **{name: set() for name in of_process}, **own}


def parts(node: Any) -> Iterator[Any]:
    """Every node of a query. What the parser hands out has its parts under these names."""
    yield node
    for name in ("lhs", "rhs", "expr", "vector_selector", "param"):
        below = getattr(node, name, None)
        if below is not None and not isinstance(below, str | int | float):
            yield from parts(below)
    for argument in getattr(node, "args", None) or ():
        yield from parts(argument)


def asked(query: str) -> Iterator[tuple[str, set[str]]]:
    """The metrics of a query, each with the labels that are asked of it. Grouping counts for all of them."""
    nodes = list(parts(promql_parser.parse(query)))
    grouped = {
        label for node in nodes for label in getattr(getattr(node, "modifier", None), "labels", None) or ()
    }
    for node in nodes:
        if isinstance(node, promql_parser.VectorSelector):
            yield node.name or "", {each.name for each in node.matchers.matchers} | grouped


@pytest.mark.parametrize("place", sorted(queries()))
def test_each_query_asks_for_metrics_and_labels_that_there_are(place: str) -> None:
    found = list(asked(queries()[place]))
    assert found
    for metric, labels in found:
        name = metric if metric in known() else SUFFIXES.sub("", metric)
        assert name in known(), f"{metric} is no metric of the hub"
        assert labels <= known()[name] | OF_PROMETHEUS, f"{metric} has no label {labels - known()[name]}"


def test_a_name_that_there_is_not_would_be_found() -> None:
    query = 'sum by (le, gone) (rate(hubbub_x_total{other="1"}[5m])) / scalar(max(hubbub_y))'
    assert list(asked(query)) == [("hubbub_x_total", {"other", "le", "gone"}), ("hubbub_y", {"le", "gone"})]


def test_each_metric_of_the_hub_is_on_the_dashboard() -> None:
    shown = {
        SUFFIXES.sub("", metric)
        for place, query in queries().items()
        if place.startswith("panel")
        for metric, _ in asked(query)
    }
    assert {str(name) for name in TABLE} <= shown


def test_each_alert_has_its_section_in_the_runbook_and_no_section_is_left_over() -> None:
    sections = re.findall(r"^## (\w+)$", RUNBOOK.read_text(encoding="utf-8"), re.M)
    assert sections == [rule["alert"] for rule in rules()]
    for rule in rules():
        assert rule["annotations"]["runbook_url"] == f"docs/operators/runbook.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in {"page", "ticket"}


def test_each_alert_is_tested_to_fire_or_to_be_quiet() -> None:
    document = yaml.safe_load((FOLDER / "hubbub.rules.test.yaml").read_text(encoding="utf-8"))
    tested = [each for test in document["tests"] for each in test["alert_rule_test"]]
    fired = {each["alertname"] for each in tested if each.get("exp_alerts")}
    quiet = {each["alertname"] for each in tested if not each.get("exp_alerts")}
    assert fired == quiet == {rule["alert"] for rule in rules()}


@pytest.mark.server("promtool")
@pytest.mark.parametrize(
    "command", [("check", "rules", RULES.name), ("test", "rules", "hubbub.rules.test.yaml")]
)
def test_promtool_accepts_the_rules_and_sees_them_fire(command: tuple[str, ...]) -> None:
    program = SERVERS["promtool"].program()
    assert program
    said = subprocess.run([program, *command], cwd=FOLDER, check=False, capture_output=True, text=True)
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.server("promtool")
def test_promtool_accepts_the_configuration_of_prometheus() -> None:
    program = SERVERS["promtool"].program()
    assert program
    command = [program, "check", "config", "--syntax-only", "prometheus.yaml"]
    said = subprocess.run(command, cwd=FOLDER, check=False, capture_output=True, text=True)
    assert said.returncode == 0, said.stdout + said.stderr


def test_the_dashboard_is_what_the_code_says() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), "run python -m deploy.grafana"


def test_grafanas_own_library_knows_every_field_of_the_dashboard() -> None:
    written = dashboard()
    read = json.loads(JSONEncoder().encode(Dashboard.from_json(written)))
    assert lost(written, read) == []


def lost(before: Any, after: Any, place: str = "") -> list[str]:
    """What did not come back from Grafana's model."""
    if isinstance(before, dict):
        gone = [f"{place}.{name}" for name in before if name not in after]
        return gone + [
            each
            for name in before
            if name in after
            for each in lost(before[name], after[name], f"{place}.{name}")
        ]
    if isinstance(before, list):
        if len(before) != len(after):
            return [place]
        return [
            each for index, one in enumerate(before) for each in lost(one, after[index], f"{place}[{index}]")
        ]
    return [] if before == after else [place]


def test_no_panel_lies_on_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken
        assert at["x"] + at["w"] <= 24
        taken |= cells
