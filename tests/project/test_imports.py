"""What the code imports and what pyproject.toml declares are the same."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.paths import ROOT

PACKAGES = ("schemas", "connectors", "processors", "sinks", "hub", "deploy")
IMPORTED_BY_OTHERS = {
    "httptools": "uvicorn's parser of HTTP",
    "python-multipart": "fastapi's parser of forms",
    "tzdata": "zoneinfo's data, where the system has none",
    "uvloop": "uvicorn's event loop",
}
PINNED_BY_ANOTHER = {"pydantic-core": "pydantic asks for exactly one version of it"}


def imported_names(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@cache
def imported_distributions() -> dict[str, str]:
    """Distribution → a file that imports it."""
    distributions = packages_distributions()
    known = {*sys.stdlib_module_names, *PACKAGES, "tests"}
    found: dict[str, str] = {}
    for file in (path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        for name in {each.partition(".")[0] for each in imported_names(file)} - known:
            # A namespace (flufl) has several distributions; which one is meant does not matter here.
            for distribution in distributions.get(name, [name]):
                found[canonicalize_name(distribution)] = str(file.relative_to(ROOT))
    return found


def declared() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return {canonicalize_name(Requirement(each).name) for each in project["dependencies"]}


def test_what_is_imported_is_declared() -> None:
    allowed = declared() | set(PINNED_BY_ANOTHER)
    undeclared = {name: file for name, file in imported_distributions().items() if name not in allowed}
    assert not undeclared, "add these to dependencies in pyproject.toml, then make lock"


def test_what_is_declared_is_imported() -> None:
    unused = declared() - set(imported_distributions()) - set(IMPORTED_BY_OTHERS)
    assert not unused, "remove these from dependencies in pyproject.toml, then make lock"
