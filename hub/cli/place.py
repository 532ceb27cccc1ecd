"""Where an installation is: its settings file and its data folder, as the command line names them."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hub.cli.errors import Exit, Failed
from hub.cli.output import note

if TYPE_CHECKING:
    from hub.settings import HubSettings

CONFIG = Path("hubbub.yaml")
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Place:
    """`data` is the folder that was named; None: the one that the settings name."""

    config: Path = CONFIG
    data: Path | None = None

    def settings(self) -> "HubSettings":
        """The settings, or the end of the command with every problem told."""
        from hub.loading import SettingsInvalid, load_settings

        try:
            settings = load_settings(self.config, os.environ)
        except SettingsInvalid as error:
            for problem in error.problems:
                note(str(problem))
            count = len(error.problems)
            raise Failed(
                f"{self.config}: {count} problem{'s' * (count != 1)}; nothing was done", Exit.PROBLEMS
            ) from None
        return settings if self.data is None else settings.model_copy(update={"data": self.data})

    def queues(self) -> frozenset[str]:
        """Names of the queues that the settings file declares; none where it cannot be used."""
        from hub.loading import look

        settings = look(self.config, os.environ).settings
        return frozenset() if settings is None else frozenset(each.name for each in settings.queues)

    def folder(self) -> Path | None:
        """The data folder, even where the settings have problems; None when they do not say it."""
        from hub.loading import look

        if self.data is not None:
            return self.data
        settings = look(self.config, os.environ).settings
        return settings.data if settings is not None else None


def with_place(function: F) -> F:
    """The options --config and --data. What is given after the command stands over what is given before it."""
    for decorator in (
        click.option(
            "--data", type=click.Path(path_type=Path, file_okay=False), expose_value=False, callback=_data,
            help="The data folder; default: the one that the settings name.",
        ),
        click.option(
            "--config", "-c", type=click.Path(path_type=Path, dir_okay=False), expose_value=False, callback=_config,
            help="The settings file; default: hubbub.yaml, or $HUBBUB_CONFIG.",
        ),
    ):  # fmt: skip
        function = decorator(function)
    return function


def place_of(context: click.Context) -> Place:
    found = context.find_object(Place)
    if found is not None:
        return found
    named = os.environ.get("HUBBUB_CONFIG")
    return Place(Path(named) if named else CONFIG)


def _config(context: click.Context, _parameter: click.Parameter, value: Path | None) -> None:
    if value is not None:
        context.obj = replace(place_of(context), config=value)


def _data(context: click.Context, _parameter: click.Parameter, value: Path | None) -> None:
    if value is not None:
        context.obj = replace(place_of(context), data=value.absolute())
