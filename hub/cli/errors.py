"""How commands end. Every error is one line that says what to change; exit codes are one table, shown in help and docs."""

from enum import IntEnum

import click


class Exit(IntEnum):
    """What the exit code of every command means."""

    OK = 0
    PROBLEMS = 1
    USAGE = 2
    REFUSED = 3
    OUTAGE = 4
    FAULT = 5
    INTERRUPTED = 130
    BROKEN_PIPE = 141


MEANINGS: dict[Exit, str] = {
    Exit.OK: "done, and nothing is wrong",
    Exit.PROBLEMS: "problems were found (check, verify, ingest); they are listed",
    Exit.USAGE: "the command line is wrong",
    Exit.REFUSED: "the hub refused: it does not exist, is not allowed, or changed meanwhile",
    Exit.OUTAGE: "not reachable: the hub does not answer, the data folder is locked, a disk or network fails",
    Exit.FAULT: "a fault of Hubbub; run again with --debug and report it",
    Exit.INTERRUPTED: "interrupted with Ctrl-C",
    Exit.BROKEN_PIPE: "who read our output went away",
}


class Failed(click.ClickException):
    """Ends the command with this code; `message` is told on stderr. `status` is the hub's answer, where there was one."""

    def __init__(self, message: str, code: Exit, status: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


def code_of_status(status: int) -> Exit:
    """The exit code for an HTTP status of the hub."""
    if status == 500:
        return Exit.FAULT
    return Exit.OUTAGE if status > 500 or status == 429 else Exit.REFUSED
