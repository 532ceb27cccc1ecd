"""What the code imports and what pyproject.toml declares are the same."""

import ast
import subprocess
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
    "pytest-asyncio": "pytest's runner of coroutines, for the contract of connectors",
    "python-multipart": "fastapi's parser of forms",
    "tzdata": "zoneinfo's data, where the system has none",
    "uvloop": "uvicorn's event loop",
}
EXTRAS = ("distributed", "s3", "contract")
"""What is installed by who asks for it, and imported by who needs it."""
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
    return _names("project", "dependencies")


def extra() -> set[str]:
    return {name for each in EXTRAS for name in _names("project", "optional-dependencies", each)}


def _names(*path: str) -> set[str]:
    found = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    for each in path:
        found = found[each]
    return {canonicalize_name(Requirement(each).name) for each in found}


def test_what_is_imported_is_declared() -> None:
    allowed = declared() | extra() | set(PINNED_BY_ANOTHER)
    undeclared = {name: file for name, file in imported_distributions().items() if name not in allowed}
    assert not undeclared, "add these to dependencies in pyproject.toml, then make lock"


def test_what_is_declared_is_imported() -> None:
    unused = (declared() | extra()) - set(imported_distributions()) - set(IMPORTED_BY_OTHERS)
    assert not unused, "remove these from dependencies in pyproject.toml, then make lock"


def test_a_hub_without_extras_imports_none_of_them() -> None:
    modules = {
        module
        for module, distributions in packages_distributions().items()
        if {canonicalize_name(each) for each in distributions} & extra()
    }
    code = f"import sys, hub.cli, hub.up; print(*sorted(set(sys.modules) & {modules!r}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
