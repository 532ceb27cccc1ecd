"""Environment variables that stand over the file: `HUBBUB_CONSOLE__PORT=9000` is `console: {port: 9000}`.

The parts of a place are joined by two underscores, in capitals; an index is a number (`HUBBUB_EMAIL__ACCOUNTS__0__ADDRESS`).
A value is text as it stands. Where a list or several keys are expected it is YAML: `[10.0.0.0/8]`; `null` is none.
"""

from collections.abc import Mapping
from difflib import get_close_matches

import yaml
from pydantic import BaseModel

from hub.loading import shapes
from hub.loading.problems import Located, SettingsInvalid
from hub.loading.reading import read_tree
from hub.loading.tree import Node, Part

PREFIX = "HUBBUB_"
SEPARATOR = "__"
OTHER_VARIABLES = frozenset({"HUBBUB_CONFIG", "HUBBUB_DEBUG", "HUBBUB_CRASH_AT", "HUBBUB_TESTING"})
"""Variables that are no settings: the command's own options, and what tests of crashes set (hub.crashing)."""

NEAR = 0.8


class Overrides:
    """Puts the variables into the tree, in the order of their names, and gathers what is wrong."""

    def __init__(self, model: type[BaseModel], environment: Mapping[str, str]) -> None:
        self._model = model
        self._environment = environment
        self.problems: list[Located] = []

    def apply(self, root: Node) -> None:
        for name in sorted(self._environment):
            if (
                name.startswith(PREFIX)
                and name not in OTHER_VARIABLES
                and not name.startswith("HUBBUB_COMPLETE")
            ):
                self._apply(root, name, self._environment[name])

    def _apply(self, root: Node, variable: str, text: str) -> None:
        words = [word.lower() for word in variable.removeprefix(PREFIX).split(SEPARATOR)]
        parts = self._parts(root, variable, words)
        if parts is None:
            return
        node = root
        for depth, part in enumerate(parts[:-1]):
            node = _entered(node, part, parts[: depth + 1], parts[depth + 1], variable)
        value = self._value(parts, variable, text)
        if value is not None:
            _put(node, parts[-1], value)

    def _parts(self, root: Node, variable: str, words: list[str]) -> tuple[Part, ...] | None:
        """The place that a variable names; None when there is none, and then it is a problem."""
        parts: tuple[Part, ...] = ()
        for index, word in enumerate(words):
            known = shapes.known_keys(self._model, parts, root.plain())
            if word.isdecimal() and not known:
                parts = (*parts, int(word))
                continue
            if known and word not in known:
                self._unknown(variable, words, index, known)
                return None
            if not known and not shapes.at(self._model, (*parts, word)):
                self._unknown(variable, words, index, [])
                return None
            parts = (*parts, word)
        if not shapes.at(self._model, parts):
            self._unknown(variable, words, len(words) - 1, [])
            return None
        return parts

    def _unknown(self, variable: str, words: list[str], index: int, known: list[str]) -> None:
        is_alone = len(words) == 1
        close = get_close_matches(words[index], known, n=1, cutoff=NEAR if is_alone else 0.5)
        if is_alone and not close:
            return  # somebody else's variable: only what looks like a setting of ours is judged
        message = "names no setting"
        if close:
            meant = [*words[:index], close[0], *words[index + 1 :]]
            message += f"; did you mean {PREFIX}{SEPARATOR.join(meant).upper()}?"
        elif known:
            message += f"; after {SEPARATOR.join([PREFIX.rstrip('_'), *words[:index]]).upper()} may stand: {', '.join(known).upper()}"
        self.problems.append(Located(variable, 0, 0, "", message))

    def _value(self, parts: tuple[Part, ...], variable: str, text: str) -> Node | None:
        if text == "null" and shapes.allows_none(self._model, parts):
            return Node(None, parts, variable=variable)
        if not shapes.is_container(self._model, parts):
            return Node(text, parts, variable=variable)
        try:
            node, problems = read_tree(text.encode(), variable)
        except (SettingsInvalid, yaml.YAMLError):
            self.problems.append(Located(variable, 0, 0, "", "is no YAML; write a list as [a, b]"))
            return None
        self.problems += problems
        return _moved(node, parts, variable)


def _entered(node: Node, part: Part, path: tuple[Part, ...], following: Part, variable: str) -> Node:
    """The child to go on in, made where there is none."""
    child = node.child(part)
    if child is None or not isinstance(child.value, dict | list):
        child = Node([] if isinstance(following, int) else {}, path, variable=variable)
        _put(node, part, child)
    return child


def _put(node: Node, part: Part, child: Node) -> None:
    if isinstance(node.value, dict) and isinstance(part, str):
        node.value[part] = child
    elif isinstance(node.value, list) and isinstance(part, int):
        if part < len(node.value):
            node.value[part] = child
        else:
            node.value.append(child)


def _moved(node: Node, path: tuple[Part, ...], variable: str) -> Node:
    """The same values at another place."""
    if isinstance(node.value, dict):
        return Node(
            {key: _moved(child, (*path, key), variable) for key, child in node.value.items()},
            path,
            variable=variable,
        )
    if isinstance(node.value, list):
        return Node(
            [_moved(child, (*path, index), variable) for index, child in enumerate(node.value)],
            path,
            variable=variable,
        )
    return Node(node.value, path, variable=variable)
