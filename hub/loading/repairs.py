"""What was probably meant: a misspelt key or word is put right, so that what is beside and below it is looked at too.

The problem is told all the same; a repair never makes wrong settings good.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel

from hub.loading import shapes
from hub.loading.tree import Node, Part, find

QUOTED = re.compile(r"'([^']*)'")
CUTOFF = 0.6  # as in processors.problems.nearest, which says what we take


@dataclass(frozen=True, slots=True)
class Repair:
    """Of the value at `place`: another key, or another word."""

    place: tuple[Part, ...]
    key: str = ""
    word: str = ""

    @property
    def answers(self) -> tuple[Part, ...]:
        """The place that is no longer missing."""
        return (*self.place[:-1], self.key) if self.key else self.place

    def apply(self, root: Node) -> None:
        if not self.key:
            find(root, self.place)[0].value = self.word
            return
        parent, _ = find(root, self.place[:-1])
        assert isinstance(parent.value, dict)
        parent.value[self.key] = parent.value.pop(str(self.place[-1]))


def repair_of(
    model: type[BaseModel], root: Node, error: Mapping[str, Any], place: tuple[Part, ...]
) -> Repair | None:
    """`error` is Pydantic's, `place` where it is in the tree. None where nothing near is known."""
    context = error.get("ctx", {})
    if error["type"] == "extra_forbidden":
        parent, _ = find(root, place[:-1])
        known = shapes.known_keys(model, place[:-1], root.plain())
        key = _near(place[-1], [each for each in known if parent.child(each) is None])
        return Repair(place, key=key) if key else None
    if error["type"] in {"enum", "literal_error"}:
        word = _near(error.get("input"), QUOTED.findall(str(context.get("expected", ""))))
        return Repair(place, word=word) if word else None
    if error["type"] == "union_tag_invalid":
        mark = str(context.get("discriminator", "")).strip("'")
        word = _near(context.get("tag"), QUOTED.findall(str(context.get("expected_tags", ""))))
        return Repair((*place, mark), word=word) if word else None
    return None


def _near(given: object, known: Sequence[str]) -> str:
    return next(iter(get_close_matches(str(given), sorted(known), n=1, cutoff=CUTOFF)), "")
