"""The base of our enumerations."""

from enum import StrEnum
from operator import attrgetter
from typing import TYPE_CHECKING


class Choice(StrEnum):
    """One of a few words, written as the word itself."""

    if not TYPE_CHECKING:
        value = property(attrgetter("_value_"))
        """Without a frame of Python, which the enum module needs for it until 3.12: the codec asks a dozen times an event."""
