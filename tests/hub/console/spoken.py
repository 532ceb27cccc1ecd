"""What the code says to people below the console, read from its source: templates and plain texts of refusals and problems."""

import ast
import re
from collections.abc import Iterator, Sequence
from functools import cache

from tests.support.paths import ROOT

LAYERS = ("schemas", "processors", "hub", "sinks", "connectors")
REFUSALS = {"Refused", "Unknown", "Forbidden", "Stale", "Invalid", "Problem", "Faulty"}
VALIDATOR = ("ValueError", "schemas/configuration.py")
"""What a model says of itself reaches the forms by Pydantic."""
ELSEWHERE = (
    "hub/alone.py",
    "hub/catching_up",
    "hub/cli",
    "hub/accounts/keys.py",
    "hub/crashing.py",
    "hub/engines.py",
    "hub/growing.py",
    "hub/ingesting.py",
    "hub/leases.py",
    "hub/listening.py",
    "hub/loading",
    "hub/moving",
    "hub/openid",
    "hub/processing.py",
    "hub/rebuilding",
    "hub/reparsing.py",
    "hub/roles.py",
    "hub/secrets.py",
    "hub/settings.py",
    "hub/sharing.py",
    "hub/up.py",
    "hub/verify",
    "hub/worker",
    "sinks",
    "connectors",
)
"""Says its refusals to operators on the command line, or to programs: no page shows them."""
ONLY_PROGRAMS = tuple(
    f"hub/http/{name}.py"
    for name in (
        "cases",
        "commanding",
        "connectors",
        "cursors",
        "letters",
        "operations",
        "requests",
        "trying",
    )
)
"""Refusals of requests that only programs make."""
SAYS = re.compile(rf"\b(said|ValueError|{'|'.join(sorted(REFUSALS))})\(")
JOINED = re.compile(r"""["']\s*\n\s*f?["']""")


def sources(*layers: str) -> Iterator[tuple[str, str]]:
    for layer in layers:
        for path in sorted((ROOT / layer).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text("utf-8")


@cache
def sentences() -> frozenset[str]:
    """Every template that is said, and every plain text of a refusal or a problem that a page may show."""
    found: set[str] = set()
    for path, source in sources(*LAYERS):
        if not SAYS.search(source):
            continue
        shown = not path.startswith((*ELSEWHERE, *ONLY_PROGRAMS))
        says = path != "hub/accounts/keys.py"
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                if node.func.id == "said" and says:
                    found |= set(_texts(node.args[:1]))
                elif shown and (node.func.id in REFUSALS or (node.func.id, path) == VALIDATOR):
                    found |= set(_texts(node.args[1:] if node.func.id == "Problem" else node.args))
    return frozenset(found)


def _texts(nodes: Sequence[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
            yield node.value
        elif isinstance(node, ast.Dict):
            yield from _texts(node.values)
        elif isinstance(node, ast.IfExp):
            yield from _texts((node.body, node.orelse))
        elif isinstance(node, ast.DictComp):
            yield from _texts((node.value,))
        elif isinstance(node, ast.List | ast.Tuple):
            yield from _texts(node.elts)
        elif isinstance(node, ast.BoolOp):
            yield from _texts(node.values)


def loose() -> set[str]:
    """f-strings that are refusals or problems: they forget what they were made of."""
    found: set[str] = set()
    for path, source in sources(*LAYERS):
        if path.startswith((*ELSEWHERE, *ONLY_PROGRAMS)) or not SAYS.search(source):
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REFUSALS:
                shown = node.args[1:] if node.func.id == "Problem" else node.args
                parts = [
                    part for each in shown for part in (each.values if isinstance(each, ast.Dict) else [each])
                ]
                found |= {f"{path}: {ast.unparse(part)}" for part in parts if isinstance(part, ast.JoinedStr)}
    return found


@cache
def everything() -> str:
    """The source of all layers, with texts that are written over several lines in one piece."""
    return JOINED.sub("", "\n".join(source for _, source in sources(*LAYERS)))
