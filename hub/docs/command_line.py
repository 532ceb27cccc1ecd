"""docs/reference/cli.md, from the commands themselves."""

from collections.abc import Iterator

import click

from hub.cli import main
from hub.cli.errors import MEANINGS
from hub.docs.markdown import block, code, page, table

WIDTH = 100
HEAD = """
Results go to stdout, all else to stderr. Each command that needs a hub works with the hub up (over the socket in its data
folder) and down (in its own process, under the data folder's lock); what works behind the log then waits for the next start.
`--config`, `--data` and `--debug` may stand before the command too.
"""


def cli_page() -> str:
    codes = table(
        ("exit code", "meaning"), [(code(str(int(each))), meaning) for each, meaning in MEANINGS.items()]
    )
    sections = [
        f"## {path}\n\n{block(help_text, 'text')}"
        for path, help_text in _commands(main, click.Context(main, info_name="hubbub"))
    ]
    return page("The command", HEAD, codes, *sections)


def _commands(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    context.max_content_width = WIDTH
    context.terminal_width = WIDTH
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from _commands(child, click.Context(child, info_name=name, parent=context))
