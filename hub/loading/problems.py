"""What is wrong with a settings file, told so that its reader knows where to look and what to change."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Located:
    """One problem. `file` is the settings file, or the environment variable that the value came from; lines count from 1."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"

    def as_json(self) -> dict[str, object]:
        return asdict(self)


class SettingsInvalid(Exception):
    """The settings cannot be used. `problems` holds every one of them, in the order of the file."""

    def __init__(self, problems: Sequence[Located]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)
