"""From the tree to the model. What is wrong is put right or taken out and the rest looked at again: all is told at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from hub.loading import shapes
from hub.loading.problems import Located
from hub.loading.repairs import Repair, repair_of
from hub.loading.sentences import sentence, unknown_key
from hub.loading.tree import Node, Part, find, spelled, without

ROUNDS = 12
FOLLOWING = frozenset({"too_short", "missing"})
"""Kinds of error that may only follow from what was taken out."""

HIDDEN = "***"


@dataclass(frozen=True, slots=True)
class Wrong:
    """One error of Pydantic's: where it is in the tree as it is now, and what has to leave or change for it to go."""

    error: Mapping[str, Any]
    place: tuple[Part, ...]
    leaving: tuple[Part, ...]
    repair: Repair | None

    @property
    def kind(self) -> str:
        return str(self.error["type"])


class Validating:
    """Gathers problems; `sound` is the tree without what is wrong, `left` says what was taken out."""

    def __init__(self, model: type[BaseModel], root: Node, file: str) -> None:
        self._model = model
        self._file = file
        self.left: list[tuple[Part, ...]] = []
        self.sound = root
        self.problems: list[Located] = []

    def model(self) -> BaseModel | None:
        """The model of what is sound, even where problems were found; None when nothing is left that makes one."""
        for _ in range(ROUNDS):
            try:
                return self._model.model_validate(self.sound.plain())
            except ValidationError as error:
                wrong = self._wrong(error)
                self._tell_all(wrong)
                leaving = [each.leaving for each in wrong if each.repair is None]
                if not all(leaving):  # the whole is wrong
                    return None
                for each in wrong:
                    if each.repair is not None:
                        each.repair.apply(self.sound)
                self.sound = without(self.sound, leaving)
        return None

    def _wrong(self, error: ValidationError) -> list[Wrong]:
        found: list[Wrong] = []
        for each in error.errors(include_url=False):
            place = self._place(each["loc"], each["type"])
            repair = repair_of(self._model, self.sound, each, place)
            found.append(Wrong(each, place, self._leaving(place, each["type"]), repair))
        answered = {each.repair.answers for each in found if each.repair is not None}
        missing = {each.place for each in found if each.kind == "missing"} - answered
        return [
            each
            for each in found
            if (each.kind != "missing" or each.place in missing) and not _is_early(each, found)
        ]

    def _tell_all(self, wrong: Sequence[Wrong]) -> None:
        self.left += [
            self._original(each.leaving)
            for each in wrong
            if each.repair is None and each.kind not in FOLLOWING
        ]
        written = self.sound.plain()
        said: dict[tuple[Part, ...], dict[str, None]] = {}
        for each in wrong:
            if not self._follows(each):
                said.setdefault(each.place, {})[self._message(each, written)] = None
        for place, messages in said.items():
            node, _ = find(self.sound, place)
            path = spelled(self._original(place))
            message = " or ".join(messages)
            self.problems.append(Located(node.variable or self._file, node.line, node.column, path, message))

    def _place(self, loc: Sequence[Part], kind: str) -> tuple[Part, ...]:
        """Pydantic's place without the names of union members, which nobody wrote."""
        place: tuple[Part, ...] = ()
        node = self.sound
        for index, part in enumerate(loc):
            child = node.child(part)
            if child is not None:
                place, node = (*place, part), child
            elif kind == "missing" and index == len(loc) - 1:
                place = (*place, part)
        return place

    def _leaving(self, place: tuple[Part, ...], kind: str) -> tuple[Part, ...]:
        """An unknown key leaves alone, and so does a value that has a default; else the item of a list that it belongs to."""
        if kind == "extra_forbidden":
            return place
        while place:
            if isinstance(place[-1], int):
                return place
            if kind != "missing" and shapes.has_default(self._model, place, self.sound.plain()):
                return place
            place, kind = place[:-1], ""
        return place

    def _original(self, place: tuple[Part, ...]) -> tuple[Part, ...]:
        """The place as it was before anything left."""
        node, rest = find(self.sound, place)
        return (*node.path, *rest)

    def _follows(self, wrong: Wrong) -> bool:
        """Whether this is only so because something inside was wrong and left."""
        original = self._original(wrong.place)
        inside = [each for each in self.left if each[: len(original)] == original and each != original]
        if wrong.kind in FOLLOWING:
            return bool(inside)
        return wrong.kind == "value_error" and any(str(each[-1]) in wrong.error["msg"] for each in inside)

    def _message(self, wrong: Wrong, written: Any) -> str:
        place, error = wrong.place, wrong.error
        if wrong.kind == "extra_forbidden":
            return unknown_key(str(place[-1]), shapes.known_keys(self._model, place[:-1], written))
        node, _ = find(self.sound, place)
        is_secret = node.is_hidden or shapes.is_secret(self._model, place)
        message = sentence(
            wrong.kind, error["msg"], error.get("ctx", {}), error.get("input"), is_secret=is_secret
        )
        if is_secret and isinstance(node.value, str) and node.value:
            message = message.replace(node.value, HIDDEN)
        meaning = shapes.meaning(self._model, place, written) if wrong.kind == "missing" else ""
        return f"{message}: {meaning}" if meaning else message


def _is_early(wrong: Wrong, found: Sequence[Wrong]) -> bool:
    """Pydantic counts only the good items of a list: how many there are is known when the others are put right."""
    place = wrong.place
    return wrong.kind == "too_short" and any(
        len(each.place) > len(place) and each.place[: len(place)] == place for each in found
    )
