"""A template as it would read in a real case, and which of its variables are empty there."""

from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import nodes

from processors.template_language import Faulty, parse
from processors.template_problems import GROUPS
from processors.templates import DEFAULT, Value, Variables, render
from schemas.configuration import Template


@dataclass(frozen=True, slots=True)
class Preview:
    """One language of a template. `empty` are the variables that have no value in the case."""

    language: str
    subject: str
    text: str
    empty: tuple[str, ...]


def variables_of(source: str) -> tuple[str, ...]:
    """Variables that a text names, in its order; nothing of a text that cannot be read."""
    try:
        parts = parse(source).find_all((nodes.Getattr, nodes.Getitem))
    except Faulty:
        return ()
    return tuple(dict.fromkeys(name for each in parts if (name := _name(each))))


def _name(node: nodes.Node) -> str:
    """`customer.tier`, or nothing."""
    if not isinstance(node, nodes.Getattr | nodes.Getitem) or not isinstance(node.node, nodes.Name):
        return ""
    part = node.attr if isinstance(node, nodes.Getattr) else getattr(node.arg, "value", "")
    return f"{node.node.name}.{part}" if node.node.name in GROUPS else ""


def preview(template: Template, language: str, variables: Variables) -> Preview:
    """The variant of this language alone. Raises Never for a template that the checks refuse."""
    subject, text = template.subject.get(language, ""), template.text.get(language, "")
    alone = Template(name=template.name, subject={DEFAULT: subject} if subject else {}, text={DEFAULT: text})
    said_subject, said_text = render(alone, DEFAULT, variables)
    names = dict.fromkeys((*variables_of(subject), *variables_of(text)))
    return Preview(
        language, said_subject, said_text, tuple(each for each in names if _is_empty(each, variables))
    )


def _is_empty(name: str, variables: Mapping[str, Mapping[str, Value]]) -> bool:
    group, _, part = name.partition(".")
    return variables.get(group, {}).get(part) in (None, "", (), [])
