"""`hubbub init`: a settings file to begin with, and a data folder with the secret of the installation."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import click

from hub.cli.errors import Exit, Failed
from hub.cli.output import note, say
from hub.cli.place import place_of, with_place

DEFAULT_BRAND = "default"
NAMED = re.compile(r"^( *)- name: .*$", re.MULTILINE)
"""An account in the example of a channel."""


@click.command()
@click.option(
    "--channel",
    "names",
    multiple=True,
    metavar="NAME",
    help="Also the section of this channel, with what it needs; where there are settings already it is printed.",
)
@click.pass_context
@with_place
def init(context: click.Context, names: Sequence[str]) -> None:
    """Write a commented hubbub.yaml and make a data folder. Never overwrites anything.

    \b
    Examples:
      hubbub init
      hubbub init --channel slack
      hubbub init --config /etc/hubbub/hubbub.yaml --data /var/lib/hubbub
    """
    from hub.cli.sample import COMPANY
    from hub.loading import look
    from hub.secrets import FILE, installation_secret

    place = place_of(context)
    config = place.config
    sections = {name: section_of(name, _brand(config)) for name in names}
    if config.exists() and sections:
        note(f"{config} is there already and stays as it is; put this into it:")
        say("\n\n".join(sections.values()))
        return
    if config.exists():
        raise Failed(
            f"{config} is there already and stays as it is; `hubbub check` looks at it", Exit.REFUSED
        )
    folder = place.data or config.absolute().parent / "data"
    if (folder / FILE).exists():
        note(f"{folder} is a data folder already and stays as it is")
    more = [text for name, text in sections.items() if name not in COMPANY]
    _write_new(config, "\n".join([written(place.data), *(f"{each}\n" for each in more)]))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    installation_secret(folder)
    problems = look(config, os.environ).problems
    for each in problems:
        note(str(each))
    say(f"{config}: the settings; read them, then `hubbub check`")
    say(f"{folder}: the data folder; back it up with `hubbub backup`")
    note("next: `hubbub up`, and `hubbub users add NAME --role admin` for the console")


def _brand(config: Path) -> str:
    """The first brand: of the settings that are there, or of those that are written."""
    from hub.cli.sample import COMPANY
    from hub.loading import look

    if not config.exists():
        return str(COMPANY["brands"][0]["name"]) if COMPANY.get("brands") else DEFAULT_BRAND
    settings = look(config, os.environ).settings
    names = [each.name for each in settings.brands] if settings is not None else []
    return names[0] if names and DEFAULT_BRAND not in names else DEFAULT_BRAND


def section_of(name: str, brand: str = "default") -> str:
    """A channel's section of the settings as it begins, commented. Raises Failed where there is no such channel."""
    from hub.channels import channels

    channel = channels().get(name)
    if channel is None:
        raise Failed(f"there is no channel {name!r}; there are {', '.join(channels())}", Exit.USAGE)
    example = channel.example.rstrip()
    if brand != DEFAULT_BRAND:
        example = NAMED.sub(rf"\g<0>\n\g<1>  brand: {brand}", example)
    lines = [f"  {line}" if line else "" for line in example.split("\n")]
    return "\n".join([f"# {channel.title}. `hubbub connectors check {name}` tries it.", f"{name}:", *lines])


def written(data: Path | None = None) -> str:
    """The text of the settings file."""
    from hub.cli.sample import COMPANY, HEAD, TAIL
    from hub.loading.commented import commented
    from hub.settings import HubSettings

    company = COMPANY if data is None else {**COMPANY, "data": str(data)}
    return f"{HEAD}\n{commented(HubSettings, company)}\n{TAIL}"


def _write_new(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
    except FileExistsError:
        raise Failed(f"{path} is there already and stays as it is", Exit.REFUSED) from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
