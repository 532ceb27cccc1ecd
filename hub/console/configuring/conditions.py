"""A condition in a form: groups and clauses as fields with paths for names (`when.0.field`), and back to a condition.

Buttons of the form add and take away rows; the server makes the form anew, so that it works with the keyboard and without scripts.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from processors.condition_problems import LISTS
from processors.problems import joined
from schemas.conditions import (
    OPERATORS,
    All,
    AnyOf,
    Condition,
    FieldType,
    Not,
    Operator,
    field_type,
)

DEEPEST = 4
MOST_NODES = 200
LONGEST = 10_000
OPEN = {"form.": "form.…", "customer.": "customer.…"}
"""Prefix of fields that the company names -> how the choice of another one is written."""
PREFERRED: dict[FieldType, tuple[Operator, ...]] = {
    FieldType.TEXT: (
        Operator.CONTAINS, Operator.IS, Operator.IS_NOT, Operator.STARTS_WITH, Operator.ENDS_WITH, Operator.IN,
        Operator.MATCHES, Operator.EXISTS,
    ),
    FieldType.WORDS: (Operator.HAS_ANY, Operator.HAS_ALL, Operator.CONTAINS, Operator.EXISTS),
    FieldType.NUMBER: (Operator.AT_LEAST, Operator.AT_MOST, Operator.IS, Operator.IS_NOT, Operator.EXISTS),
    FieldType.BOOLEAN: (Operator.IS,),
}  # fmt: skip
"""The operators of a type, the first being the one that a new clause has."""
Fields = Mapping[str, object]
assert all(set(PREFERRED[each]) == OPERATORS[each] for each in FieldType)


@dataclass
class Node:
    """A clause (`field`, `operator`, `value`, all as typed) or a group (`all`, `any`) with its rows. `unless` turns it round."""

    kind: str = "clause"
    unless: bool = False
    field: str = "subject"
    other: str = ""
    operator: str = Operator.CONTAINS.value
    value: str = ""
    children: list["Node"] = dataclasses.field(default_factory=list)
    path: str = "when"

    @property
    def is_group(self) -> bool:
        return self.kind != "clause"

    @property
    def named(self) -> str:
        """The field that is meant, where it is one that the company names."""
        prefix = next((each for each, written in OPEN.items() if written == self.field), "")
        return f"{prefix}{self.other.strip()}" if prefix else self.field

    @property
    def type(self) -> FieldType:
        return field_type(self.named) or FieldType.TEXT

    @property
    def operators(self) -> tuple[Operator, ...]:
        return PREFERRED[self.type]

    @property
    def widget(self) -> str:
        """What the value is entered in: text, lines, number, yes (or no), there (or empty)."""
        if self.operator == Operator.EXISTS:
            return "there"
        if self.operator in LISTS:
            return "lines"
        return {FieldType.NUMBER: "number", FieldType.BOOLEAN: "yes"}.get(self.type, "text")


def node_of(condition: Condition | None) -> Node:
    """The root is always a group, so that there is a place for one more clause."""
    root = Node("all") if condition is None else _node(condition)
    if not root.is_group:
        root = Node("all", children=[root])
    return numbered(root)


def _node(condition: Condition) -> Node:
    if isinstance(condition, Not):
        inner = _node(condition.not_)
        inner.unless = not inner.unless
        return inner
    if isinstance(condition, All | AnyOf):
        children = condition.all if isinstance(condition, All) else condition.any
        return Node("all" if isinstance(condition, All) else "any", children=list(map(_node, children)))
    value = condition.value
    if isinstance(value, bool):
        written = "true" if value else "false"
    else:
        written = "\n".join(value) if isinstance(value, tuple) else str(value)
    return Node(field=condition.field, operator=condition.operator.value, value=written)


def read_node(form: Fields, path: str = "when") -> Node:
    """What the form says, within bounds; operators that do not fit their field any more give way."""
    left = [MOST_NODES]
    return numbered(_read(form, path, 0, left))


def _read(form: Fields, path: str, depth: int, left: list[int]) -> Node:
    kind = _text(form, f"{path}.kind")
    node = Node(kind if kind in {"all", "any"} else "clause", _text(form, f"{path}.unless") == "unless")
    if not node.is_group:
        node.field, node.other = _text(form, f"{path}.field") or "subject", _text(form, f"{path}.other")
        node.operator, node.value = _text(form, f"{path}.operator"), _text(form, f"{path}.value")
        return fitting(node)
    index = 0
    while f"{path}.{index}.kind" in form and left[0] > 0 and depth < DEEPEST:
        left[0] -= 1
        node.children.append(_read(form, f"{path}.{index}", depth + 1, left))
        index += 1
    return node


def fitting(node: Node) -> Node:
    """With an operator that its field has, and a value that its operator can have."""
    if node.operator not in set(map(str, node.operators)):
        node.operator = node.operators[0].value
    if node.widget in {"yes", "there"} and node.value not in {"true", "false"}:
        node.value = "true"
    return node


def _text(form: Fields, name: str) -> str:
    return str(form.get(name, "")).replace("\r\n", "\n")[:LONGEST]


def numbered(node: Node, path: str = "when") -> Node:
    node.path = path
    for index, child in enumerate(node.children):
        numbered(child, f"{path}.{index}")
    return node


def found(root: Node, path: str) -> tuple[Node | None, Node | None]:
    """The node at a path, and the group that it is in."""
    parent, node = None, root
    start, *parts = path.split(".")
    if start != root.path:
        return None, None
    for part in parts:
        if not part.isdecimal() or int(part) >= len(node.children):
            return None, None
        parent, node = node, node.children[int(part)]
    return node, parent


def act(root: Node, do: str) -> str:
    """Do what a button says: `add:PATH`, `group:PATH`, `remove:PATH`. Returns the path of what is looked at next: what is new, or what the removed one was part of."""
    what, _, path = do.partition(":")
    node, parent = found(root, path)
    made = ""
    if node is not None and what in {"add", "group"} and node.is_group and path.count(".") < DEEPEST:
        other = "any" if node.kind == "all" else "all"
        node.children.append(Node() if what == "add" else Node(other, children=[Node()]))
        made = f"{path}.{len(node.children) - 1}"
    elif node is not None and what == "remove" and parent is not None:
        parent.children.remove(node)
        made = parent.path
    numbered(root)
    return made


def written(node: Node, place: str, places: dict[str, str]) -> dict[str, object]:
    """The condition as data. `places` learns which field of the form shows what stands at each place of it."""
    places[place] = node.path
    if node.unless:
        plain = Node(
            node.kind, False, node.field, node.other, node.operator, node.value, node.children, node.path
        )
        return {"not": written(plain, joined(place, "not"), places)}
    if node.is_group:
        return {
            node.kind: [
                written(child, joined(place, f"{node.kind}[{index}]"), places)
                for index, child in enumerate(node.children)
            ]
        }
    for part in ("field", "operator", "value"):
        places[joined(place, part)] = f"{node.path}.{part}"
    return {"field": node.named, "operator": node.operator, "value": _value(node)}


def root_written(root: Node, places: dict[str, str]) -> dict[str, object] | None:
    """As `written`; a single row stands for itself, and no row at all is no condition."""
    if not root.children:
        places["when"] = root.path
        return None
    only = root.children[0]
    if len(root.children) == 1 and not root.unless:
        return written(only, "when", places)
    return written(root, "when", places)


def _value(node: Node) -> object:
    if node.widget in {"yes", "there"}:
        return node.value == "true"
    if node.widget == "lines":
        return [each.strip() for each in node.value.split("\n") if each.strip()]
    if node.widget == "number":
        return _number(node.value.strip())
    return node.value


def _number(text: str) -> object:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
