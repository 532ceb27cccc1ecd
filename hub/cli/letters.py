"""`hubbub quarantine` and `hubbub dead-letters`: what could not be read, what could not be processed."""

import asyncio
import sys
from base64 import b64decode, b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import click

from hub.cli.cases import segment
from hub.cli.client import Api, with_hub
from hub.cli.errors import Exit, Failed
from hub.cli.output import line, moment, note, safe, say, say_fields, say_json, say_json_list, say_table

EDITED_BYTES_AT_MOST = 2**20
LATER = "no hub runs here: it is applied at the next start"

AS_JSON = click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")
ALL_STATES = click.option("--all", "all_states", is_flag=True, help="Also those that somebody settled.")
LIMIT = click.option(
    "--limit", type=click.IntRange(1), default=50, show_default=True, help="How many at most."
)
EVERY = click.option("--all", "every", is_flag=True, help="All that are open.")


@click.group()
def quarantine() -> None:
    """What was accepted and could not be read: the original, why, and reading it again after a fix."""


@quarantine.command("list")
@ALL_STATES
@LIMIT
@AS_JSON
@with_hub
async def list_quarantine(api: Api, all_states: bool, limit: int, as_json: bool) -> None:
    """List items in quarantine, the newest first."""
    found = [each async for each in api.pages("/quarantine", {"all_states": all_states}, limit)]
    if as_json:
        say_json_list(found)
        return
    names = ("id", "channel", "account", "stage", "state", "reason")
    rows = [[moment(each["received_at"]), *(each[name] for name in names)] for each in found]
    say_table(("received", *names), rows, "nothing is in quarantine")


@quarantine.command("show")
@click.argument("item")
@AS_JSON
@with_hub
async def show_quarantined(api: Api, item: str, as_json: bool) -> None:
    """Show one item: where it came from, at which stage it failed, and why."""
    found = await api.get(f"/quarantine/{segment(item)}")
    if as_json:
        say_json(found)
        return
    envelope = ", ".join(f"{name}={value}" for name, value in found.pop("envelope").items())
    say_fields({name.replace("_", " "): value for name, value in found.items()} | {"envelope": envelope})


@quarantine.command("original")
@click.argument("item")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="A file, instead of stdout."
)
@with_hub
async def original(api: Api, item: str, output: Path | None) -> None:
    """Give the bytes as they came in. The read is recorded in the audit trail.

    \b
    Examples:
      hubbub quarantine original 1b4e28ba-2fa1-5d2d-883f-0016d3cca427 -o strange.eml
    """
    content = await api.get_bytes(f"/quarantine/{segment(item)}/original")
    if output is not None:
        await asyncio.to_thread(output.write_bytes, content)
        note(f"{output}: {len(content)} bytes")
    elif sys.stdout.isatty():
        say(safe(content.decode("utf-8", "replace")))
    else:
        click.echo(content, nl=False)


@quarantine.command("replay")
@click.argument("items", nargs=-1)
@EVERY
@with_hub
async def replay_quarantined(api: Api, items: Sequence[str], every: bool) -> None:
    """Read items again, after a fix. What still cannot be read stays, with the reason; exit code 1 then."""
    await _each(api, "quarantine", items, every=every, action="replay")


@quarantine.command("drop")
@click.argument("items", nargs=-1, required=True)
@with_hub
async def drop_quarantined(api: Api, items: Sequence[str]) -> None:
    """Give items up. The originals stay."""
    await _each(api, "quarantine", items, every=False, action="drop")


@click.group()
def dead_letters() -> None:
    """Events that a consumer could not process: the data, why, and processing them again after a fix."""


@dead_letters.command("list")
@ALL_STATES
@LIMIT
@AS_JSON
@with_hub
async def list_dead_letters(api: Api, all_states: bool, limit: int, as_json: bool) -> None:
    """List dead letters, the newest first."""
    found = [each async for each in api.pages("/dead-letters", {"all_states": all_states}, limit)]
    if as_json:
        say_json_list(found)
        return
    names = ("id", "consumer", "event_type", "stage", "state", "reason")
    rows = [[moment(each["added_at"]), *(each[name] for name in names)] for each in found]
    say_table(("added", *names), rows, "there are no dead letters")


