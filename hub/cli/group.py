"""The command and its subcommands, and how it ends: one line for an error, the exit codes of `hub.cli.errors`."""

import contextlib
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

import click

from hub.cli.errors import MEANINGS, Exit, Failed
from hub.cli.place import with_place

COMMANDS: dict[str, str] = {
    "init": "hub.cli.init:init",
    "check": "hub.cli.check:check",
    "up": "hub.cli.up:up",
    "worker": "hub.cli.worker:worker",
    "apply": "hub.cli.apply:apply",
    "configuration": "hub.cli.configuration:configuration",
    "topics": "hub.cli.topics:topics",
    "store": "hub.cli.store:store",
    "demo": "hub.cli.demo:demo",
    "connectors": "hub.cli.connectors:connectors",
    "ingest": "hub.cli.ingest:ingest",
    "parse": "hub.cli.parse:parse",
    "reparse": "hub.cli.reparse:reparse",
    "events": "hub.cli.events:events",
    "cases": "hub.cli.cases:cases",
    "customers": "hub.cli.customers:customers",
    "quarantine": "hub.cli.letters:quarantine",
    "parked": "hub.cli.parked:parked",
    "dead-letters": "hub.cli.letters:dead_letters",
    "verify": "hub.cli.verify:verify",
    "rebuild": "hub.cli.rebuild:rebuild",
    "move": "hub.cli.move:move",
    "backup": "hub.cli.backup:backup",
    "restore": "hub.cli.backup:restore",
    "catch-up": "hub.cli.catch_up:catch_up",
    "users": "hub.cli.users:users",
    "keys": "hub.cli.keys:keys",
    "completion": "hub.cli.completion:completion",
    "version": "hub.cli.version:version",
}
"""In the order of a first day with Hubbub."""

CODES = "\n".join(f"  {int(code):>3}  {meaning}" for code, meaning in MEANINGS.items())


class ReaderGone(Exception):
    """Who read our output went away. Click ends with code 1 where it sees the error of the system itself."""


class Commands(click.Group):
    """Imports a command when it is asked for, and turns whatever goes wrong into one line and a code."""

    def list_commands(self, _context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        place = COMMANDS.get(name)
        if place is None:
            return None
        module, attribute = place.split(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except BrokenPipeError as error:
            raise ReaderGone from error

    def main(self, args: Sequence[str] | None = None, **options: Any) -> NoReturn:  # type: ignore[override]
        arguments = list(sys.argv[1:] if args is None else args)
        options |= {"standalone_mode": False}
        is_debugging = "--debug" in arguments or bool(os.environ.get("HUBBUB_DEBUG"))
        try:
            code = super().main(arguments, **options)
            sys.stdout.flush()
        except (BrokenPipeError, ReaderGone):
            _forget_output()
            code = Exit.BROKEN_PIPE
        except Exception as error:
            if is_debugging:
                raise
            code = _told(error)
        except KeyboardInterrupt:
            code = Exit.INTERRUPTED
        sys.exit(code if isinstance(code, int) else 0)


@click.group(
    cls=Commands,
    name="hubbub",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=f"\b\nExit codes:\n{CODES}\n\nBegin with `hubbub init`, then `hubbub up`. Each command has --help with examples.",
)
@click.option("--debug", is_flag=True, help="Show the whole trace of an error.")
@click.version_option(
    None, "-V", "--version", package_name="hubbub", message="%(version)s", help="Print the version."
)
@with_place
def main(debug: bool) -> None:
    """Hubbub: every message becomes one event, and from the events cases are routed, timelined and answered."""


def _told(error: Exception) -> int:
    """Tells an error on stderr, and gives its exit code."""
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.Abort):
        return Exit.INTERRUPTED
    if isinstance(error, click.UsageError):
        error.show()
        return Exit.USAGE
    if isinstance(error, Failed):
        click.echo(f"hubbub: {error.format_message()}", err=True)
        return error.code
    if isinstance(error, click.ClickException):
        click.echo(f"hubbub: {error.format_message()}", err=True)
        return Exit.USAGE
    if isinstance(error, ExceptionGroup):
        return _told(error.exceptions[0])
    return _told_other(error)


def _told_other(error: Exception) -> int:
    from schemas.errors import Conflict, Invalid, NotYet, Outage, Refused

    code = Exit.FAULT
    if isinstance(error, Refused | Conflict):
        code = Exit.REFUSED
    elif isinstance(error, Outage | NotYet | OSError):
        code = Exit.OUTAGE
    if code is Exit.FAULT:
        click.echo(
            f"hubbub: a fault of Hubbub: {type(error).__name__}: {error}; --debug shows where", err=True
        )
        return code
    click.echo(f"hubbub: {error}", err=True)
    if isinstance(error, Invalid):
        for field, problem in error.problems.items():
            click.echo(f"  {field}: {problem}", err=True)
    return code


def _forget_output() -> None:
    """Python flushes stdout at its end; nobody is there to read it."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
