"""`hubbub parse`: the pure parsers alone, without hub, settings or data folder."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub.cli.errors import Exit
from hub.cli.output import note, say_json_line

if TYPE_CHECKING:
    from connectors.email.sources import SourceMail

STDIN = "-"


@click.group()
def parse() -> None:
    """Read input with the parser alone and print what it understood."""


@parse.command("email")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
def parse_email(paths: Sequence[Path]) -> None:
    """Print one JSON object a line for each mail: files, folders of them, Maildir, mbox, or - for stdin.

    A mail that cannot be read is printed too, with `kind` unparsed. Exit code 1 says that a file could not be opened.

    \b
    Examples:
      hubbub parse email message.eml | jq .text_new
      hubbub parse email ~/Maildir | jq -r 'select(.kind == "bounce") | .bounce.recipient'
      cat message.eml | hubbub parse email -
    """
    from connectors.email.parse import parse_mail, parsed_to_json

    is_whole = True
    for mail in _mails(paths):
        parsed = parsed_to_json(mail.source, parse_mail(mail.content or b""))
        if mail.content is None:
            is_whole = False
            parsed["warnings"] = [mail.problem]
            note(f"{mail.source}: {mail.problem}")
        say_json_line(parsed)
    if not is_whole:
        raise click.exceptions.Exit(Exit.PROBLEMS)


def _mails(paths: Sequence[Path]) -> Iterator["SourceMail"]:
    from connectors.email.sources import LONGEST_MAIL, SourceMail, mails_in

    for path in paths:
        if str(path) == STDIN:
            yield SourceMail(STDIN, sys.stdin.buffer.read(LONGEST_MAIL))
        else:
            yield from mails_in([path])
