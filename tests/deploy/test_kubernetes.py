"""Kubernetes: what Kustomize makes is valid by the schemas of Kubernetes, hardened, and fits together."""

from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # ships no types
import pytest
import yaml

from tests.deploy.tools import DEPLOY, said

FOLDER = DEPLOY / "kubernetes"
VERSIONS = ("1.31", "1.37")
PLACES = ("base", "overlays/production")
pytestmark = pytest.mark.server("kustomize")

Manifest = dict[str, Any]


@pytest.fixture(scope="module", params=PLACES)
def manifests(request: pytest.FixtureRequest) -> list[Manifest]:
    made = said("kustomize", "build", FOLDER / str(request.param))
    return [each for each in yaml.safe_load_all(made) if each]


def of_kind(manifests: list[Manifest], *kinds: str) -> list[Manifest]:
    return [each for each in manifests if each["kind"] in kinds]


def workload(manifests: list[Manifest], name: str) -> Manifest:
    (found,) = [each for each in of_kind(manifests, "StatefulSet") if each["metadata"]["name"] == name]
    return found


def pods(manifests: list[Manifest]) -> dict[str, Manifest]:
    """The pod template of each workload, by the workload's name."""
    found = of_kind(manifests, "Deployment", "StatefulSet", "Job")
    return {each["metadata"]["name"]: each["spec"]["template"] for each in found}


@pytest.mark.parametrize("version", VERSIONS)
def test_each_manifest_is_valid_by_the_schemas_of_kubernetes(manifests: list[Manifest], version: str) -> None:
    assert len(manifests) > 15
    for manifest in manifests:
        kubernetes_validate.validate(manifest, version, strict=True)


def test_each_pod_is_as_the_restricted_standard_asks(manifests: list[Manifest]) -> None:
    for name, template in pods(manifests).items():
        spec = template["spec"]
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["enableServiceLinks"] is False, "HUBBUB_API_SERVICE_HOST would be taken for a setting"
        (container,) = spec["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]


def test_each_role_is_asked_how_it_is_and_may_be_disturbed_one_by_one(manifests: list[Manifest]) -> None:
    budgets = {
        each["spec"]["selector"]["matchLabels"]["app.kubernetes.io/component"]: each["spec"]
        for each in of_kind(manifests, "PodDisruptionBudget")
    }
    for role in ("api", "connectors", "worker"):
        (container,) = pods(manifests)[f"hubbub-{role}"]["spec"]["containers"]
        ports = {each["name"] for each in container["ports"]}
        for probe, path in {
            "startupProbe": "live",
            "livenessProbe": "live",
            "readinessProbe": "ready",
        }.items():
            assert container[probe]["httpGet"]["path"] == f"/health/{path}"
            assert container[probe]["httpGet"]["port"] in ports
        assert budgets[role]["maxUnavailable"] == 1


def test_a_worker_keeps_its_name_and_more_come_with_lag(manifests: list[Manifest]) -> None:
    worker = workload(manifests, "hubbub-worker")
    (container,) = worker["spec"]["template"]["spec"]["containers"]
    name = next(each for each in container["env"] if each["name"] == "HUBBUB_WORKERS__NAME")
    assert name["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}
    assert "replicas" not in worker["spec"], "the autoscaler's, which an apply would undo"
    scalers = {
        each["spec"]["scaleTargetRef"]["name"]: each["spec"]
        for each in of_kind(manifests, "HorizontalPodAutoscaler")
    }
    (metric,) = scalers["hubbub-worker"]["metrics"]
    assert metric["external"]["metric"]["name"] == "hubbub_consumer_lag_events"


def test_each_connector_keeps_its_spool_on_a_volume_of_its_own(manifests: list[Manifest]) -> None:
    spec = workload(manifests, "hubbub-connectors")["spec"]
    (claim,) = spec["volumeClaimTemplates"]
    (container,) = spec["template"]["spec"]["containers"]
    mounted = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
    (settings,) = of_kind(manifests, "ConfigMap")
    spool = yaml.safe_load(settings["data"]["hubbub.yaml"])["spool"]
    assert mounted[str(Path(spool["folder"]).parent)] == claim["metadata"]["name"]
    assert (
        spool["max_bytes"] < 5 * 2**30 == int(claim["spec"]["resources"]["requests"]["storage"][:-2]) * 2**30
    )


def test_selectors_and_names_find_what_they_mean(manifests: list[Manifest]) -> None:
    labels = {name: template["metadata"]["labels"] for name, template in pods(manifests).items()}
    for each in of_kind(manifests, "Service", "PodDisruptionBudget", "NetworkPolicy"):
        spec = each["spec"]
        wanted = spec.get("podSelector") or spec["selector"]
        wanted = wanted.get("matchLabels", wanted)
        assert any(wanted.items() <= have.items() for have in labels.values()), each["metadata"]["name"]
    services = {each["metadata"]["name"]: each["spec"] for each in of_kind(manifests, "Service")}
    for name, spec in services.items():
        (container,) = pods(manifests)[name]["spec"]["containers"]
        have = {each["name"]: each["containerPort"] for each in container["ports"]}
        assert all(have[port["targetPort"]] == port["port"] for port in spec["ports"])
    for each in of_kind(manifests, "Ingress"):
        for rule in each["spec"]["rules"]:
            backend = rule["http"]["paths"][0]["backend"]["service"]
            assert backend["port"]["name"] in {port["name"] for port in services[backend["name"]]["ports"]}
    names = {each["metadata"]["name"] for each in of_kind(manifests, "ConfigMap")}
    for template in pods(manifests).values():
        mounted = {each["configMap"]["name"] for each in template["spec"]["volumes"] if "configMap" in each}
        assert mounted <= names


def test_no_secret_is_in_the_files() -> None:
    assert not [path for path in FOLDER.rglob("*.yaml") if "kind: Secret" in Path(path).read_text("utf-8")]
