"""The base of our enumerations."""

from enum import StrEnum
from operator import attrgetter


class Choice(StrEnum):
    """One of a few words, written as the word itself.

    `value` is found without a frame of Python, which the enum module needs for it until 3.12: the codec asks for it in every
    event, a dozen times.
    """

    value = property(attrgetter("_value_"))  # type: ignore[assignment]
