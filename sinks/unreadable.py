"""Stored documents that fit no schema: a list leaves one out and says so; who needs it is told which one it is."""

import logging
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TypeVar

from schemas.errors import Never

log = logging.getLogger("hubbub.store")

S = TypeVar("S")
D = TypeVar("D")


def readable(stored: Iterable[S], decode: Callable[[S], D]) -> list[D]:
    """What can be read. One document that cannot must not take away all others of a list from everybody.

    It is told of once; `Engine.check` finds it each time, and whoever needs it itself gets Never.
    """
    found = []
    for each in stored:
        try:
            found.append(decode(each))
        except Never as error:
            _tell(str(error))
    return found


@lru_cache(maxsize=1000)
def _tell(what: str) -> None:
    log.error("left out of a list: %s", what)
