"""`hubbub connectors new`: a folder that already keeps the contract, to be turned into the channel it is meant to be."""

import re
from pathlib import Path

import click

from hub.cli.errors import Exit, Failed
from hub.cli.output import note, say

EXAMPLE = "example"
NAME = re.compile(r"[a-z][a-z0-9_]{1,30}")
IMPORTS = re.compile(r"(?:^ *from (?:connectors|schemas)[.\w]* import [^\n(]+\n)+", re.MULTILINE)
COPIED = frozenset({".py", ".md", ".json"})

TEST = '''"""{title} keeps the contract of connectors."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from connectors.kit.contract import ConnectorContract
from connectors.kit.rigs import Clock
from connectors.{name}.rig import {title}Rig
from schemas.ports import Engine
from sinks.sqlite.engine import open_engine


@asynccontextmanager
async def sqlite(folder: Path, clock: Clock) -> AsyncIterator[Engine]:
    engine = await open_engine(folder, clock=clock)
    yield engine
    await engine.close()


class TestContract(ConnectorContract):
    rig_type = {title}Rig

    def open_engine(self, folder: Path, clock: Clock) -> AbstractAsyncContextManager[Engine]:
        return sqlite(folder, clock)
'''


@click.command("new")
@click.argument("name")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="The root of the source tree; default: here.",
)
def new_connector(name: str, into: Path) -> None:
    """Make a folder for a new channel that already passes the contract suite, with its tests. Overwrites nothing.

    \b
    Examples:
      hubbub connectors new telegram && python -m pytest tests/connectors/telegram
    """
    if NAME.fullmatch(name) is None or name in {"kit", EXAMPLE}:
        raise click.UsageError(
            f"{name!r} is no name for a channel: small letters, digits and _, such as `telegram`"
        )
    folder, tests = into / "connectors" / name, into / "tests" / "connectors" / name
    for each in (folder, tests):
        if each.exists():
            raise Failed(f"{each} is there already and stays as it is", Exit.REFUSED)
    written = written_files(name)
    for path, text in written.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    tests.mkdir(parents=True)
    (tests / "test_contract.py").write_text(TEST.format(name=name, title=_title(name)), encoding="utf-8")
    say(f"{folder}: {len(written)} files, and {tests / 'test_contract.py'}")
    note(f'now one line in hub/channels.py: "connectors.{name}.channel"')
    note(f"then `python -m pytest {tests}`, and docs/integrators/writing-a-connector.md says how it goes on")


def written_files(name: str) -> dict[str, str]:
    """Path below the folder -> text: the example of the kit under another name."""
    from connectors.kit import example

    root = Path(str(example.__file__)).parent
    return {
        str(path.relative_to(root)): _renamed(path.read_text(encoding="utf-8"), name)
        for path in sorted(root.rglob("*"))
        if path.suffix in COPIED
    }


def _renamed(text: str, name: str) -> str:
    """Words of the example, not those of Python, and not the domains of nobody."""
    text = text.replace("connectors.kit.example", f"connectors.{name}")
    text = re.sub(r"\bEXAMPLE_(?=[A-Z])", f"{name.upper()}_", text)
    text = re.sub(r"Example(?=[A-Z])", _title(name), text).replace(
        'title="Example"', f'title="{_title(name)}"'
    )
    text = re.sub(r"^# Example$", f"# {_title(name)}", text, flags=re.MULTILINE)
    text = re.sub(r"(?<=/)example(?=/)|(?<=try )example\b", name, text)
    text = text.replace("x-example-", f"x-{name.replace('_', '-')}-")
    text = text.replace(f'CHANNEL = "{EXAMPLE}"', f'CHANNEL = "{name}"')
    return IMPORTS.sub(_sorted, text.replace("the channel example;", f"the channel {name};"))


def _sorted(block: re.Match[str]) -> str:
    """Imports in the order of their modules, which another name has changed."""
    lines = block[0].splitlines(keepends=True)
    return "".join(sorted(lines, key=lambda line: line.split()[1]))


def _title(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
