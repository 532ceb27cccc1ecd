"""KEDA instead of the HorizontalPodAutoscaler of the workers: valid by KEDA's own schema, and by the same lag and limits."""

from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from tests.deploy.tools import DEPLOY, said
from tests.support.needs import SERVERS

FOLDER = DEPLOY / "kubernetes" / "overlays"
pytestmark = [pytest.mark.server("kustomize"), pytest.mark.server("keda")]

Manifest = dict[str, Any]


def manifests(overlay: str) -> list[Manifest]:
    return [each for each in yaml.safe_load_all(said("kustomize", "build", FOLDER / overlay)) if each]


def scalers(made: list[Manifest], kind: str) -> dict[str, Manifest]:
    return {each["metadata"]["name"]: each["spec"] for each in made if each["kind"] == kind}


def closed(schema: Any) -> Any:
    """The schema, with a field that it does not know an error: the server would drop it without a word."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: closed(each) for name, each in schema.items()}
    if isinstance(made.get("properties"), dict) and "additionalProperties" not in made:
        made["additionalProperties"] = False
    return made


@pytest.fixture(scope="module")
def with_keda() -> list[Manifest]:
    return manifests("production-with-keda")


def test_the_scaled_object_is_valid_by_kedas_own_schema(with_keda: list[Manifest]) -> None:
    path = SERVERS["keda"].program()
    assert path
    definition = yaml.safe_load(Path(path).read_text("utf-8"))
    (version,) = [each for each in definition["spec"]["versions"] if each["name"] == "v1alpha1"]
    schema = version["schema"]["openAPIV3Schema"]
    spec = jsonschema_rs.validator_for(closed(schema["properties"]["spec"]))
    found = scalers(with_keda, "ScaledObject")["hubbub-worker"]
    assert [str(each) for each in spec.iter_errors(found)] == []
    assert list(spec.iter_errors({**found, "triggers": [{"kind": "prometheus"}]}))


def test_workers_are_scaled_by_one_of_both_and_alike(with_keda: list[Manifest]) -> None:
    plain = scalers(manifests("production"), "HorizontalPodAutoscaler")
    assert scalers(with_keda, "HorizontalPodAutoscaler").keys() == plain.keys() - {"hubbub-worker"}
    before, keda = plain["hubbub-worker"], scalers(with_keda, "ScaledObject")["hubbub-worker"]
    assert keda["scaleTargetRef"] == before["scaleTargetRef"]
    assert (keda["minReplicaCount"], keda["maxReplicaCount"]) == (
        before["minReplicas"],
        before["maxReplicas"],
    )
    assert keda["advanced"]["horizontalPodAutoscalerConfig"]["behavior"] == before["behavior"]
    (metric,), (trigger,) = before["metrics"], keda["triggers"]
    external = metric["external"]
    labels = ",".join(
        f'{name}="{value}"' for name, value in external["metric"]["selector"]["matchLabels"].items()
    )
    assert trigger["metadata"]["query"] == f"max({external['metric']['name']}{{{labels}}})"
    assert trigger["metadata"]["threshold"] == external["target"]["averageValue"]
