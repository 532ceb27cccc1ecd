"""What is wrong with a template, with the line, found before it is published."""

import traceback
from typing import Any

from jinja2 import StrictUndefined, TemplateError, meta, nodes

from processors.problems import Problem, joined, nearest
from processors.template_language import Faulty, TooLong, bounded_output, compiled, environment, parse
from processors.templates import DEFAULT, VARIABLES
from schemas.configuration import Template
from schemas.sentences import Sentence, said

STRICT = environment(StrictUndefined)
LOOP = ("index", "index0", "first", "last", "length", "revindex")
SAMPLE = "Sample"


def _groups() -> dict[str, set[str]]:
    groups: dict[str, set[str]] = {}
    for name in VARIABLES:
        group, _, part = name.partition(".")
        groups.setdefault(group, set()).add(part)
    return groups


GROUPS = _groups()
OPEN = {group for group, names in GROUPS.items() if "X" in names}


class Sample(dict[str, Any]):
    """Stands for a group of variables while a template is tried; an open group has whatever is asked for."""

    def __init__(self, group: str) -> None:
        super().__init__({name: [SAMPLE] if name == "tags" else SAMPLE for name in GROUPS[group] - {"X"}})
        self.is_open = group in OPEN

    def __contains__(self, name: object) -> bool:
        return self.is_open or super().__contains__(name)

    def __missing__(self, name: str) -> str:
        return SAMPLE


def problems(template: Template, path: str = "") -> list[Problem]:
    """Syntax, what the language does not have, unknown variables, a failing trial, and a missing `default`."""
    found: list[Problem] = []
    if DEFAULT not in template.text:
        found.append(
            Problem(
                joined(path, "text"),
                said("has no {name!r}; it is taken where no language fits", name=DEFAULT),
            )
        )
    if template.subject and DEFAULT not in template.subject:
        found.append(
            Problem(
                joined(path, "subject"),
                said("has no {name!r}; it is taken where no language fits", name=DEFAULT),
            )
        )
    for kind, texts in (("subject", template.subject), ("text", template.text)):
        for language, source in texts.items():
            place = joined(path, f"{kind}.{language}")
            if not source.strip():
                found.append(Problem(place, "is empty"))
            found += [
                Problem(place, said("line {line}: {message}", line=line, message=message))
                for line, message in source_faults(source)
            ]
    return found


def source_faults(source: str) -> list[tuple[int, str]]:
    """(line, what to change)."""
    try:
        parse(source)
        return _unknown(STRICT.parse(source), frozenset()) or _trial(source)
    except Faulty as error:
        return list(error.faults)


def signature_faults(source: str) -> list[tuple[int, str]]:
    """(line, what to change) of a signature, which knows of a case no more than who answers and for which brand."""
    faults = source_faults(source)
    if not faults and (others := meta.find_undeclared_variables(STRICT.parse(source)) - {"agent", "brand"}):
        faults = [
            (1, said("a signature cannot name {name}; it has agent.name and brand.title", name=min(others)))
        ]
    return faults


def _trial(source: str) -> list[tuple[int, str]]:
    try:
        bounded_output(compiled(source, STRICT), {group: Sample(group) for group in GROUPS})
    except (TemplateError, TypeError, ValueError) as error:
        lines = [
            frame.lineno
            for frame in traceback.extract_tb(error.__traceback__)
            if frame.filename == "<template>"
        ]
        return [
            (
                lines[-1] or 1 if lines else 1,
                said("fails: {reason}", reason=error.args[0] if isinstance(error, TooLong) else str(error)),
            )
        ]
    return []


def _unknown(node: nodes.Node, bound: frozenset[str]) -> list[tuple[int, str]]:
    """Names that lead nowhere. `bound` are the names of the loop around."""
    if isinstance(node, nodes.Getattr | nodes.Getitem):
        return _unknown_part(node, bound)
    if isinstance(node, nodes.Name):
        return _unknown_name(node, bound)
    if isinstance(node, nodes.For):
        names = {each.name for each in node.target.find_all(nodes.Name)}
        names |= {node.target.name} if isinstance(node.target, nodes.Name) else set()
        inside = bound | names | {"loop"}
        found = _unknown(node.iter, bound)
        for child in (*node.body, *([node.test] if node.test else []), *node.else_):
            found += _unknown(child, inside)
        return found
    return [fault for child in node.iter_child_nodes() for fault in _unknown(child, bound)]


def _unknown_name(node: nodes.Name, bound: frozenset[str]) -> list[tuple[int, str]]:
    if node.name in bound:
        return []
    if node.name in GROUPS:
        examples = ", ".join(name for name in VARIABLES if name.startswith(f"{node.name}."))
        return [
            (
                node.lineno,
                said("{name!r} alone is no variable; there are {names}", name=node.name, names=examples),
            )
        ]
    dotted = node.name.replace("_", ".", 1)
    return [
        (
            node.lineno,
            said("there is no variable {name!r}{meant}", name=node.name, meant=nearest(dotted, VARIABLES)),
        )
    ]


def _no_variable(name: str) -> Sentence:
    return said("there is no variable {name!r}{meant}", name=name, meant=nearest(name, VARIABLES))


def _unknown_part(node: nodes.Getattr | nodes.Getitem, bound: frozenset[str]) -> list[tuple[int, str]]:
    part = node.attr if isinstance(node, nodes.Getattr) else getattr(node.arg, "value", "")
    if not isinstance(node.node, nodes.Name):
        return [
            (node.lineno, said("{part!r}: a variable has no parts of its own", part=part)),
            *_unknown(node.node, bound),
        ]
    group = node.node.name
    if group == "loop" and group in bound:
        return (
            []
            if part in LOOP
            else [(node.lineno, said("there is no loop.{part}{meant}", part=part, meant=nearest(part, LOOP)))]
        )
    if group in bound:
        return [(node.lineno, said("{group!r} is a text and has no parts", group=group))]
    if group not in GROUPS:
        return [(node.lineno, _no_variable(f"{group}.{part}"))]
    if part in GROUPS[group] - {"X"} or group in OPEN:
        return []
    return [(node.lineno, _no_variable(f"{group}.{part}"))]
