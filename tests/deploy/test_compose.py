"""Compose: valid by Compose's own library, hardened, and what it refers to is there."""

import json
from typing import Any

import pytest
import yaml

from tests.deploy.tools import DEPLOY, said
from tests.support.process import HUBBUB

FOLDER = DEPLOY / "compose"
FILE = FOLDER / "compose.yaml"
OURS = {"topics", "api", "connectors", "worker"}


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    """With anchors and merges resolved."""
    document: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return document


@pytest.mark.server("compose")
def test_the_compose_specifications_own_library_takes_it() -> None:
    found = json.loads(said("compose", "-no-interpolation", "-format", "json", FILE))
    assert set(found["services"]) >= OURS | {"kafka", "mongodb", "mail", "prometheus", "grafana"}


def test_what_a_service_refers_to_is_there(project: dict[str, Any]) -> None:
    for name, service in project["services"].items():
        assert set(service.get("depends_on", ())) <= set(project["services"]), name
        assert set(service["networks"]) <= set(project["networks"]), name
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (FOLDER / source).resolve().exists(), source
            else:
                assert source in project["volumes"], source


def test_each_process_of_ours_has_no_rights_and_a_root_that_it_cannot_write(project: dict[str, Any]) -> None:
    for name in OURS:
        service = project["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["user"] == "10001:10001"
        assert "no-new-privileges:true" in service["security_opt"]


def test_nothing_is_reached_from_outside_this_machine(project: dict[str, Any]) -> None:
    ports = [port for service in project["services"].values() for port in service.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert "ports" not in project["services"]["mongodb"] | project["services"]["kafka"]


def test_images_of_others_name_a_version(project: dict[str, Any]) -> None:
    for name, service in project["services"].items():
        image = service["image"]
        assert name in OURS or (image.startswith("docker.io/") and ":" in image), image
        assert not image.endswith(":latest")


def test_passwords_come_from_outside(project: dict[str, Any]) -> None:
    example = (FOLDER / "env.example").read_text(encoding="utf-8")
    told = {
        value
        for service in project["services"].values()
        for name, value in (service.get("environment") or {}).items()
        if "PASSWORD" in name
    }
    assert told
    for value in told:
        assert value.startswith("${")
        assert f"{value[2:].partition(':')[0]}=\n" in example


@pytest.mark.parametrize(
    ("settings", "variables"),
    [
        ("compose/hubbub.yaml", {"HUBBUB_MONGODB__USER": "hubbub", "HUBBUB_MONGODB__PASSWORD": "x"}),
        ("kubernetes/base/hubbub.yaml", {"HUBBUB_WORKERS__NAME": "worker-0"}),
        (
            "kubernetes/overlays/production/hubbub.yaml",
            {"KAFKA_PASSWORD": "x", "MONGODB_PASSWORD": "x", "RELAY_PASSWORD": "x"},
        ),
    ],
)
async def test_the_hub_takes_its_settings(settings: str, variables: dict[str, str]) -> None:
    from tests.deploy.test_container import environment
    from tests.support.process import running

    of_image = {name: each for name, each in environment().items() if name.startswith("HUBBUB_")}
    command = (HUBBUB, "check", "--config", str(DEPLOY / settings))
    async with running(*command, environment={**of_image, **variables}) as check:
        assert await check.process.wait() == 0, check.lines