@dead_letters.command("show")
@click.argument("letter")
@click.option(
    "--event", "event_alone", is_flag=True, help="The event's data alone, as it can be edited and replayed."
)
@AS_JSON
@with_hub
async def show_dead_letter(api: Api, letter: str, event_alone: bool, as_json: bool) -> None:
    """Show one dead letter with the data of its event.

    \b
    Examples:
      hubbub dead-letters show 6f2c1f0e-8f3a-5b7e-9a3d-1f0c7b1d2e11
      hubbub dead-letters show 6f2c1f0e-8f3a-5b7e-9a3d-1f0c7b1d2e11 --event > event.json
    """
    found = await api.get(f"/dead-letters/{segment(letter)}")
    value = b64decode(found["value"])
    if event_alone:
        click.echo(value)
        return
    if as_json:
        say_json(found)
        return
    attributes = ", ".join(f"{name}={text}" for name, text in found.pop("attributes").items() if text)
    del found["value"]
    say_fields({name.replace("_", " "): text for name, text in found.items()} | {"attributes": attributes})
    say(safe(value.decode("utf-8", "replace")))


@dead_letters.command("replay")
@click.argument("letters", nargs=-1)
@click.option("--edit", type=click.File("rb"), help="A file with changed data for the event; - for stdin.")
@EVERY
@with_hub
async def replay_dead_letter(api: Api, letters: Sequence[str], edit: BinaryIO | None, every: bool) -> None:
    """Process events again, after a fix or with edited data. They are marked late: their place in the order is lost.

    \b
    Examples:
      hubbub dead-letters replay --all
      hubbub dead-letters replay 6f2c1f0e-8f3a-5b7e-9a3d-1f0c7b1d2e11 --edit event.json
    """
    if edit is None:
        await _each(api, "dead-letters", letters, every=every, action="replay")
        return
    if len(letters) != 1 or every:
        raise click.UsageError("--edit is for one dead letter")
    content = edit.read(EDITED_BYTES_AT_MOST + 1)
    if len(content) > EDITED_BYTES_AT_MOST:
        raise click.UsageError(f"--edit: more than {EDITED_BYTES_AT_MOST} bytes")
    await _each(
        api,
        "dead-letters",
        letters,
        every=False,
        action="replay",
        body={"value": b64encode(content).decode()},
    )


@dead_letters.command("drop")
@click.argument("letters", nargs=-1, required=True)
@with_hub
async def drop_dead_letter(api: Api, letters: Sequence[str]) -> None:
    """Give events up. The original bytes stay on the log."""
    await _each(api, "dead-letters", letters, every=False, action="drop")


async def _each(
    api: Api, kind: str, ids: Sequence[str], *, every: bool, action: str, body: dict[str, Any] | None = None
) -> None:
    """Does it to each, and tells of those that were refused at the end."""
    if not ids and not every:
        raise click.UsageError("name the ids, or give --all")
    wanted = [each["id"] async for each in api.pages(f"/{kind}")] if every else list(ids)
    done = 0
    refused: list[Failed] = []
    for id in wanted:
        try:
            await api.post(f"/{kind}/{segment(id)}/{action}", body)
        except Failed as failed:
            if failed.code is not Exit.REFUSED or (len(wanted) == 1 and not every):
                raise
            refused.append(failed)
            note(line(f"{id}: {failed.message}"))
        else:
            done += 1
    word = {"replay": "replayed", "drop": "dropped"}[action]
    say(f"{done} {word}" + (f", {len(refused)} refused" if refused else ""))
    if done and action == "replay" and not api.is_running:
        note(LATER)
    if refused:
        raise click.exceptions.Exit(Exit.PROBLEMS)
