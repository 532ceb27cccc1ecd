"""`hubbub ingest`: what lies in files, by the same path as what comes in."""

import asyncio
import contextlib
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from hub.cli.client import Api, with_hub
from hub.cli.errors import Exit, Failed
from hub.cli.output import line, note, say, say_json

if TYPE_CHECKING:
    from connectors.email.sources import SourceMail

AT_ONCE = 16
PROBLEMS_SHOWN = 100
TOO_LARGE = 413


@click.group()
def ingest() -> None:
    """Take in what lies in files, by the same path as what comes in over the network."""


@dataclass(slots=True)
class Ingesting:
    """Hands mails in, several at once, and counts what became of them."""

    api: Api
    account: str | None
    ledger: TextIO | None
    counts: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    async def take(self, mail: "SourceMail") -> None:
        if mail.content is None:
            self._wrong("unread", mail, mail.problem)
            return
        query = {"account": self.account}
        try:
            taken = await self.api.post_bytes("/ingest/email", mail.content, "message/rfc822", query)
        except Failed as failed:
            if failed.status != TOO_LARGE:
                raise
            self._wrong("refused", mail, "is larger than the hub takes")
            return
        self.counts[taken["outcome"]] += 1
        if taken["outcome"] == "quarantined":
            self._told(mail, f"quarantined: {taken['reason']}")
        if self.ledger is not None:
            self.ledger.write(f"{taken['item']}\n")
            self.ledger.flush()

    def _wrong(self, outcome: str, mail: "SourceMail", problem: str) -> None:
        self.counts[outcome] += 1
        self._told(mail, problem)

    def _told(self, mail: "SourceMail", problem: str) -> None:
        if len(self.problems) < PROBLEMS_SHOWN:
            self.problems.append(line(f"{mail.source}: {problem}"))


@ingest.command("email")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--account", help="The mail account of those that name none of our addresses.")
@click.option(
    "--ledger", type=click.File("a"), help="Append the id of each accepted item; for verify --ledger."
)
@click.option("--json", "as_json", is_flag=True, help="One object with the counts and `problems`.")
@with_hub
async def ingest_email(
    api: Api, paths: Sequence[Path], account: str | None, ledger: TextIO | None, as_json: bool
) -> None:
    """Take in .eml files, folders of them, Maildir and mbox.

    Safe to repeat and to interrupt: the same mail is the same item, however often and whichever way it comes. Exit code 1
    says that a file could not be read.

    \b
    Examples:
      hubbub ingest email ~/Maildir
      hubbub ingest email archive.mbox old/*.eml --account support
    """
    ingesting = Ingesting(api, account, ledger)
    is_complete = False
    try:
        await _all(ingesting, paths)
        is_complete = True
    finally:
        _conclude(ingesting, as_json=as_json)
        if not is_complete:
            note("not all was taken in: run the same again, and what is in already stays one item")
    if ingesting.counts["unread"] or ingesting.counts["refused"]:
        raise click.exceptions.Exit(Exit.PROBLEMS)


async def _all(ingesting: Ingesting, paths: Sequence[Path]) -> None:
    from connectors.email.sources import mails_in

    mails = mails_in(paths)
    busy: set[asyncio.Task[None]] = set()
    with _progress(paths) as bar:
        try:
            while (mail := await asyncio.to_thread(next, mails, None)) is not None:
                busy.add(asyncio.create_task(ingesting.take(mail)))
                bar.at(mail)
                if len(busy) >= AT_ONCE:
                    done, busy = await asyncio.wait(busy, return_when=asyncio.FIRST_COMPLETED)
                    for each in done:
                        each.result()
            await asyncio.gather(*busy)
        finally:
            for each in busy:
                each.cancel()
            await asyncio.gather(*busy, return_exceptions=True)


@dataclass(slots=True)
class Bar:
    """Counts files, of which an mbox is one with many mails."""

    shown: Any = None
    file: str = ""

    def at(self, mail: "SourceMail") -> None:
        file = mail.source.rpartition(":")[0] if mail.source.rpartition(":")[2].isdigit() else mail.source
        if self.shown is not None and file != self.file:
            self.shown.update(1)
        self.file = file


@contextlib.contextmanager
def _progress(paths: Sequence[Path]) -> Iterator[Bar]:
    """A bar on stderr where a person watches."""
    if not sys.stderr.isatty():
        yield Bar()
        return
    from connectors.email.sources import count_files

    with click.progressbar(length=count_files(paths), label="files", file=sys.stderr) as shown:
        yield Bar(shown)


def _conclude(ingesting: Ingesting, *, as_json: bool) -> None:
    counts, total = ingesting.counts, sum(ingesting.counts.values())
    if as_json:
        say_json(
            {"total": total, **counts, "problems": ingesting.problems, "running": ingesting.api.is_running}
        )
        return
    for each in ingesting.problems:
        note(each)
    kinds = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
    say(f"{total} mail{'s' * (total != 1)}: {kinds}" if total else "no mails found")
    if counts["accepted"] and not ingesting.api.is_running:
        note("no hub runs here: what was taken in is routed and answered at the next start")
