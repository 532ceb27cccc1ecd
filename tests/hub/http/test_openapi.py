"""The OpenAPI document says what is true, and nothing that fits or does not fit it makes the hub fail."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from hub.http.openapi import openapi_json
from schemas.accounts import Role
from tests.hub.http.company import House, house
from tests.hub.http.serving import served
from tests.hub.http.walking import routes

STREAMS = {"/api/v1/events/stream", "/api/v1/cases/stream"}
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]

schemathesis.serializer.alias("message/rfc822", "application/octet-stream")


def test_every_operation_is_described(home: House) -> None:
    document = home.app.openapi()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert set(operation["tags"]) <= {each["name"] for each in document["tags"]}, where
            success = [status for status in operation["responses"] if status.startswith(("2", "3"))]
            assert success, where
            if path.startswith("/api/"):
                names = {each["name"] for each in operation.get("parameters", ())}
                assert ("Idempotency-Key" in names) == (method in {"post", "put", "patch", "delete"}), where
                assert operation["responses"]["401"]["content"].keys() == {"application/problem+json"}, where


def test_every_route_is_in_the_document(home: House) -> None:
    documented = set(home.app.openapi()["paths"])
    assert {path for _, path in routes(home.app)} - documented == {"/api/v1/openapi.json"}


def test_examples_in_the_document_fit_their_schemas(home: House) -> None:
    document = home.app.openapi()
    for name, schema in document["components"]["schemas"].items():
        for example in [schema[each] for each in ("example",) if each in schema]:
            validator = jsonschema_rs.validator_for({**schema, "components": document["components"]})
            assert validator.is_valid(example), name


def test_the_document_is_written_the_same_each_time(home: House) -> None:
    assert openapi_json(home.app) == openapi_json(home.app)
    assert openapi_json(home.app).endswith("}\n")


def fuzz(document: dict[str, Any], address: str, headers: dict[str, str], examples: int) -> list[str]:
    """Call every operation with what fits it and what does not; what was done to it, when it failed."""
    tried = []
    schema = schemathesis.openapi.from_dict(document)
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        if operation.path in STREAMS:
            continue
        tried.append(operation.label)
        for mode in schemathesis.GenerationMode:

            @given(case=operation.as_strategy(generation_mode=mode))
            @settings(
                max_examples=examples,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
                deadline=None,
                database=None,
                derandomize=True,
            )
            def call(case: Case[Any]) -> None:
                response = case.call(base_url=address, headers=headers, timeout=10)
                case.validate_response(response, checks=CHECKS)

            with contextlib.suppress(Unsatisfiable):  # nothing could be wrong about it: it takes nothing
                call()
    return tried


async def attack(folder: Path, examples: int) -> list[str]:
    async with house(folder) as home:
        await home.case("ann")
        key = await home.key({"*": Role.ADMIN})
        async with served(home.app) as address:
            headers = {"Authorization": f"Bearer {key}"}
            return await asyncio.to_thread(fuzz, home.app.openapi(), address, headers, examples)


@pytest.mark.timeout(120)
async def test_a_few_requests_to_each_operation_find_no_fault(tmp_path: Path) -> None:
    tried = await attack(tmp_path / "data", examples=1)
    assert len(tried) > 60


@pytest.mark.slow
@pytest.mark.timeout(1200)
async def test_many_requests_to_each_operation_find_no_fault(tmp_path: Path) -> None:
    tried = await attack(tmp_path / "data", examples=40)
    assert len(tried) > 60
