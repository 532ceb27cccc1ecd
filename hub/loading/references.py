"""`${env:NAME}` and `${file:PATH}` in any text of the settings, so that secrets stand elsewhere. `$${` is a plain `${`.

What is put in is text and nothing else: it is never read as YAML, nor looked through for further references.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from hub.loading.problems import Located
from hub.loading.tree import Node, spelled
from processors.problems import nearest

REFERENCE = re.compile(r"\$\$\{|\$\{(env|file):([^}\n]*)(\}?)")
FILE_BYTES_AT_MOST = 64 * 2**10


class References:
    """Replaces in place, and gathers what is wrong."""

    def __init__(self, file: str, folder: Path, environment: Mapping[str, str]) -> None:
        self._file = file
        self._folder = folder
        self._environment = environment
        self.problems: list[Located] = []

    def resolve(self, root: Node) -> None:
        for node in root.texts():
            assert isinstance(node.value, str)
            if "${" in node.value:
                node.is_hidden = True
                node.value = REFERENCE.sub(lambda match, node=node: self._value(match, node), node.value)  # type: ignore[misc]

    def _value(self, match: re.Match[str], node: Node) -> str:
        if match[0] == "$${":
            return "${"
        kind, name, end = match[1], match[2].strip(), match[3]
        if not end or not name:
            return self._wrong(
                node, f"{match[0]} is not whole; write ${{{kind}:{'NAME' if kind == 'env' else 'PATH'}}}"
            )
        return self._of_environment(name, node) if kind == "env" else self._of_file(name, node)

    def _of_environment(self, name: str, node: Node) -> str:
        value = self._environment.get(name)
        if value is None:
            return self._wrong(
                node, f"the environment variable {name} is not set{nearest(name, self._environment)}"
            )
        return value

    def _of_file(self, name: str, node: Node) -> str:
        path = self._folder / name
        try:
            with path.open("rb") as file:
                content = file.read(FILE_BYTES_AT_MOST + 1)
        except OSError as error:
            return self._wrong(node, f"{path} cannot be read: {error.strerror or error}")
        if len(content) > FILE_BYTES_AT_MOST:
            return self._wrong(node, f"{path} is larger than {FILE_BYTES_AT_MOST // 1024} KiB")
        try:
            return content.decode().removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            return self._wrong(node, f"{path} is not UTF-8 text")

    def _wrong(self, node: Node, message: str) -> str:
        file = node.variable or self._file
        self.problems.append(Located(file, node.line, node.column, spelled(node.path), message))
        return ""
