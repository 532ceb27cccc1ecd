"""hubbub.yaml, the environment over it, and the files that it names, as one `HubSettings`; or everything that is wrong.

settings = load_settings(Path("hubbub.yaml"), os.environ)
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hub.channels import channels
from hub.loading.overrides import Overrides
from hub.loading.problems import Located, SettingsInvalid
from hub.loading.reading import read_bytes, read_tree
from hub.loading.references import References
from hub.loading.semantics import semantic_problems
from hub.loading.servers import PATHS as SERVER_PATHS
from hub.loading.tree import Node, Part, find, gone, parts_of, spelled
from hub.loading.validating import Validating
from hub.settings import HubSettings

__all__ = ["Located", "Looked", "SettingsInvalid", "load_settings", "look"]

PATHS = (
    "data",
    "secret_file",
    *(f"{channel.name}.{path}" for channel in channels().values() for path in channel.paths),
    *SERVER_PATHS,
)
"""Settings that name a file or folder; relative ones are so to the settings file."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What there is of a settings file. `settings` may be usable in part while there are problems; None when not at all."""

    settings: HubSettings | None
    problems: tuple[Located, ...]


def load_settings(path: Path, environment: Mapping[str, str]) -> HubSettings:
    """The settings of an installation. Raises SettingsInvalid with every problem."""
    looked = look(path, environment)
    if looked.problems or looked.settings is None:
        raise SettingsInvalid(looked.problems)
    return looked.settings


def look(path: Path, environment: Mapping[str, str]) -> Looked:
    """Everything that is wrong with the settings, in the order of the file. Never raises for what they hold."""
    file = str(path)
    try:
        root, found = read_tree(read_bytes(path), file)
    except SettingsInvalid as error:
        return Looked(None, error.problems)
    if not isinstance(root.value, dict):
        message = "must hold keys with values, such as `queues:`; `hubbub init` writes an example"
        return Looked(None, (Located(file, root.line, root.column, "", message),))
    overrides = Overrides(HubSettings, environment)
    overrides.apply(root)
    references = References(file, path.absolute().parent, environment)
    references.resolve(root)
    # What came by a reference that could not be followed is not judged.
    absent = {each.path for each in references.problems}
    _make_absolute(root, path.absolute().parent)
    validating = Validating(HubSettings, root, file)
    settings = validating.model()
    assert settings is None or isinstance(settings, HubSettings)
    found += [*overrides.problems, *references.problems]
    found += [each for each in validating.problems if each.path not in absent]
    if settings is not None:
        semantic = _located(settings, validating, file)
        found += [each for each in semantic if each.path not in absent]
    return Looked(
        settings,
        tuple(sorted(found, key=lambda each: (each.file != file, each.file, each.line, each.column))),
    )


def _make_absolute(root: Node, folder: Path) -> None:
    for path in PATHS:
        node, rest = find(root, parts_of(path))
        if not rest and isinstance(node.value, str) and node.value:
            node.value = str(folder / Path(node.value).expanduser())
    if isinstance(root.value, dict) and "data" not in root.value:
        root.value["data"] = Node(str(folder / str(HubSettings.model_fields["data"].default)), ("data",))


def _located(settings: HubSettings, validating: Validating, file: str) -> list[Located]:
    """Semantic problems with their places, without those that only follow from what was taken out."""
    found: list[Located] = []
    sound = validating.sound
    absent = [re.escape(repr(name)) for name in gone(sound)]
    absent += [rf"\b{re.escape(spelled(each))}\b" for each in validating.left if all(map(_is_key, each))]
    for problem in semantic_problems(settings):
        if any(re.search(each, problem.message) for each in absent):
            continue
        node, rest = find(sound, parts_of(problem.path))
        if node.gone and not rest:  # a list that items were taken out of
            continue
        path = spelled((*node.path, *rest))
        found.append(Located(node.variable or file, node.line, node.column, path, problem.message))
    return found


def _is_key(part: Part) -> bool:
    return isinstance(part, str)
