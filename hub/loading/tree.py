"""A settings file as a tree whose every value knows where it was written."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

Scalar = str | int | float | bool | None
Part = str | int
STEP = re.compile(r"\[(\d+)\]|\.?([^.\[\]]+)")


@dataclass(slots=True)
class Node:
    """`line` and `column` are those of the key, or of the value where there is none; 0 for what no file holds."""

    value: "Scalar | dict[str, Node] | list[Node]"
    path: tuple[Part, ...] = ()
    line: int = 0
    column: int = 0
    variable: str = ""
    """The environment variable that it was taken from, instead of the file."""
    is_hidden: bool = False
    """It holds what came by a reference, which may be a secret."""
    gone: frozenset[str] = field(default=frozenset())
    """Names of items that were taken out of it because they are wrong."""

    def plain(self) -> Any:
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value

    def child(self, part: Part) -> "Node | None":
        if isinstance(self.value, dict) and isinstance(part, str):
            return self.value.get(part)
        if isinstance(self.value, list) and isinstance(part, int) and part < len(self.value):
            return self.value[part]
        return None

    def children(self) -> Iterator["Node"]:
        if isinstance(self.value, dict):
            yield from self.value.values()
        elif isinstance(self.value, list):
            yield from self.value

    def texts(self) -> Iterator["Node"]:
        """All text values below, in order."""
        if isinstance(self.value, str):
            yield self
        for child in self.children():
            yield from child.texts()


def find(root: Node, parts: Sequence[Part]) -> tuple[Node, tuple[Part, ...]]:
    """The node at a place or the nearest above it that is written, and the parts that are not."""
    node = root
    for index, part in enumerate(parts):
        child = node.child(part)
        if child is None:
            return node, tuple(parts[index:])
        node = child
    return node, ()


def spelled(parts: Sequence[Part]) -> str:
    """A place as people write it: `rules[2].when.field`."""
    text = ""
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def parts_of(path: str) -> tuple[Part, ...]:
    """The parts of a spelled place."""
    return tuple(int(index) if index else name for index, name in STEP.findall(path))


def without(root: Node, places: Sequence[tuple[Part, ...]]) -> Node:
    """The tree without the values at these places; what stays knows its place in the file as before."""
    return _without(root, [place for place in places if place])


def _without(node: Node, places: list[tuple[Part, ...]]) -> Node:
    if not places or not isinstance(node.value, dict | list):
        return node
    leaving = {place[0] for place in places if len(place) == 1}
    deeper: dict[Part, list[tuple[Part, ...]]] = {}
    for place in places:
        deeper.setdefault(place[0], []).append(place[1:])
    value: dict[str, Node] | list[Node]
    if isinstance(node.value, dict):
        kept = {key: child for key, child in node.value.items() if key not in leaving}
        value = {key: _without(child, deeper.get(key, [])) for key, child in kept.items()}
        return replace(node, value=value)
    items = list(enumerate(node.value))
    value = [_without(child, deeper.get(index, [])) for index, child in items if index not in leaving]
    names = {_name(child) for index, child in items if index in leaving}
    return replace(node, value=value, gone=node.gone | names)


def _name(node: Node) -> str:
    name = node.child("name")
    return str(name.value) if name is not None else ""


def gone(root: Node) -> frozenset[str]:
    """Names of all items that were taken out."""
    names = root.gone
    for child in root.children():
        names |= gone(child)
    return names - {""}
