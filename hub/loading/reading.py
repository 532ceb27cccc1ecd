"""Reads YAML into a tree of plain values: YAML 1.2's own words (`on`, `no` and 18:30 are text), no tags, within limits.

Limits are for size, depth, and values after aliases are followed (a small file can name more than fits in memory).
"""

import re
from pathlib import Path

import yaml
from yaml.nodes import MappingNode, ScalarNode, SequenceNode

from hub.loading.problems import Located, SettingsInvalid
from hub.loading.tree import Node, Part, Scalar, spelled

BYTES_AT_MOST = 2 * 2**20
DEPTH_AT_MOST = 40
VALUES_AT_MOST = 100_000
PROBLEMS_AT_MOST = 200

# The core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/, 10.3.2), for what is written without quotes.
NULL = re.compile(r"null|Null|NULL|~|")
BOOLEAN = re.compile(r"true|True|TRUE|false|False|FALSE")
INTEGER = re.compile(r"[-+]?[0-9]{1,30}|0o[0-7]{1,30}|0x[0-9a-fA-F]{1,30}")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")
KNOWN_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map"))


class Loader(yaml.SafeLoader):
    """Without the resolvers of YAML 1.1: a scalar without a tag stays text until we read it."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  PyYAML's own shape


def read_bytes(path: Path) -> bytes:
    """The bytes of a settings file. Raises SettingsInvalid when there are none or too many."""
    try:
        with path.open("rb") as file:
            content = file.read(BYTES_AT_MOST + 1)
    except FileNotFoundError:
        message = "there is no such file; `hubbub init` writes one, `--config` names another"
        raise SettingsInvalid([Located(str(path), 0, 0, "", message)]) from None
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        raise SettingsInvalid([Located(str(path), 0, 0, "", message)]) from error
    if len(content) > BYTES_AT_MOST:
        message = f"is larger than {BYTES_AT_MOST // 2**20} MiB; settings are not that large"
        raise SettingsInvalid([Located(str(path), 0, 0, "", message)])
    return content


def read_tree(content: bytes, file: str) -> tuple[Node, list[Located]]:
    """The tree and what is wrong with it as YAML (doubled keys, odd keys). Raises SettingsInvalid when it is no YAML."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SettingsInvalid([Located(file, line, 1, "", "is not UTF-8; save it as UTF-8")]) from None
    try:
        _check_depth(text, file)
        document = yaml.compose(text, Loader)
    except yaml.MarkedYAMLError as error:
        raise SettingsInvalid([_syntax(error, file)]) from None
    except yaml.YAMLError as error:
        place = text[: getattr(error, "position", 0) or 0]
        line = place.count("\n") + 1
        message = "holds a character that YAML does not allow (a control character); remove it"
        raise SettingsInvalid([Located(file, line, 1, "", message)]) from error
    if document is None:
        return Node({}, line=1, column=1), []
    growing = Growing(file)
    root = growing.node(document, (), 1, 1)
    return root, growing.problems


def _check_depth(text: str, file: str) -> None:
    """Before anything recurses into it."""
    depth = 0
    for event in yaml.parse(text, Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEPTH_AT_MOST:
                line = event.start_mark.line + 1 if event.start_mark else 0
                message = f"nests deeper than {DEPTH_AT_MOST} levels"
                raise SettingsInvalid([Located(file, line, 1, "", message)])
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _syntax(error: yaml.MarkedYAMLError, file: str) -> Located:
    """Without PyYAML's excerpt of the file, which may hold a secret."""
    mark = error.problem_mark or error.context_mark
    said = " ".join(each for each in (error.context, error.problem) if each)
    if "found character '\\t'" in said:
        said += "; indent with spaces, not tabs"
    if "mapping values are not allowed" in said:
        said += "; put text that holds ': ' in quotes, or check the indentation"
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (0, 0)
    return Located(file, line, column, "", f"is not YAML: {said}")


class Growing:
    """Makes our nodes from PyYAML's, following aliases within the limit."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._count = 0
        self.problems: list[Located] = []

    def node(self, given: yaml.Node, path: tuple[Part, ...], line: int, column: int) -> Node:
        self._count += 1
        if self._count > VALUES_AT_MOST or len(path) > DEPTH_AT_MOST:
            message = "holds too much once its aliases (*name) are followed; write it without them"
            raise SettingsInvalid([Located(self._file, line, column, spelled(path), message)])
        if given.tag not in KNOWN_TAGS:
            self._wrong(given, path, f"the tag {given.tag} means nothing here; remove it")
        if isinstance(given, MappingNode):
            return Node(self._mapping(given, path), path, line, column)
        if isinstance(given, SequenceNode):
            children = [
                self.node(each, (*path, index), each.start_mark.line + 1, each.start_mark.column + 1)
                for index, each in enumerate(given.value)
            ]
            return Node(children, path, line, column)
        assert isinstance(given, ScalarNode)
        return Node(scalar(given.value, is_plain=given.style is None), path, line, column)

    def _mapping(self, given: MappingNode, path: tuple[Part, ...]) -> dict[str, Node]:
        children: dict[str, Node] = {}
        for key, value in given.value:
            mark = key.start_mark
            if not isinstance(key, ScalarNode):
                self._wrong(key, path, "a key must be a word")
                continue
            name = key.value
            if name in children:
                first = children[name].line
                self._wrong(key, (*path, name), f"stands twice, first in line {first}; remove one")
                continue
            children[name] = self.node(value, (*path, name), mark.line + 1, mark.column + 1)
        return children

    def _wrong(self, given: yaml.Node, path: tuple[Part, ...], message: str) -> None:
        mark = given.start_mark
        if len(self.problems) < PROBLEMS_AT_MOST:
            self.problems.append(Located(self._file, mark.line + 1, mark.column + 1, spelled(path), message))


def scalar(text: str, *, is_plain: bool) -> Scalar:
    """What a scalar means; in quotes it is text."""
    if not is_plain:
        return text
    if NULL.fullmatch(text):
        return None
    if BOOLEAN.fullmatch(text):
        return text.lower() == "true"
    if INTEGER.fullmatch(text):
        return int(text, 0) if text[:2] in {"0x", "0o"} else int(text)
    return float(text) if FLOAT.fullmatch(text) else text
